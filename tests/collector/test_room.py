"""What is stored takes little room, and is what it was: in a new store, and in one that was filled before."""

from decimal import Decimal

from hypothesis import HealthCheck, Phase, example, given, settings, strategies as st

from tokentrace_collector.store import schema

FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
MOST, LEAST = Decimal("99999999999999999999.999999999999999999"), Decimal("0.000000000000000001")
LAYOUT = """
SELECT table, name, type, position, compression_codec FROM system.columns
WHERE database = currentDatabase() AND table IN ('otel_traces', 'llm_calls', 'responses', 'call_costs', 'tcoai_by_trace', 'tcoai_by_hour')
ORDER BY ALL
"""
SMALL = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine_full LIKE '%min_bytes_for_wide_part = 67108864%'
ORDER BY name
"""
AMOUNTS = (
    "SELECT total, list_cost, `lines.amount` AS amounts, `lines.quantity` AS quantities FROM call_costs ORDER BY part"
)
KNOWN = [None, Decimal(0), MOST, -MOST, LEAST, Decimal("2.5")]

amounts = st.none() | st.decimals(-MOST, MOST, places=18)
quantities = st.decimals(Decimal("-999999999999.999999"), Decimal("999999999999.999999"), places=6)


def insert(store, rows):
    columns = ["tenant", "hour", "part", "total", "list_cost", "lines.amount", "lines.quantity"]
    values = [
        ("t", 0, part, found[0] or Decimal(0), found[-1] or Decimal(0), found, counted)
        for part, (found, counted) in enumerate(rows)
    ]
    store.insert("call_costs", columns, [list(each) for each in zip(*values, strict=True)])


def stored(store):
    rows = store.query(AMOUNTS)
    return [(row["total"], row["list_cost"], [*row["amounts"]], [*row["quantities"]]) for row in rows]


@FEW
@example([(KNOWN, [Decimal("0.000001")] * len(KNOWN)), ([MOST], [Decimal("999999999999.999999")])])
@given(st.lists(st.tuples(st.lists(amounts, min_size=1, max_size=9), st.lists(quantities, max_size=9)), min_size=1))
def test_amounts_come_back_to_the_last_digit(store, rows):
    rows = [(found, [*counted, *([Decimal(1)] * len(found))][: len(found)]) for found, counted in rows]
    store.run("TRUNCATE TABLE call_costs")
    insert(store, rows)
    store.run("OPTIMIZE TABLE call_costs FINAL")
    assert stored(store) == [(found[0] or 0, found[-1] or 0, found, counted) for found, counted in rows]


def as_before(store):
    """The tables as they were until they took less room, and what they held."""
    for table, plain in {
        "call_costs": ("`lines.amount`", "`lines.quantity`", "total", "visible", "errors", "estimated", "list_cost"),
        "tcoai_by_trace": ("total", "orchestration", "direct", "contracted_cost"),
        "tcoai_by_hour": ("amount", "estimated", "list_cost"),
        "otel_traces": ("SpanAttributes", "`Events.Timestamp`"),
    }.items():
        store.run(f"ALTER TABLE {table} " + ", ".join(f"MODIFY COLUMN {name} CODEC(ZSTD(1))" for name in plain))
    for table in ("otel_traces", "llm_calls"):
        store.run(f"ALTER TABLE {table} RESET SETTING min_bytes_for_wide_part")
    store.run("ALTER TABLE responses ADD COLUMN traces SimpleAggregateFunction(groupUniqArrayArray, Array(String))")
    store.run("ALTER TABLE schema_versions DELETE WHERE name = 'migrations/0031_room' SETTINGS mutations_sync = 1")
    insert(store, [(KNOWN, [Decimal("7.000001")] * len(KNOWN))])
    store.insert("responses", ["tenant", "response_id", "is_retrieved", "traces"], [["t"], ["r"], [1], [["a", "b"]]])


def test_a_store_of_before_is_stored_anew_as_it_merges(store):
    fresh = store.query(LAYOUT)
    as_before(store)
    held = stored(store)
    assert store.query(LAYOUT) != fresh
    assert not store.query(SMALL)
    schema.apply(store)
    assert (store.query(LAYOUT), [each["name"] for each in store.query(SMALL)]) == (fresh, ["llm_calls", "otel_traces"])
    store.run("OPTIMIZE TABLE call_costs FINAL")
    store.run("OPTIMIZE TABLE responses FINAL")
    assert stored(store) == held
    assert store.query("SELECT response_id, is_retrieved FROM responses") == [{"response_id": "r", "is_retrieved": 1}]


def test_a_migration_that_was_cut_short_is_taken_up_again(store):
    fresh = store.query(LAYOUT)
    as_before(store)
    for statement in schema.split(schema.sql("migrations/0031_room")):
        store.run(statement)
    assert store.query("SELECT 1 FROM schema_versions WHERE name = 'migrations/0031_room'") == []
    schema.apply(store)
    assert store.query(LAYOUT) == fresh


def test_blocks_of_a_store_of_before_become_as_small_as_those_of_a_new_one(store):
    asked = "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = 'llm_calls'"
    fresh = store.query(asked)
    store.run("ALTER TABLE llm_calls RESET SETTING min_compress_block_size")
    store.run("ALTER TABLE schema_versions DELETE WHERE name = 'migrations/0032_blocks' SETTINGS mutations_sync = 1")
    assert store.query(asked) != fresh
    schema.apply(store)
    assert {*store.query(asked)[0]["engine_full"].split(", ")} == {*fresh[0]["engine_full"].split(", ")}
