import pytest

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store


@pytest.fixture
def schemas(tmp_path, monkeypatch):
    """A directory of schema files of one table, whose columns follow from the components."""
    monkeypatch.setattr(schema, "root", lambda: tmp_path)
    schema.components.cache_clear()
    for name in ("tables", "components"):
        (tmp_path / name).mkdir()
    (tmp_path / "components/10_visible.sql").write_text("SELECT 1")
    table = (
        "CREATE TABLE IF NOT EXISTS costs (\n    id UInt8,\n    ${component_columns},\n    total UInt8\n) "
        "ENGINE = MergeTree ORDER BY id"
    )
    (tmp_path / "tables/10_costs.sql").write_text(table)
    yield tmp_path
    schema.components.cache_clear()


def columns(store: Store, table: str) -> list[str]:
    sql = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position"
    return [row["name"] for row in store.query(sql, table=table)]


def test_applying_again_changes_nothing(store: Store):
    before = store.query("SELECT name, checksum, applied_at FROM schema_versions ORDER BY name")
    schema.apply(store)
    assert store.query("SELECT name, checksum, applied_at FROM schema_versions ORDER BY name") == before


@pytest.mark.parametrize("rank", [5, 20])
def test_a_new_component_gets_its_column_in_tables_with_rows(empty_store: Store, schemas, rank):
    """In the place that it has in a new table, for rows are inserted by position."""
    schema.apply(empty_store)
    empty_store.insert("costs", ["id", "visible", "total"], [[1], [2], [3]])
    (schemas / f"components/{rank:02}_errors.sql").write_text("SELECT 1")
    schema.components.cache_clear()
    schema.apply(empty_store)
    empty_store.run("CREATE TABLE fresh" + schema.sql("tables/10_costs").partition("costs")[2])
    assert empty_store.query("SELECT * FROM costs") == [{"id": 1, "visible": 2, "errors": 0, "total": 3}]
    assert columns(empty_store, "costs") == columns(empty_store, "fresh")


def test_a_migration_runs_once_on_a_database_that_is_older_than_it(empty_store: Store, schemas):
    schema.apply(empty_store)
    (schemas / "migrations").mkdir()
    (schemas / "migrations/0001_note.sql").write_text("ALTER TABLE costs ADD COLUMN note String;\n")
    schema.apply(empty_store)
    schema.apply(empty_store)
    assert columns(empty_store, "costs") == ["id", "visible", "total", "note"]


def test_a_new_database_starts_after_the_migrations(empty_store: Store, schemas):
    (schemas / "migrations").mkdir()
    (schemas / "migrations/0001_note.sql").write_text("ALTER TABLE missing ADD COLUMN note String")
    schema.apply(empty_store)
    assert empty_store.query("SELECT name FROM schema_versions ORDER BY name") == [
        {"name": "migrations/0001_note"},
        {"name": "tables/10_costs"},
    ]


def test_a_changed_materialised_view_takes_effect(empty_store: Store, schemas):
    view = "CREATE MATERIALIZED VIEW IF NOT EXISTS costs_mv TO costs AS SELECT {} AS id FROM incoming"
    (schemas / "tables/20_incoming.sql").write_text("CREATE TABLE IF NOT EXISTS incoming (id UInt8) ENGINE = Null")
    (schemas / "tables/21_costs_mv.sql").write_text(view.format("id"))
    schema.apply(empty_store)
    (schemas / "tables/21_costs_mv.sql").write_text(view.format("id + 100"))
    schema.apply(empty_store)
    empty_store.insert("incoming", ["id"], [[1]])
    assert empty_store.query("SELECT id FROM costs") == [{"id": 101}]


def test_a_changed_null_table_keeps_feeding_its_views(empty_store: Store, schemas):
    incoming = "CREATE TABLE IF NOT EXISTS incoming ({}) ENGINE = Null"
    view = "CREATE MATERIALIZED VIEW IF NOT EXISTS costs_mv TO costs AS SELECT id FROM incoming"
    (schemas / "tables/20_incoming.sql").write_text(incoming.format("id UInt8"))
    (schemas / "tables/21_costs_mv.sql").write_text(view)
    schema.apply(empty_store)
    (schemas / "tables/20_incoming.sql").write_text(incoming.format("id UInt8, note String"))
    schema.apply(empty_store)
    empty_store.insert("incoming", ["id", "note"], [[1], ["new"]])
    assert empty_store.query("SELECT id FROM costs") == [{"id": 1}]


def test_a_view_that_is_missing_is_made_anew(empty_store: Store, schemas):
    view = "CREATE MATERIALIZED VIEW IF NOT EXISTS costs_mv TO costs AS SELECT id FROM incoming"
    (schemas / "tables/20_incoming.sql").write_text("CREATE TABLE IF NOT EXISTS incoming (id UInt8) ENGINE = Null")
    (schemas / "tables/21_costs_mv.sql").write_text(view)
    schema.apply(empty_store)
    empty_store.run("DROP TABLE costs_mv SYNC")
    schema.apply(empty_store)
    empty_store.insert("incoming", ["id"], [[1]])
    assert empty_store.query("SELECT id FROM costs") == [{"id": 1}]


def test_a_changed_scratch_table_is_made_anew(empty_store: Store, schemas):
    scratch = "CREATE TABLE IF NOT EXISTS scratch ({}) ENGINE = Memory"
    (schemas / "tables/20_scratch.sql").write_text(scratch.format("id UInt8"))
    schema.apply(empty_store)
    (schemas / "tables/20_scratch.sql").write_text(scratch.format("tenant String, id UInt8"))
    schema.apply(empty_store)
    empty_store.insert("scratch", ["tenant", "id"], [["default"], [1]])
    assert empty_store.query("SELECT tenant FROM scratch") == [{"tenant": "default"}]


@pytest.mark.parametrize("change", ["component", "migration"])
def test_scratch_that_copies_a_table_has_what_columns_that_gets(empty_store: Store, schemas, change):
    """Rows go from one to the other by position."""
    (schemas / "tables/90_copy.sql").write_text("CREATE TABLE IF NOT EXISTS copy AS costs\nENGINE = Memory\n")
    schema.apply(empty_store)
    if change == "component":
        (schemas / "components/20_errors.sql").write_text("SELECT 1")
        schema.components.cache_clear()
    else:
        (schemas / "migrations").mkdir()
        (schemas / "migrations/0001_more.sql").write_text("ALTER TABLE costs ADD COLUMN more UInt8")
        (schemas / "tables/10_costs.sql").write_text(
            schema.sql("tables/10_costs").replace("total UInt8", "total UInt8, more UInt8")
        )
    schema.apply(empty_store)
    assert columns(empty_store, "copy") == columns(empty_store, "costs")
    assert len(columns(empty_store, "copy")) == 4


def test_text_is_repeated_for_each_component(schemas):
    (schemas / "components/20_errors.sql").write_text("SELECT 1")
    schema.components.cache_clear()
    (schemas / "each.sql").write_text(
        "SELECT ${components(' + '): sum({name})} = {total:UInt8}, ${components: {rank} AS {name}}"
    )
    assert schema.sql("each") == "SELECT sum(visible) + sum(errors) = {total:UInt8}, 10 AS visible,\n    20 AS errors"


def test_a_placeholder_that_nothing_fills_is_refused(schemas):
    (schemas / "each.sql").write_text("SELECT ${cluster}")
    with pytest.raises(schema.SchemaError, match="cluster"):
        schema.sql("each")
