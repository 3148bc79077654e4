"""Everything whose records are compared: what may meet us in a process, what `litellm` brings along, and ourselves."""

from __future__ import annotations

import os
import time

from opentelemetry.sdk.trace import TracerProvider

import tokentrace
from behaviour.doors.all import DOORS
from behaviour.rivals.known import KNOWN
from behaviour.rivals.rival import Off, Rival


def _litellm(provider: TracerProvider) -> Off:
    # Or it writes into the span of the application, which may have ended by then.
    os.environ["USE_OTEL_LITELLM_REQUEST_SPAN"] = "true"
    import litellm
    from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    config = OpenTelemetryConfig(exporter=InMemorySpanExporter())
    litellm.callbacks = [OpenTelemetry(config=config, tracer_provider=provider)]
    return lambda: None


def _tokentrace(provider: TracerProvider) -> Off:
    tokentrace.instrument(tracer_provider=provider)
    return tokentrace.uninstrument


def _settle_litellm() -> None:
    """Let its callbacks come to their end, as they do when a process ends."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
    from litellm.litellm_core_utils.thread_pool_executor import executor

    deadline = time.monotonic() + 5
    while executor._pending_slots._value < executor._max_pending_tasks and time.monotonic() < deadline:
        time.sleep(0.002)
    GLOBAL_LOGGING_WORKER._flush_on_exit()


SETTLE = {"LiteLLM": _settle_litellm, "tokentrace": lambda: tokentrace.flush(10)}
"""How to wait for those that record later."""
PEERS: tuple[Rival, ...] = (
    Rival("tokentrace", "tokentrace", _tokentrace, {door.name: "tokentrace" for door in DOORS}),
    *KNOWN,
    Rival(
        "LiteLLM",
        "litellm.integrations.opentelemetry",
        _litellm,
        dict.fromkeys(("litellm → openai", "litellm → anthropic"), "litellm"),
        goes=False,
    ),
)
