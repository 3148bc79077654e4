"""A store in a process of its own, for tests that kill it: `serve` runs a collector, the rest looks and leaves."""

import json
import sys

from tokentrace_collector.config import Config
from tokentrace_collector.serve import Addresses, Collector, run
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store


def serve(store: str, batch_spans: str, batch_seconds: str, http_port: str = "0", grpc_port: str = "0") -> None:
    config = Config(
        store=store,
        http_port=int(http_port),
        grpc_port=int(grpc_port),
        api_port=0,
        batch_spans=int(batch_spans),
        batch_seconds=float(batch_seconds),
    )
    run(Collector(config), tell=tell)


def tell(addresses: Addresses) -> None:
    sys.stdout.write(f"{addresses.otlp_http} {addresses.api} {addresses.otlp_grpc}\n")
    sys.stdout.flush()


def spans(address: str) -> None:
    """Of every span: how often it is among the raw spans and those made ready, and if the rollup knows of its trace."""
    store = Store.open(address)
    raw = store.query("SELECT SpanId AS id, count() AS copies FROM otel_traces GROUP BY SpanId")
    ready = store.query(
        """
        SELECT span_id AS id, [count(), countIf(trace_id IN (SELECT trace_id FROM touched_traces))] AS copies
        FROM llm_calls FINAL GROUP BY span_id
        """
    )
    copies = {row["id"]: row["copies"] for row in ready}
    json.dump({row["id"]: [row["copies"], *copies.get(row["id"], (0, 0))] for row in raw}, sys.stdout)
    store.close()


def numbers(address: str) -> None:
    """The attribute `number` of every raw span, one a line."""
    store = Store.open(address)
    asked = "SELECT SpanAttributes['number'] AS number FROM otel_traces"
    sys.stdout.writelines(row["number"] + "\n" for row in store.query(asked))
    store.close()


def insert(address: str, token: str) -> None:
    """Insert the request of standard input; print a part of each table that came of it."""
    store = Store.open(address)
    schema.apply(store)
    assert store.insert_spans([sys.stdin.buffer.read()], tenant="default", token=token)
    parts = store.query(
        """
        SELECT any(path) AS path FROM system.parts
        WHERE active AND database = currentDatabase() AND table IN ('otel_traces', 'llm_calls', 'touched_traces')
        GROUP BY table
        """
    )
    sys.stdout.writelines(row["path"] + "\n" for row in parts)
    store.close()


if __name__ == "__main__":
    {"serve": serve, "spans": spans, "numbers": numbers, "insert": insert}[sys.argv[1]](*sys.argv[2:])
