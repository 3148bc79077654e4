"""A cluster of servers: what the schema becomes there, and that the books are the same."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tokentrace_collector.files import root
from tokentrace_collector.store import cluster, schema
from tokentrace_collector.store.database import Store

PROCESS = Path(__file__).with_name("cluster_process.py")
FILES = [
    f"{folder}/{path.stem}"
    for folder in ("tables", "views", "migrations")
    for path in sorted((root() / folder).glob("*.sql"))
]


def rendered(name: str, servers: str = "c") -> list[str]:
    return [each for one in schema.split(schema.sql(name)) for each in cluster.statements(one, servers)]


def books(directory: Path) -> Any:
    path = os.pathsep.join([str(PROCESS.parent), *sys.path])
    done = subprocess.run(
        [sys.executable, str(PROCESS), str(directory)],
        env={**os.environ, "PYTHONPATH": path}, cwd=directory, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FILES)
def test_the_engine_can_read_what_it_becomes(empty_store: Store, name: str):
    empty_store.create_database()
    for statement in rendered(name):
        assert empty_store.query("SELECT formatQuery({sql:String}) AS text", sql=statement)


@pytest.mark.parametrize("name", FILES)
def test_a_single_server_gets_the_file_as_it_is(name: str):
    assert rendered(name, "") == schema.split(schema.sql(name))


@pytest.mark.parametrize("name", FILES)
def test_every_server_makes_it(name: str):
    """But rows, and columns of tables that are the same everywhere, come to them by replication."""
    for statement in rendered(name):
        alone = re.search(r"^(INSERT INTO|ALTER TABLE) ", statement, re.MULTILINE)
        assert alone or " ON CLUSTER `c`" in statement


def test_what_keeps_rows_replicates_them():
    """But what a run keeps for itself."""
    own = {"tables/23_taken_traces", "tables/92_rollup_verified"}
    for name in FILES:
        for statement in rendered(name):
            if found := re.search(r"ENGINE = (\w*MergeTree)", statement):
                assert found[1].startswith("Replicated") != (name in own)
                assert "non_replicated" not in statement


def test_a_table_that_grows_with_traffic_is_a_door_to_its_shards():
    behind, door = rendered("tables/20_llm_calls")
    assert "CREATE TABLE IF NOT EXISTS llm_calls_local ON CLUSTER `c` (" in behind
    assert (
        "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ingested_at)"
        in behind
    )
    assert door.endswith("ENGINE = Distributed('c', currentDatabase(), 'llm_calls_local', cityHash64(trace_id))")


def test_a_column_that_is_added_is_seen_through_the_door():
    first, door, *_ = rendered("migrations/0006_own_parents")
    assert "ALTER TABLE llm_calls_local ON CLUSTER `c`\n    ADD COLUMN" in first
    assert "CREATE OR REPLACE TABLE llm_calls ON CLUSTER `c` AS llm_calls_local" in door


def test_views_that_materialise_stay_on_the_shard_but_what_is_received_is_spread():
    (calls,) = rendered("tables/21_llm_calls_mv")
    assert " TO llm_calls_local AS" in calls
    assert "FROM otel_traces_local" in calls
    (received,) = rendered("tables/12_otlp_requests_mv")
    assert " TO otel_traces AS" in received
    (touched,) = rendered("tables/23_touched_traces_mv")
    assert " TO touched_traces AS" in touched
    assert "FROM llm_calls_local" in touched


def test_a_statement_that_nobody_has_thought_of_is_refused():
    with pytest.raises(cluster.ClusterError, match="RENAME"):
        list(cluster.statements("RENAME TABLE a TO b", "c"))


def test_touches_are_taken_off_by_name_and_in_pieces(empty_store: Store):
    empty_store.create_database()
    traces = ["it's", "\\", *(f"{number:032x}" for number in range(5_000))]
    statements = list(cluster.deletions(traces, range(len(traces))))
    assert [statement.count("(") for statement in statements] == [5_002, 4]
    assert all(len(statement) < 1 << 20 for statement in statements)
    assert "('it\\'s', 0), ('\\\\', 1)" in statements[0]


@pytest.mark.parametrize("statement", list(cluster.settled("db", "c")))
def test_the_engine_can_read_what_waits_for_replicas(empty_store: Store, statement: str):
    empty_store.create_database()
    assert empty_store.query("SELECT formatQuery({sql:String}) AS text", sql=statement)


def test_a_cluster_keeps_the_same_books_as_one_server(tmp_path: Path):
    """Written through the doors, rolled up, verified, asked, and read again."""
    kept = books(tmp_path)
    assert kept["one"] == kept[""]
    assert kept["one"]["verified"]["differences"] == []
    assert kept["one"]["waiting"] == [{"touches": 0}]
    assert kept["one"]["read again"] == [{"traces": 5}]
    assert all(kept["one"]["costs"].values())
    # Two shards of the same rows: each span was numbered once.
    assert [(each["work_unit"], each["runs"], each["known_runs"]) for each in kept["one"]["work"]] == [
        ("idle", 1, 0), ("ticket", 2, 2),
    ]  # fmt: skip
    # What meets no row on either shard is not told by both.
    assert kept["idle"] == [{"runs": 1, "known_runs": 0}]
    (numbers,) = kept["numbers"]
    assert numbers["spans"] == numbers["numbers"] == 2 * len(kept["one"]["calls"])
