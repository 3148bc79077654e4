"""A cluster of one server in a process of its own: how the embedded engine is configured belongs to a whole process.

It keeps the same books in tables of one server and in those of a cluster, without replicas, and prints both.
"""

import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import clickhouse_connect
from conftest import Ledger

from tokentrace_collector.ingest.renormalise import renormalise
from tokentrace_collector.reports import answers, breakdown
from tokentrace_collector.rollup.horizon import NEVER
from tokentrace_collector.rollup.stages import _SETTINGS
from tokentrace_collector.store import cluster, dsn, schema
from tokentrace_collector.store.database import _SESSION, Store
from tokentrace_collector.tenants import Books


def free() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


PORT = free()
CONFIG = """
<clickhouse>
    <tcp_port>{port}</tcp_port>
    <macros><shard>01</shard><replica>a</replica></macros>
    <remote_servers>
        <one><shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard></one>
        <twice>
            <shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>
            <shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>
        </twice>
    </remote_servers>
</clickhouse>
"""
REPLICATED = re.compile(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?")
WINDOW = re.compile(r"\breplicated_deduplication_window = (\d+),\s+replicated_deduplication_window_seconds = \d+")


class One(Store):
    """The only server of a cluster: nobody to tell of a statement, and, without replicas, nothing to copy."""

    @property
    def _everywhere(self) -> str:
        return ""

    def run(self, sql: str, /, **named: Any) -> None:
        sql = WINDOW.sub(r"non_replicated_deduplication_window = \1", REPLICATED.sub(r"\1(", sql))
        sql = sql.replace(" ON CLUSTER `one`", "")
        if not sql.startswith("SYSTEM SYNC REPLICA"):
            super().run(sql, **named)


def opened(kind: type[Store], directory: Path, name: str, servers: str = "") -> Store:
    config = directory / "config.xml"
    config.write_text(CONFIG.format(port=PORT))
    settings = _SESSION | (cluster.SETTINGS if servers else {})
    client = clickhouse_connect.get_client(
        interface="chdb", path=str(directory / "engine"), settings=settings, chdb_options={"config-file": str(config)}
    )
    client.database = name
    return kind(dsn.Dsn(True, name, directory, directory / "engine", cluster=servers), client)


def told(ledger: Ledger) -> None:
    """Agents that work on one thing, one that calls nothing, reviews, one of them shared, a response read by another
    trace, a pool, a commitment, and one call that comes late."""
    for trace in ("a" * 32, "b" * 32):
        work = {"tokentrace.attribution.team": "support", "tokentrace.work_unit.id": "ticket"}
        ledger.span(trace, "root", seconds=9, said=work)
        ledger.call(trace, "ask", "root", at=1, tokens={"input_text": 1000, "output_text": 100})
        ledger.call(trace, "answer", "root", at=3, tokens={"input_text": 2000, "output_text": 300})
        ledger.review(trace, "look", "root", at=5, active=3, by="ann")
    of = {"tokentrace.review.session": "s", "tokentrace.review.traces": json.dumps(["a" * 32 + ":2", "c" * 32])}
    ledger.review("e" * 32, "shared", at=40, active=9, by="max", said=of)
    ledger.span("d" * 32, "root", said={"tokentrace.work_unit.id": "idle"})
    response = {"gen_ai.response.id": "resp_0123456789abcdef"}
    ledger.call("a" * 32, "submit", "root", at=4, said=response)
    ledger.call("b" * 32, "ask", "root", at=1, tokens={"input_text": 1000, "output_text": 100})
    ledger.tick()
    read = response | {"tokentrace.usage.scope": "retrieve"}
    ledger.call("c" * 32, "read", at=20, tokens={"input_text": 50, "output_text": 5}, said=read)
    ledger.call(
        "c" * 32,
        "pooled",
        at=30,
        provider="self_hosted",
        model="qwen3-8b",
        tokens={"input_text": 700, "output_text": 70},
    )
    ledger.tick()


BOOK = """
version: 1
human_review: {rate_per_hour: 42}
gpu_pools:
  - id: h200
    hourly_cost: 11.27
    match: {provider: self_hosted, model: "qwen3-*"}
    weights: {input: 0.08, cached: 0.008, output: 1}
commitments:
  - id: reserved
    kind: usage
    match: {provider: openai, model: "gpt-6*"}
    weights: {input: 1, output: 8}
    quantity: 5000
    price: 3
    settle: hour
    from: 2026-11-20
    to: 2026-11-21
"""


def asked(books: Books) -> dict[str, Any]:
    whole = {"a": answers.request(books, "a" * 32), "latest": answers.request(books, "")}
    by = ("team",), ("customer", "model")
    shares = [breakdown.shares(books, breakdown.Breakdown(each, limit=limit)) for each in by for limit in (0, 1)]
    return {"whole": whole, "shares": shares, "agents": breakdown.agents(books, None, 9)}


def books(directory: Path) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for kind, servers in ((Store, ""), (One, "one")):
        store = opened(kind, directory, f"books_{servers}", servers)
        schema.apply(store)
        schema.apply(store)
        ledger = Ledger(store).priced_by(BOOK)
        told(ledger)
        kept[servers] = {"costs": ledger.everything(), "verified": ledger.rollup.verify().verified}
        kept[servers]["waiting"] = store.query("SELECT count() AS touches FROM touched_traces")
        kept[servers]["outcomes"] = store.query("SELECT trace_id, status, total FROM trace_outcomes ORDER BY trace_id")
        kept[servers]["work"] = store.query(
            "SELECT work_unit, runs, known_runs, total, rework FROM work_units ORDER BY ALL"
        )
        kept[servers]["reports"] = asked(Books(store))
        (span,) = store.query("SELECT min(IngestedAt) AS first, now64(6) AS last FROM otel_traces")
        renormalise(store, span["first"], span["last"])
        kept[servers]["read again"] = store.query("SELECT uniqExact(trace_id) AS traces FROM touched_traces")
        kept[servers]["calls"] = store.query("SELECT trace_id, span_id FROM llm_calls FINAL ORDER BY ALL")
    # Two shards of the same rows: what is numbered must not be numbered by each.
    store.run(
        "CREATE OR REPLACE TABLE llm_calls AS llm_calls_local"
        " ENGINE = Distributed('twice', currentDatabase(), 'llm_calls_local', cityHash64(trace_id))"
    )
    store.run("TRUNCATE TABLE rollup_spans")
    store.run("INSERT INTO rollup_batch SELECT DISTINCT tenant, trace_id FROM llm_calls")
    reported = {"trusted": ["openrouter"], **ledger.book.money.parameters()}
    store.run(schema.sql("rollup/spans"), settings=_SETTINGS, horizon=NEVER, **reported)
    kept["numbers"] = store.query("SELECT count() AS spans, uniqExact(number) AS numbers FROM rollup_spans")
    store.run(
        "CREATE OR REPLACE TABLE tcoai_by_trace AS tcoai_by_trace_local"
        " ENGINE = Distributed('twice', currentDatabase(), 'tcoai_by_trace_local', cityHash64(trace_id))"
    )
    kept["idle"] = store.query("SELECT runs, known_runs FROM work_units WHERE work_unit = 'idle'")
    return kept


if __name__ == "__main__":
    sys.stdout.write(json.dumps(books(Path(sys.argv[1])), default=str))
