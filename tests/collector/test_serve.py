"""The collector through its ports, with the real exporters."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from tokentrace_collector.config import Config
from tokentrace_collector.serve import Collector
from tokentrace_collector.store import Store


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    dsn = f"{empty_store.address}&directory={tmp_path}"
    config = Config(store=dsn, http_port=0, grpc_port=0, api_port=0, batch_seconds=0.05)
    with Collector(config) as running:
        yield running


def spans(collector: Collector, store: Store) -> list[dict[str, object]]:
    assert collector.flush(30)
    return store.query("SELECT SpanName, ServiceName, SpanAttributes FROM otel_traces ORDER BY SpanName")


def export(exporter: SpanExporter, *names: str) -> None:
    provider = TracerProvider(resource=Resource({"service.name": "agent"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for name in names:
        with provider.get_tracer("test").start_as_current_span(name, attributes={"count": 1, "list": ["a", "b"]}):
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
