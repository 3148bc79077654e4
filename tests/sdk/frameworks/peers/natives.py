"""How those are switched on that have no instrumentor."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider


def pydantic_ai(provider: TracerProvider) -> None:
    """The spans of its own."""
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings

    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))


def pydantic_ai_translated(provider: TracerProvider) -> None:
    """The spans of its own, in the words of OpenInference."""
    from openinference.instrumentation.pydantic_ai import OpenInferenceSpanProcessor

    provider.add_span_processor(OpenInferenceSpanProcessor())
    pydantic_ai(provider)


def logfire(provider: TracerProvider) -> None:
    """Logfire, for the framework of the same makers."""
    import logfire as made

    # It has a provider of its own; what it records is looked at where the application's is.
    made.configure(
        send_to_logfire=False, console=False, inspect_arguments=False,
        additional_span_processors=[provider._active_span_processor],
    )  # fmt: skip
    made.instrument_pydantic_ai()


def logfire_client(_provider: TracerProvider) -> None:
    """Logfire, for the client."""
    import logfire as made

    made.instrument_openai()
