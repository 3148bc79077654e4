"""What one instrumentation costs: run by `peers.py`, with the interpreter of an environment that has it.

Prints a line of JSON: CPU of setting it up, modules that this loads, CPU of a call and of streams, of the whole
process. The real client asks an in-process transport, and spans go through one batch processor to nobody: that of the
application, or of the peer.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import openai
from answers import ANSWER, CONVERSATION, events
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter  # noqa: F401  (every peer sends by it)
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind

ROUNDS = 20
CALLS = 15
STREAMS = 3
FEW, MANY = 20, 220
SPAN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.response.model": "gpt-5-2025-08-07",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ("stop",),
    **{f"tokentrace.usage.{number}": number for number in range(15)},
}
"""As many attributes as a call of ours has."""


class Nobody(SpanExporter):
    """Takes spans and does nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def application() -> TracerProvider:
    """The provider of an application that has one."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nobody(), max_queue_size=100_000))
    trace.set_tracer_provider(provider)
    return provider


def tokentrace() -> None:
    importlib.import_module("tokentrace").instrument(tracer_provider=application())


def tokentrace_alone() -> None:
    # What it does by default, in an application without tracing of its own.
    importlib.import_module("tokentrace").instrument(exporter=Nobody())


def instrumentor(module: str) -> Callable[[], None]:
    """Sets up a package with OpenTelemetry's interface of instrumentations."""

    def set_up() -> None:
        provider = application()
        importlib.import_module(module).OpenAIInstrumentor().instrument(tracer_provider=provider)

    return set_up


def langfuse() -> None:
    provider = application()
    keys = {"public_key": "pk-none", "secret_key": "sk-none", "base_url": "http://127.0.0.1:9"}
    importlib.import_module("langfuse").Langfuse(**keys, tracer_provider=provider, span_exporter=Nobody())
    importlib.import_module("langfuse.openai")


def logfire() -> None:
    application()
    package = importlib.import_module("logfire")
    package.configure(send_to_logfire=False, console=False, additional_span_processors=[BatchSpanProcessor(Nobody())])
    package.instrument_openai()


def openlit() -> None:
    application()
    importlib.import_module("openlit").init(
        disable_metrics=True,
        otlp_endpoint="http://127.0.0.1:9",
        disabled_instrumentors=["httpx", "requests", "urllib", "urllib3", "aiohttp-client"],
    )


PEERS: dict[str, Callable[[], object]] = {
    "nothing": application,
    "a bare span": application,
    "tokentrace": tokentrace,
    "tokentrace alone": tokentrace_alone,
    "OpenTelemetry GenAI": instrumentor("opentelemetry.instrumentation.genai.openai"),
    "OpenInference": instrumentor("openinference.instrumentation.openai"),
    "OpenLLMetry": instrumentor("opentelemetry.instrumentation.openai"),
    "Langfuse": langfuse,
    "Logfire": logfire,
    "OpenLIT": openlit,
}


def main(peer: str) -> None:
    """Set the peer up, measure, print."""
    modules, began = len(sys.modules), time.process_time_ns()
    PEERS[peer]()
    measured: dict[str, float] = {
        "setup": (time.process_time_ns() - began) / 1e6,
        "modules": len(sys.modules) - modules,
    }
    client = _client()
    tracer = trace.get_tracer("bench")

    def ask(chunks: int) -> None:
        create: Any = client.chat.completions.create
        if chunks:
            options = {"stream_options": {"include_usage": True}, "extra_headers": {"x-chunks": str(chunks)}}
            for _ in create(model="gpt-5", messages=CONVERSATION, stream=True, **options):
                pass
        else:
            create(model="gpt-5", messages=CONVERSATION)

    def run(chunks: int) -> None:
        if peer == "a bare span":
            with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT, attributes=SPAN):
                ask(chunks)
        else:
            ask(chunks)

    measured["call"] = _least(lambda: run(0), CALLS)
    measured["few"], measured["many"] = (_least(lambda chunks=chunks: run(chunks), STREAMS) for chunks in (FEW, MANY))
    print(json.dumps(measured), flush=True)
    # Whoever sends to nobody may wait long for it at the end.
    os._exit(0)


def _client() -> openai.OpenAI:
    world: Any = sys.modules.get("httpx2") or sys.modules["httpx"]
    bodies = {str(chunks): b"".join(events(chunks)) for chunks in (FEW, MANY)}

    def answer(request: Any) -> Any:
        if body := bodies.get(request.headers.get("x-chunks")):
            pieces = (part + b"\n\n" for part in body.split(b"\n\n") if part)
            return world.Response(200, headers={"content-type": "text/event-stream"}, content=pieces)
        return world.Response(200, json=ANSWER)

    return openai.OpenAI(api_key="none", max_retries=0, http_client=world.Client(transport=world.MockTransport(answer)))


def _least(run: Callable[[], object], times: int) -> float:
    """Microseconds of CPU of the process per run, the best of many short rounds."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(times):
            run()
        rounds.append((time.process_time_ns() - began) / times / 1000)
    return min(rounds)


if __name__ == "__main__":
    main(sys.argv[1])
