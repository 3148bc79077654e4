"""Every instrumentation that is known to meet us in a process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider

from behaviour.rivals.rival import Off, Rival, instrumentors

OPENAI = ("openai chat", "openai responses")


def _langfuse(provider: TracerProvider) -> Off:
    import langfuse.openai
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    client = langfuse.Langfuse(
        public_key="pk-lf-1", secret_key="-", base_url="http://127.0.0.1:9",
        tracer_provider=provider, span_exporter=InMemorySpanExporter(),
    )  # fmt: skip
    # It has no way back.
    return client.flush


def _logfire(provider: TracerProvider) -> Off:
    import logfire
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    # It has a provider of its own; what it records is looked at through the application's exporter.
    exporter = next(
        (each.span_exporter for each in provider._active_span_processor._span_processors), InMemorySpanExporter()
    )
    told = logfire.configure(
        send_to_logfire=False, console=False, inspect_arguments=False,
        additional_span_processors=[SimpleSpanProcessor(exporter)],
    )  # fmt: skip
    opened = [told.instrument_openai(), told.instrument_anthropic()]

    def off() -> None:
        for each in opened:
            with each:
                pass

    return off


def _openlit(provider: TracerProvider) -> Off:
    import openlit

    # Or it fetches its prices from the network.
    prices = Path(tempfile.mkdtemp()) / "prices.json"
    prices.write_text("{}")
    others = ["httpx", "requests", "urllib", "urllib3", "aiohttp-client", "litellm"]
    openlit.init(pricing_json=str(prices), disable_metrics=True, disable_events=True, disabled_instrumentors=others)
    # What it wraps it leaves wrapped.
    return lambda: None


KNOWN: tuple[Rival, ...] = (
    Rival(
        "OpenLLMetry",
        "opentelemetry.instrumentation.google_generativeai",
        instrumentors(
            "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
            "opentelemetry.instrumentation.google_generativeai:GoogleGenerativeAiInstrumentor",
        ),
        (*OPENAI, "anthropic", "google-genai"),
    ),
    Rival(
        "OpenInference",
        "openinference.instrumentation.openai",
        instrumentors(
            "openinference.instrumentation.openai:OpenAIInstrumentor",
            "openinference.instrumentation.anthropic:AnthropicInstrumentor",
            "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
        ),
        (*OPENAI, "anthropic", "google-genai"),
        puts_back=True,
    ),
    Rival(
        "OpenTelemetry GenAI",
        "opentelemetry.instrumentation.genai.openai",
        instrumentors(
            "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
        ),
        (*OPENAI, "anthropic"),
    ),
    Rival(
        "OpenTelemetry openai-v2",
        "opentelemetry.instrumentation.openai_v2",
        instrumentors("opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor"),
        ("openai chat",),
    ),
    Rival(
        "OpenTelemetry google-genai",
        "opentelemetry.instrumentation.google_genai",
        instrumentors("opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor"),
        ("google-genai",),
    ),
    Rival("Langfuse", "langfuse", _langfuse, OPENAI),
    Rival("Logfire", "logfire", _logfire, (*OPENAI, "anthropic"), puts_back=True),
    Rival("OpenLIT", "openlit", _openlit, (*OPENAI, "anthropic", "google-genai")),
)
