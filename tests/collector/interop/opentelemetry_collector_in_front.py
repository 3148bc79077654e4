"""A real OpenTelemetry Collector between the application and the books, by every way that is deployed.

Run by `.ci/interop`; the usual run of the tests leaves it alone, as its name says.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import opentelemetry_collector
import pytest
from clickhouse_server import Fault, Server
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry_collector import OpenTelemetryCollector, free_port, to_clickhouse, to_tokentrace
from process import Process, until

from tokentrace_collector.config import Config
from tokentrace_collector.demo.process import AgentProcess
from tokentrace_collector.demo.provider import Provider
from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.serve import Collector
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

DEPLOY = Path(__file__).parents[3] / "deploy"
SPANS = 60
PATIENCE = 240
MADE = ("call_costs", "capacity_hours", "capacity_lines", "tcoai_by_trace", "tcoai_by_hour")

Start = Callable[[str, dict[str, Any]], OpenTelemetryCollector]


def configurations() -> list[str]:
    return sorted(path.name for path in DEPLOY.rglob("otel-collector*.yaml"))


@pytest.mark.parametrize("name", configurations())
def test_every_configuration_that_is_deployed_is_valid(otelcol: Path, name: str):
    told = {"TOKENTRACE_ENDPOINT": "http://127.0.0.1:4318", "TOKENTRACE_TOKEN": "secret"}
    told |= {"CLICKHOUSE_ENDPOINT": "http://127.0.0.1:8123", "CLICKHOUSE_USER": "u", "CLICKHOUSE_PASSWORD": "p"}
    assert opentelemetry_collector.validate(otelcol, DEPLOY / name, told) == ""


def test_a_configuration_with_a_mistake_is_not_valid(otelcol: Path, tmp_path: Path):
    mistaken = tmp_path / "mistaken.yaml"
    mistaken.write_text((DEPLOY / "otel-collector.yaml").read_text().replace("create_schema", "creates_schema"))
    told = {"CLICKHOUSE_ENDPOINT": "http://127.0.0.1:8123"}
    assert "creates_schema" in opentelemetry_collector.validate(otelcol, mistaken, told)


def send(to: OpenTelemetryCollector, protocol: str, first: int, last: int) -> None:
    """Spans by their number, through the SDK of OpenTelemetry; each is taken when this returns."""
    exporter = (
        HttpExporter(f"http://{to.http}/v1/traces") if protocol == "http" else GrpcExporter(to.grpc, insecure=True)
    )
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    for number in range(first, last):
        tracer.start_span("step", attributes={"number": number}).end()
    provider.shutdown()


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_an_outage_of_ours_and_a_crash_of_the_one_in_front_lose_and_double_nothing(
    start: Start, tmp_path: Path, protocol: str
):
    ports = {"http": free_port(), "grpc": free_port()}
    instead = to_tokentrace(**{protocol: f"127.0.0.1:{ports[protocol]}"})
    front = start("otel-collector-forward.yaml", instead)
    send(front, protocol, 0, SPANS // 2)
    front.kill()
    front = start("otel-collector-forward.yaml", instead)
    send(front, protocol, SPANS // 2, SPANS)
    ours = Process(f"chdb://{tmp_path}/books", ports=f"{ports['http']} {ports['grpc']}")
    try:
        until(lambda: ours.get("/readyz")["counts"]["spans_stored"] >= SPANS, PATIENCE)
    finally:
        ours.end()
    stored = Process.ask("numbers", f"chdb://{tmp_path}/books").split()
    assert sorted(map(int, stored)) == list(range(SPANS))


@pytest.fixture
def other_store(engine: Path) -> Iterator[Store]:
    """A second store, with all tables."""
    with closing(Store.open(f"chdb://{engine}?database=other")) as opened:
        schema.apply(opened)
        yield opened
        opened.drop_database()


@pytest.fixture
def ours(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    """A collector of ours over `empty_store`."""
    where = f"{empty_store.address}&directory={tmp_path}"
    with Collector(Config(store=where, http_port=0, grpc_port=0, api_port=0, batch_seconds=0.05)) as running:
        yield running


def spans_of(store: Store) -> int:
    return store.query("SELECT uniqExact(TraceId, SpanId) AS spans FROM otel_traces")[0]["spans"]


def demo_book() -> Book:
    own = files("tokentrace_collector.demo")
    return parse("".join((own / part).read_text(encoding="utf-8") for part in ("book.yaml", "pool.yaml")))


def books(store: Store) -> dict[str, list[dict[str, Any]]]:
    """What the rollup makes of the spans of a store: the calls, and what they cost."""
    Rollup(store, demo_book()).tick()
    calls = store.query("SELECT * EXCEPT ingested_at FROM llm_calls FINAL ORDER BY ALL")
    return {"llm_calls": calls} | {
        table: store.query(f"SELECT * EXCEPT version FROM {table} FINAL ORDER BY ALL") for table in MADE
    }


def play(endpoint: str) -> None:
    """Have the agent of the demo do its work; all its spans have been taken when it is done."""
    with AgentProcess() as agent, Provider(breaks_stream=True) as provider:
        agent.work(endpoint, provider.addresses, frozenset(), patience=PATIENCE)


def test_the_exporter_for_clickhouse_and_our_own_door_keep_the_same_books(
    start: Start, server: Server, ours: Collector, empty_store: Store, other_store: Store
):
    both = to_clickhouse(f"http://{server.address.removeprefix('clickhouse://')}", other_store.address.database)
    both["exporters"] |= {"otlp_http": {"endpoint": ours.addresses.otlp_http}}
    both["service"] = {"pipelines": {"traces": {"exporters": ["clickhouse", "otlp_http"]}}}
    front = start("otel-collector.yaml", both)
    play(f"http://{front.http}")
    until(lambda: server.errors != [] or 0 < spans_of(other_store) == spans_of(empty_store), PATIENCE)
    assert server.errors == []
    assert ours.flush(30)
    by_exporter, by_door = books(other_store), books(empty_store)
    assert by_exporter == by_door
    assert [len(by_door[table]) > 0 for table in ("llm_calls", *MADE)] == [True] * 6


@pytest.mark.parametrize(
    "fault",
    [Fault(b"INSERT INTO", code=241, times=2), Fault(b"INSERT INTO", times=1, loses_answer=True)],
    ids=["refused twice", "answer lost"],
)
def test_what_clickhouse_did_not_take_comes_again_and_counts_once(
    start: Start, server: Server, other_store: Store, fault: Fault
):
    server.faults.append(fault)
    address = f"http://{server.address.removeprefix('clickhouse://')}"
    front = start("otel-collector.yaml", to_clickhouse(address, other_store.address.database))
    send(front, "grpc", 0, SPANS)
    until(lambda: fault.times == 0 and spans_of(other_store) == SPANS, PATIENCE)
    front.stop()
    assert other_store.query("SELECT count() AS rows FROM llm_calls FINAL") == [{"rows": SPANS}]
