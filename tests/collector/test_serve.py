"""The collector through its ports, with the real exporters."""

import json
import os
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from tokentrace_collector.config import Config, ConfigError
from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.lock import InUseError
from tokentrace_collector.journal.progress import Progress
from tokentrace_collector.journal.segment import Entry, Writer
from tokentrace_collector.listener import PortError
from tokentrace_collector.reports.documents.upkeep import RollupOutcome, Task
from tokentrace_collector.rollup.rolling import Roll
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store, StoreError


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    with Collector(config_of(empty_store, tmp_path, batch_seconds=0.05)) as running:
        yield running


def config_of(store: Store, directory: Path, *, batch_seconds: float) -> Config:
    where = f"{store.address}&directory={directory}"
    return Config(store=where, http_port=0, grpc_port=0, api_port=0, batch_seconds=batch_seconds)


def spans(collector: Collector, store: Store) -> list[dict[str, object]]:
    assert collector.flush(30)
    return store.query("SELECT SpanName, ServiceName, SpanAttributes FROM otel_traces ORDER BY SpanName")


FLAT = {"count": 1, "list": ["a", "b"]}


def export(exporter: SpanExporter, *names: str, attributes: dict[str, Any] = FLAT) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "agent"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for name in names:
        with provider.get_tracer("test").start_as_current_span(name, attributes=attributes):
            pass
    provider.shutdown()


EXPORTERS: dict[str, Callable[[Collector], SpanExporter]] = {
    "http": lambda to: HttpExporter(f"{to.addresses.otlp_http}/v1/traces"),
    "http gzip": lambda to: HttpExporter(f"{to.addresses.otlp_http}/v1/traces", compression=Compression.Gzip),
    "http deflate": lambda to: HttpExporter(f"{to.addresses.otlp_http}/v1/traces", compression=Compression.Deflate),
    "grpc": lambda to: GrpcExporter(to.addresses.otlp_grpc, insecure=True),
}


@pytest.mark.parametrize("kind", EXPORTERS)
def test_what_the_real_exporters_send_is_stored(collector: Collector, empty_store: Store, kind: str):
    export(EXPORTERS[kind](collector), "plan", "answer")
    attributes = {"count": "1", "list": '["a","b"]'}
    assert spans(collector, empty_store) == [
        {"SpanName": "answer", "ServiceName": "agent", "SpanAttributes": attributes},
        {"SpanName": "plan", "ServiceName": "agent", "SpanAttributes": attributes},
    ]


@pytest.mark.fault("full disk")
def test_a_disk_that_is_full_for_a_moment_stops_nothing(
    collector: Collector, empty_store: Store, monkeypatch: pytest.MonkeyPatch
):
    """The note of progress is tried again, before a batch and after it."""
    save, refusals = Progress.save, [OSError(28, "No space left on device")] * 2

    def reluctant(progress: Progress, path: Path) -> None:
        if refusals and (bool(progress.cut) == (len(refusals) == 2)):
            raise refusals.pop()
        save(progress, path)

    monkeypatch.setattr(Progress, "save", reluctant)
    export(EXPORTERS["http"](collector), "answer")
    assert [row["SpanName"] for row in spans(collector, empty_store)] == ["answer"]
    assert refusals == []


@pytest.mark.fault("duplicate OTLP retry")
def test_a_batch_sent_again_is_one_set_of_calls(collector: Collector, empty_store: Store):
    exporter = EXPORTERS["http"](collector)
    again = SentTwice(exporter)
    export(again, "answer")
    assert len(spans(collector, empty_store)) == 2
    assert empty_store.query("SELECT count() AS calls FROM llm_calls FINAL") == [{"calls": 1}]


def test_nested_values_cost_the_engine_one_batch_only(collector: Collector, empty_store: Store):
    for _ in range(2):
        export(EXPORTERS["http"](collector), "nested", attributes={"map": {"depth": 2}})
        nested = spans(collector, empty_store)
    counts = collector.counters.snapshot()
    assert [row["SpanAttributes"]["map"] for row in nested] == ['{"depth":2}'] * 2
    assert (counts["batches_stored"], counts["batches_read_by_python"]) == (2, 1)


def test_the_address_file_tells_where_the_collector_answers(collector: Collector):
    told = json.loads((collector.directory / "collector.json").read_text())
    assert told == {"pid": os.getpid(), **asdict(collector.addresses)}


def test_health_and_metrics_tell_what_was_stored(collector: Collector, empty_store: Store):
    export(EXPORTERS["http"](collector), "answer")
    spans(collector, empty_store)
    ready = json.loads(get(collector, "/readyz"))
    assert (ready["status"], ready["backlog"]["entries"], ready["counts"]["spans_stored"]) == ("ok", 0, 1)
    assert json.loads(get(collector, "/healthz")) == {"status": "ok", "problems": []}
    assert "\ntokentrace_collector_spans_stored_total 1\n" in get(collector, "/metrics")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_health_tells_when_nobody_writes_the_journal(collector: Collector, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Writer, "append", lambda *_: sys.exit())
    collector._journal.append(Entry("default", b"", "", spans=1, size=0, received=0))
    collector._journal._appender._thread.join(30)
    with pytest.raises(urllib.error.HTTPError) as raised:
        get(collector, "/healthz")
    assert json.loads(raised.value.read())["problems"] == ["A worker has died: the journal's writer."]
    raised.value.close()


def test_a_taken_port_is_told_and_leaves_the_store_free(collector: Collector, tmp_path: Path):
    port = int(collector.addresses.otlp_http.rpartition(":")[2])
    other = Config(store=f"chdb://{tmp_path}/other", http_port=port, grpc_port=0, api_port=0)
    with pytest.raises(PortError, match=f"Cannot listen for OTLP/HTTP on 127.0.0.1:{port}"):
        Collector(other).start()
    Journal(tmp_path / "other" / "journal").close()


@pytest.mark.fault("two collectors on one journal")
def test_a_second_collector_on_the_store_is_refused(collector: Collector):
    with pytest.raises(InUseError, match="is in use by the collector with process id"):
        Collector(replace(collector.config, http_port=0)).start()


def test_a_stopped_collector_has_stored_all_and_forgotten_its_address(empty_store: Store, tmp_path: Path):
    config = config_of(empty_store, tmp_path, batch_seconds=3600)
    with Collector(config) as collector:
        export(EXPORTERS["http"](collector), "answer")
    assert empty_store.query("SELECT SpanName FROM otel_traces") == [{"SpanName": "answer"}]
    assert not (tmp_path / "collector.json").exists()


def test_a_rollup_on_demand_sees_what_was_just_accepted(empty_store: Store, tmp_path: Path):
    counted: list[int] = []

    def rollup(store: Store) -> Roll:
        def roll(_what: Task) -> RollupOutcome:
            counted.append(store.query("SELECT count() AS spans FROM otel_traces")[0]["spans"])
            return {
                "traces": 1,
                "seconds": 0.0,
                "unpriced": 0,
                "unread": 0,
                "late": 0,
                "undecided": 0,
                "verified": None,
            }

        return roll

    with Collector(config_of(empty_store, tmp_path, batch_seconds=3600), rollup=rollup) as collector:
        export(EXPORTERS["http"](collector), "answer")
        assert collector.rollup() == {
            "traces": 1,
            "seconds": 0.0,
            "unpriced": 0,
            "unread": 0,
            "late": 0,
            "undecided": 0,
            "verified": None,
        }
    assert counted[0] == 1


@pytest.mark.fault("collector before database")
def test_spans_are_taken_before_the_database_is_there(tmp_path: Path):
    nowhere = f"clickhouse://127.0.0.1:1/costs?directory={tmp_path}"
    config = Config(store=nowhere, http_port=0, grpc_port=0, api_port=0, grace_seconds=0.1)
    with Collector(config) as collector:
        export(EXPORTERS["http"](collector), "answer")
        with pytest.raises(urllib.error.HTTPError) as raised:
            get(collector, "/readyz")
    told = json.loads(raised.value.read())
    assert (raised.value.code, told["problems"][0]) == (503, "The store is not open yet.")
    assert told["backlog"]["entries"] == 1
    raised.value.close()


def test_a_rollup_that_fails_is_told_and_tried_again(empty_store: Store, tmp_path: Path):
    tried = threading.Semaphore(0)

    def rollup(_store: Store) -> Roll:
        def roll(_what: Task) -> RollupOutcome:
            tried.release()
            raise StoreError("no such price")

        return roll

    config = replace(config_of(empty_store, tmp_path, batch_seconds=0.05), rollup_seconds=0.01)
    with Collector(config, rollup=rollup) as collector:
        assert tried.acquire(timeout=30)
        assert tried.acquire(timeout=30)
        with pytest.raises(urllib.error.HTTPError, match="503") as raised:
            get(collector, "/readyz")
    assert json.loads(raised.value.read())["problems"] == ["The rollup failed: no such price"]
    raised.value.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_others_may_send_only_where_that_is_meant(host: str):
    with pytest.raises(ConfigError, match="can be reached by others"):
        Config(host=host)
    assert Config(host=host, insecure=True).host == host


class SentTwice(SpanExporter):
    """Sends everything again, as an exporter does whose answer was lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._exporter.export(spans)
        return self._exporter.export(spans)

    def shutdown(self) -> None:
        self._exporter.shutdown()


def get(collector: Collector, path: str) -> str:
    with urllib.request.urlopen(collector.addresses.api + path) as response:
        return response.read().decode()
