"""The tables of a cluster: what the engine says of them, and what the books are in them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tokentrace_collector.files import root
from tokentrace_collector.store import cluster, dsn, schema
from tokentrace_collector.store.cluster import ClusterError
from tokentrace_collector.store.database import Store

PROGRAM = Path(__file__).with_name("cluster_process.py")
FILES = sorted(
    str(path.relative_to(root()).with_suffix(""))
    for folder in ("tables", "views", "migrations")
    for path in (root() / folder).glob("*.sql")
)


@pytest.mark.parametrize("file", FILES)
def test_every_statement_of_the_schema_is_one_for_a_cluster(store: Store, file: str):
    for statement in schema.split(schema.sql(file)):
        for rendered in cluster.statements(statement, "fleet"):
            assert store.query("SELECT formatQueryOrNull({sql:String}) AS sql", sql=rendered)[0]["sql"], rendered


def test_a_single_server_has_the_statements_as_they_are():
    for file in FILES:
        for statement in schema.split(schema.sql(file)):
            assert list(cluster.statements(statement, "")) == [statement]


def test_a_statement_that_nobody_thought_of_is_refused():
    with pytest.raises(ClusterError, match="OPTIMIZE TABLE"):
        list(cluster.statements("OPTIMIZE TABLE llm_calls FINAL", "fleet"))


def test_the_books_of_a_cluster_are_those_of_a_server(tmp_path: Path):
    ran = subprocess.run([sys.executable, str(PROGRAM), str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    kept = json.loads(ran.stdout)
    one, spread = kept[""], kept["one"]
    assert one["costs"], "nothing was kept"
    assert spread == one
    assert one["verified"]["differences"] == []
    numbers = kept["numbers"]
    assert numbers[0]["spans"] == numbers[0]["numbers"] > 0


def test_an_address_names_a_cluster():
    parsed = dsn.parse("clickhouse://me:secret@host/costs?cluster=my%20fleet")
    assert parsed.cluster == "my fleet"
    assert str(parsed) == "clickhouse://me@host/costs?cluster=my%20fleet"
    with pytest.raises(dsn.DsnError, match="one process"):
        dsn.parse("chdb:///data?cluster=fleet")
