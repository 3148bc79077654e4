"""Every instrumentation that is known to meet us in a process."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider

from behaviour.rivals.rival import Off, Rival, instrumentors, is_there

OPENAI = ("openai chat", "openai responses")
OPENLLMETRY, INFERENCE = "opentelemetry.instrumentation", "openinference.instrumentation"
GENAI = "opentelemetry.instrumentation.genai"


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
    ways = {"openai": told.instrument_openai, "anthropic": told.instrument_anthropic}
    opened = [way() for module, way in ways.items() if is_there(module)]
    others = {
        "opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor": told.instrument_google_genai,
        f"{INFERENCE}.litellm:LiteLLMInstrumentor": told.instrument_litellm,
    }
    borrowed = [path for path in others if is_there(path.partition(":")[0])]
    for path in borrowed:
        others[path]()

    def off() -> None:
        for each in opened:
            with each:
                pass
        for path in borrowed:
            module, _, kind = path.partition(":")
            getattr(import_module(module), kind)().uninstrument()

    return off


def _openlit(provider: TracerProvider) -> Off:
    import openlit

    # Or it fetches its prices from the network.
    prices = Path(tempfile.mkdtemp()) / "prices.json"
    prices.write_text("{}")
    others = ["httpx", "requests", "urllib", "urllib3", "aiohttp-client"]
    openlit.init(pricing_json=str(prices), disable_metrics=True, disable_events=True, disabled_instrumentors=others)
    # What it wraps it leaves wrapped.
    return lambda: None


def _named(package: str, **doors: str) -> dict[str, str]:
    """The doors whose clients are instrumented by modules of one package."""
    named = {
        "openai": OPENAI,
        "google": ("google-genai",),
        "bedrock": ("boto3",),
        "litellm": ("litellm → openai", "litellm → anthropic"),
    }
    return {door: f"{package}.{module}" for client, module in doors.items() for door in named.get(client, (client,))}


KNOWN: tuple[Rival, ...] = (
    Rival(
        "OpenLLMetry",
        "opentelemetry.instrumentation.google_generativeai",
        instrumentors(
            "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
            "opentelemetry.instrumentation.google_generativeai:GoogleGenerativeAiInstrumentor",
            "opentelemetry.instrumentation.groq:GroqInstrumentor",
            "opentelemetry.instrumentation.bedrock:BedrockInstrumentor",
        ),
        _named(
            OPENLLMETRY,
            openai="openai",
            anthropic="anthropic",
            google="google_generativeai",
            groq="groq",
            bedrock="bedrock",
        ),
    ),
    Rival(
        "OpenInference",
        "openinference.instrumentation.openai",
        instrumentors(
            "openinference.instrumentation.openai:OpenAIInstrumentor",
            "openinference.instrumentation.anthropic:AnthropicInstrumentor",
            "openinference.instrumentation.google_genai:GoogleGenAIInstrumentor",
            "openinference.instrumentation.groq:GroqInstrumentor",
            "openinference.instrumentation.mistralai:MistralAIInstrumentor",
            "openinference.instrumentation.bedrock:BedrockInstrumentor",
            "openinference.instrumentation.litellm:LiteLLMInstrumentor",
        ),
        _named(
            INFERENCE,
            openai="openai",
            anthropic="anthropic",
            google="google_genai",
            groq="groq",
            mistral="mistralai",
            bedrock="bedrock",
            litellm="litellm",
        ),
        puts_back=True,
    ),
    Rival(
        "OpenTelemetry GenAI",
        "opentelemetry.instrumentation.genai.openai",
        instrumentors(
            "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
            "opentelemetry.instrumentation.genai.bedrock:BedrockInstrumentor",
        ),
        _named(GENAI, openai="openai", anthropic="anthropic", bedrock="bedrock"),
    ),
    Rival(
        "OpenTelemetry openai-v2",
        "opentelemetry.instrumentation.openai_v2",
        instrumentors("opentelemetry.instrumentation.openai_v2:OpenAIInstrumentor"),
        {"openai chat": "opentelemetry.instrumentation.openai_v2"},
    ),
    Rival(
        "OpenTelemetry google-genai",
        "opentelemetry.instrumentation.google_genai",
        instrumentors("opentelemetry.instrumentation.google_genai:GoogleGenAiSdkInstrumentor"),
        {"google-genai": "opentelemetry.instrumentation.google_genai"},
    ),
    Rival("Langfuse", "langfuse", _langfuse, dict.fromkeys(OPENAI, "langfuse.openai"), goes=False),
    Rival(
        "Logfire",
        "logfire",
        _logfire,
        dict.fromkeys((*OPENAI, "anthropic"), "logfire")
        | {"google-genai": "opentelemetry.instrumentation.google_genai"}
        | _named(INFERENCE, litellm="litellm"),
        puts_back=True,
    ),
    Rival(
        "OpenLIT",
        "openlit",
        _openlit,
        _named(
            "openlit.instrumentation",
            openai="openai",
            anthropic="anthropic",
            google="google_ai_studio",
            groq="groq",
            bedrock="bedrock",
            litellm="litellm",
        ),
        goes=False,
    ),
)
