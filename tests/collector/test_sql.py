"""Every SQL file is one object that the real engine takes as it is, and agrees with the registry."""

import re

import pytest
import yaml

from tokentrace_collector import files
from tokentrace_collector.prices.exchange import Exchange
from tokentrace_collector.prices.pricelist import units
from tokentrace_collector.rollup.gathered import STEPS, Gathered
from tokentrace_collector.rollup.stages import _SETTINGS
from tokentrace_collector.store import schema

REGISTRY = yaml.safe_load((files.root() / "registry" / "attributes.yaml").read_text())
BUCKETS = [each["id"] for side in ("input", "output") for each in REGISTRY["buckets"][side]]
METERS = [each["id"] for each in REGISTRY["meters"]]
NAMES = sorted(str(path.relative_to(files.root()).with_suffix("")) for path in files.root().rglob("*.sql"))
ROLLUP = [name for name in NAMES if name.startswith(("rollup/", "deletion/", "closing/"))]
COPIES = ("rollup/calls", "rollup/costs_written")
GIVEN = {
    "trusted": ["openrouter"], **Exchange().parameters(),
    "claim": "c", "among": "", "turn": 1, "life": 1000,
    "tenant": "t", "id": "i", "month": "2026-10-01", "commitment": "c",
    "run": "r", "version": 1, "summed": 0, "sound": 0, "sign": 1, "limit": 1, "first": "", "beyond": "",
    "horizon": "2026-11-01 00:00:00", "kept": "2026-01-01 00:00:00", "before": "q",
    "since": "2026-11-20 00:00:00", "until": "2026-11-21 00:00:00", "latest": "2026-11-21 00:00:00",
}  # fmt: skip


def bound(sql):
    return {name: value for name, value in GIVEN.items() if f"{{{name}:" in sql}


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_can_read_it(empty_store, name):
    """Its own parser, on the text as it is sent."""
    empty_store.create_database()
    for statement in re.split(r";[ \t]*(?:\n|$)", schema.sql(name)):
        if statement.strip():
            assert empty_store.query("SELECT formatQuery({sql:String}) AS text", sql=statement)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("migrations/")])
def test_its_first_line_says_the_grain(name):
    """One row per what."""
    assert re.match(r"-- One row(?: per |: )", schema.sql(name))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COPIES])
def test_it_names_the_columns_it_takes_from_a_table(name):
    """A column that is added must not slip into a result; but a copy has all."""
    steps = set(re.findall(r"^    (\w+) AS \($", schema.sql(name), re.MULTILINE))
    starred = re.findall(r"SELECT\s+(?:\w+\.)?\*[^()]*?\bFROM (\w+)", schema.sql(name))
    assert set(starred) <= steps


@pytest.mark.parametrize("name", ROLLUP)
def test_each_step_of_the_rollup_runs_on_empty_tables(store, name):
    """Alone, with its parameters and nothing else."""
    sql = schema.sql(name)
    store.run(sql, settings=_SETTINGS, **bound(sql))


@pytest.mark.parametrize("name", sorted(STEPS))
def test_each_step_that_reads_the_spans_of_a_batch_takes_those_that_are_kept(store, name):
    """All of them from there, and nothing from the table."""
    sql = Gathered(store, store.run, traces=1).of(schema.sql(f"rollup/{name}"))
    assert "llm_calls" not in sql
    store.run(sql, settings=_SETTINGS, **bound(sql))


@pytest.mark.parametrize("name", sorted(STEPS | {"bounds", "unresolved"}))
def test_no_step_asks_of_the_spans_of_a_batch_what_is_not_kept(store, name):
    """It would find the default there, and not know."""
    left_out = re.search(r"SELECT \* EXCEPT \(([^)]*)\)", schema.sql("rollup/calls"))[1]
    store.run(f"CREATE VIEW kept AS SELECT * EXCEPT ({left_out}), broke, sampling FROM rollup_calls")
    sql = (
        Gathered(store, store.run, traces=1).of(schema.sql(f"rollup/{name}")).replace("FROM rollup_calls", "FROM kept")
    )
    store.run(sql, settings=_SETTINGS, **bound(sql))


@pytest.mark.parametrize("component", schema.components(), ids=lambda each: each.name)
def test_each_component_runs_over_the_units(store, component):
    """The file itself is a query."""
    assert (
        store.query(
            component.sql,
        )
        == []
    )


@pytest.mark.parametrize(
    "example", re.findall(r"```sql\n(.*?)```", (files.root() / "README.md").read_text(), re.DOTALL)
)
def test_the_examples_of_the_guide_run(store, example):
    """As they are printed."""
    for statement in example.split(";\n"):
        if statement.strip():
            assert store.query(statement.rstrip("; \n")) == []


def test_calls_are_read_in_the_order_of_their_columns(store):
    """So that the same SELECT serves the view and a second reading, which goes by place."""
    select = schema.sql("tables/21_llm_calls_mv").partition("AS\n")[2]
    read = [row["name"] for row in store.query(f"DESCRIBE ({select})")]
    columns = (
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'llm_calls'"
        " AND default_kind != 'ALIAS' ORDER BY position"
    )
    assert read == [row["name"] for row in store.query(columns)]


def test_every_unit_of_the_registry_may_have_a_price():
    """And nothing else may, but a request and a reviewer's time."""
    assert units().keys() - {"requests", "review_seconds"} <= {*BUCKETS, *METERS}
    assert set(BUCKETS) <= units().keys()


def test_every_bucket_of_the_registry_is_read():
    """By the pattern that tells counts from other attributes of usage."""
    (pattern,) = re.findall(r"'([^']+)' AS bucket_name", schema.sql("tables/21_llm_calls_mv"))
    assert all(re.match(pattern, bucket) for bucket in BUCKETS)


def test_the_roles_of_the_registry_are_the_roles_of_the_rollup():
    """All but the one that says nothing."""
    (known,) = re.findall(r"decided\.role IN \(([^)]+)\)", schema.sql("rollup/bearing"))
    assert set(re.findall(r"'(\w+)'", known)) == REGISTRY["roles"].keys() - {"unknown"}


def test_every_rule_that_decides_a_role_is_in_the_registry():
    """And the registry knows no other."""
    text = "".join(schema.sql(f"rollup/{name}") for name in ("edges", "roles", "roles_broken"))
    rules = {rule for rule in REGISTRY["role_sources"] if rule.startswith("inferred:")}
    assert set(re.findall(r"'(inferred:\w+)'", text)) == rules
    words = schema.sql("rollup/edges").partition("AS words")[0]
    assert set(re.findall(r"\('\w+', '(\w+)'\)", words)) <= set(REGISTRY["roles"])
