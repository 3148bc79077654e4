"""Faults on the way from the official exporters to a collector: what was acknowledged is stored, and counts once."""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from outage import JavaScript, installed
from process import until
from proxy import ANSWERED, Fault, Proxy, faults

from tokentrace_collector.config import Config
from tokentrace_collector.journal.entries import Journal, JournalFullError
from tokentrace_collector.receive.pace import Pace, TooFastError
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    where = f"{empty_store.address}&directory={tmp_path}"
    with Collector(Config(store=where, http_port=0, grpc_port=0, api_port=0, batch_seconds=0.05)) as running:
        yield running


@pytest.fixture
def through(collector: Collector) -> Iterator[Callable[[str], Proxy]]:
    """A proxy to a port of the collector."""
    opened: list[Proxy] = []

    def open_(protocol: str) -> Proxy:
        target = collector.addresses.otlp_grpc if protocol == "grpc" else collector.addresses.otlp_http
        opened.append(Proxy(target, lambda: collector.counters.snapshot()["requests"]))
        return opened[-1]

    yield open_
    for proxy in opened:
        proxy.close()


def exporter(protocol: str, address: str, seconds: float) -> SpanExporter:
    if protocol == "grpc":
        # Else gRPC may go on with the connection of the exporter before, which no fault befalls any more.
        own = (("grpc.use_local_subchannel_pool", 1),)
        return GrpcExporter(address, insecure=True, timeout=seconds, channel_options=own)
    return HttpExporter(f"http://{address}/v1/traces", timeout=seconds)


def spans(number: int) -> list[ReadableSpan]:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    made = [tracer.start_span(f"marked {number} {each}") for each in range(3)]
    for span in made:
        span.end()
    return [span for span in made if isinstance(span, ReadableSpan)]


def copies(collector: Collector, store: Store) -> dict[str, tuple[int, int]]:
    """Of every span by name: how often it is there raw, and how often it counts."""
    until(lambda: collector._is_open)
    assert collector.flush(60)
    raw = store.query("SELECT SpanName AS name, count() AS copies FROM otel_traces GROUP BY name")
    calls = store.query("SELECT name, count() AS copies FROM llm_calls FINAL GROUP BY name")
    counts = {row["name"]: row["copies"] for row in calls}
    return {row["name"]: (row["copies"], counts.get(row["name"], 0)) for row in raw}


@pytest.mark.fault("connection faults")
@pytest.mark.fault("duplicate OTLP retry")
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_whatever_happens_on_the_way_loses_and_doubles_nothing(
    collector: Collector,
    through: Callable[[str], Proxy],
    empty_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
):
    monkeypatch.setattr(random, "uniform", lambda *_: 0.02)  # The exporters' patience.
    proxy = through(protocol)
    acknowledged: set[str] = set()
    answered: set[str] = set()
    for number, fault in enumerate(faults(random.Random(protocol), times=3)):
        proxy.faults.append(fault)
        batch = spans(number)
        for _ in range(20):
            with closing(Ending(exporter(protocol, proxy.address, 1.0))) as sender:
                if sender.exporter.export(batch) is SpanExportResult.SUCCESS:
                    break
        else:
            pytest.fail(f"{fault} is never over.")
        names = {span.name for span in batch}
        acknowledged |= names
        answered |= names if fault.kind in ANSWERED else set()
    stored = copies(collector, empty_store)
    assert stored.keys() == acknowledged
    assert {name for name, (_, counted) in stored.items() if counted != 1} == set()
    # Else nothing went wrong after all.
    assert {name for name in answered if stored[name][0] < 2} == set()


class Ending:
    def __init__(self, one: SpanExporter) -> None:
        self.exporter = one

    def close(self) -> None:
        self.exporter.shutdown()


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Makes the collector refuse: once because of its pace, then so many times because its journal is full."""

    def refuse(times: int) -> list[str]:
        refused: list[str] = []
        enter, append = Pace.enter, Journal.append

        def enter_later(pace: Pace, name: str) -> None:
            if "pace" not in refused:
                refused.append("pace")
                raise TooFastError("Come again.", 1)
            enter(pace, name)

        def append_later(journal: Journal, entry):
            if refused.count("journal") < times:
                refused.append("journal")
                raise JournalFullError("The journal is full.")
            return append(journal, entry)

        monkeypatch.setattr(Pace, "enter", enter_later)
        monkeypatch.setattr(Journal, "append", append_later)
        return refused

    return refuse


CLIENTS = ("python http", "python grpc", "javascript http", "javascript proto")


def send(client: str, address: str, names: list[str], seconds: float = 10) -> bool:
    """Whether an official client, with its own patience, delivered the spans."""
    language, protocol = client.split()
    if language == "javascript":
        return JavaScript(installed()).send(protocol, f"http://{address}/v1/traces", names, seconds)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    batch = [tracer.start_span(name) for name in names]
    for span in batch:
        span.end()
    with closing(Ending(exporter(protocol, address, seconds))) as sender:
        return sender.exporter.export(batch) is SpanExportResult.SUCCESS


@pytest.mark.fault("sender through an outage")
@pytest.mark.parametrize("client", CLIENTS)
def test_an_official_client_outlasts_a_short_outage(
    collector: Collector,
    through: Callable[[str], Proxy],
    empty_store: Store,
    outage: Callable[[int], list[str]],
    client: str,
):
    """Nobody is there, then a pace that is kept to, then a journal that is full, then all is well."""
    proxy = through(client.split()[1])
    proxy.faults.append(Fault("refuses"))
    refused = outage(1)
    names = [f"marked {number}" for number in range(5)]
    assert send(client, proxy.address, names, seconds=30)
    assert (list(proxy.faults), refused) == ([], ["pace", "journal"])
    assert copies(collector, empty_store) == dict.fromkeys(names, (1, 1))


@pytest.mark.fault("sender through an outage")
@pytest.mark.parametrize("client", CLIENTS)
def test_an_official_client_gives_up_when_its_time_is_over(
    collector: Collector,
    through: Callable[[str], Proxy],
    empty_store: Store,
    outage: Callable[[int], list[str]],
    client: str,
):
    """And says so; it keeps nothing for later."""
    refused = outage(1_000)
    proxy = through(client.split()[1])
    assert not send(client, proxy.address, ["marked lost"], seconds=2)
    assert refused
    assert copies(collector, empty_store) == {}


@pytest.mark.fault("connection faults")
def test_a_sender_that_fell_silent_holds_up_no_other(collector: Collector, through: Callable[[str], Proxy]):
    proxy = through("http")
    proxy.faults.extend([Fault("falls silent", at) for at in range(1, 200, 20)])
    while proxy.faults:
        with closing(Ending(exporter("http", proxy.address, 0.05))) as sender:
            sender.exporter.export(spans(0))
    assert send("python http", proxy.address, ["marked well"], seconds=30)
    until(lambda: collector.counters.snapshot()["requests"] >= 1)
