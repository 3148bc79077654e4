"""The same tables on a cluster of servers: what the SQL of `schemas/` becomes there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_SHARDED = {
    "otel_traces": "TraceId",
    "llm_calls": "trace_id",
    "trace_extents": "trace_id",
    "responses": "response_id",
    "retellings": "response_id",
    "call_costs": "trace_id",
    "tcoai_by_trace": "trace_id",
}
"""The tables that grow with traffic, and the column that says on which shard a row is. A table `x` of these is a door
to all shards; the rows are in `x_local`. A trace is whole on one shard, so that FINAL finds all rows of one key there.
Views that materialise stay on the shard: their rows are found through the door wherever they are, and are read by
aggregation where they meet rows of other traces. All other tables are whole on every server."""

_SCRATCH = frozenset({"rollup_verified", "taken_traces"})
"""What one run keeps for itself, beside tables in memory, which are of one server by nature."""

SETTINGS = {
    # What a statement joins or looks up, it has worked out for all shards, and gives to each.
    "prefer_global_in_and_join": 1,
    # Where an insert is answered, it has been stored, and not only been kept to be sent.
    "distributed_foreground_insert": 1,
    # Whoever writes something, and reads it then, asks the same replica.
    "load_balancing": "in_order",
    # A read without a shard would be a sum that is too low.
    "skip_unavailable_shards": 0,
}
"""What a session says that speaks to a cluster."""

_DELETED = 5_000
"""Touches of one statement, which Keeper takes no more than a megabyte of."""

_WINDOW = "replicated_deduplication_window = 10000,\n    replicated_deduplication_window_seconds = 604800"
_ENGINE = re.compile(r"\bENGINE = (?P<kind>\w*MergeTree)\b(?:\((?P<given>[^()]*)\))?")
_STATEMENT = re.compile(
    r"^(?P<verb>CREATE (?P<what>TABLE|MATERIALIZED VIEW) IF NOT EXISTS|CREATE OR REPLACE VIEW|DROP TABLE IF EXISTS"
    r"|ALTER TABLE|INSERT INTO) (?P<name>\w+)",
    re.MULTILINE,
)
_INTO = re.compile(r" TO (?P<into>\w+) AS$", re.MULTILINE)
_FROM = re.compile(rf"\bFROM (?P<table>{'|'.join(_SHARDED)})\b")


class ClusterError(Exception):
    """A statement of which it is not known what it becomes on a cluster."""


def statements(sql: str, cluster: str) -> Iterator[str]:
    """What a statement of the schema becomes on a cluster; on a single server, of no name, it is what it is."""
    found = _STATEMENT.search(sql)
    if found is None:
        raise ClusterError(f"Nothing says what becomes of this statement on a cluster: {sql.strip()[:80]!r}.")
    if not cluster or found["verb"] == "INSERT INTO":
        yield sql
        return
    name, everywhere = found["name"], f" ON CLUSTER {quoted(cluster)}"
    if found["verb"] == "ALTER TABLE" and name not in _SHARDED:
        # All servers have the same table, and tell one another.
        yield sql
        return
    place = f"{name}_local" if name in _SHARDED else name
    if found["what"] == "MATERIALIZED VIEW":
        sql = _on_the_shard(sql)
    elif found["what"] == "TABLE" and name not in _SCRATCH:
        sql = _replicated(sql, shares=name in _SHARDED)
    yield sql[: found.start("name")] + place + everywhere + sql[found.end("name") :]
    if name in _SHARDED:
        yield _door(name, cluster)


def settled(database: str, cluster: str, *tables: str) -> Iterator[str]:
    """Statements after which every replica of these tables, or of all sharded ones, has what any had at the start."""
    for name in tables or _SHARDED:
        place = f"{name}_local" if name in _SHARDED else name
        yield f"SYSTEM SYNC REPLICA ON CLUSTER {quoted(cluster)} {quoted(database)}.{place} LIGHTWEIGHT"


def deletions(traces: Sequence[str], touches: Sequence[int]) -> Iterator[str]:
    """Statements that take touches, with their traces, off the work list on every server."""
    # Every server deletes for itself, and only one has the list; and two of them may have drawn the same number.
    for first in range(0, len(touches), _DELETED):
        some = zip(traces[first : first + _DELETED], touches[first : first + _DELETED], strict=True)
        listed = ", ".join(f"({_text(trace)}, {touch})" for trace, touch in some)
        yield f"DELETE FROM touched_traces WHERE (trace_id, touch) IN ({listed})"  # noqa: S608 - quoted


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _door(name: str, cluster: str) -> str:
    # It holds nothing, and is made anew whenever what is behind it has changed.
    return (
        f"CREATE OR REPLACE TABLE {name} ON CLUSTER {quoted(cluster)} AS {name}_local\n"
        f"ENGINE = Distributed({_text(cluster)}, currentDatabase(), '{name}_local', cityHash64({_SHARDED[name]}))"
    )


def _on_the_shard(sql: str) -> str:
    """A materialised view, from the rows of a shard; what comes from a request goes through the door."""
    from_shard = _FROM.search(sql)
    if from_shard is None:
        return sql
    into = _INTO.search(sql)
    if into is not None and into["into"] in _SHARDED:
        sql = sql[: into.end("into")] + "_local" + sql[into.end("into") :]
    return _FROM.sub(r"FROM \g<table>_local", sql)


def _replicated(sql: str, *, shares: bool) -> str:
    """A table that keeps its rows, with an engine that replicates them: over its shard, or over all servers."""
    shard, replica = ("{shard}", "{replica}") if shares else ("all", "{shard}-{replica}")

    def engine(found: re.Match[str]) -> str:
        given = "".join(f", {each}" for each in (found["given"],) if each)
        path = f"/clickhouse/tables/{shard}/{{database}}/{{table}}"
        return f"ENGINE = Replicated{found['kind']}('{path}', '{replica}'{given})"

    return re.sub(r"\bnon_replicated_deduplication_window = \d+", _WINDOW, _ENGINE.sub(engine, sql))
