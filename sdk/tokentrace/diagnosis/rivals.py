"""Who else traces calls to models in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from typing import Any

from tokentrace.diagnosis.report import Rival

_COUNTED = "Its spans are recognised by the collector, and each call counts once."
_SILENT = "Its own span of a call stays away while that call is metered."
_ELSEWHERE = "What it records goes elsewhere, and counts nothing twice."

_TRACELOOP = (
    "agno", "alephalpha", "anthropic", "bedrock", "cohere", "crewai", "google_generativeai", "groq", "haystack",
    "langchain", "llamaindex", "mistralai", "ollama", "openai", "openai_agents", "replicate", "sagemaker",
    "together", "transformers", "vertexai", "watsonx", "writer",
)  # fmt: skip
_FAMILIES = {
    "OpenInference": ("openinference.",),
    "OpenLIT": ("openlit.", "openlit"),
    "Langfuse": ("langfuse.", "langfuse-sdk"),
    "Logfire": ("logfire.", "logfire"),
    "OpenTelemetry GenAI": (
        "opentelemetry.instrumentation.genai.",
        "opentelemetry.instrumentation.openai_v2",
        "opentelemetry.instrumentation.google_genai",
        "opentelemetry.instrumentation.openai_agents_v2",
        "opentelemetry.util.genai",
    ),
    "OpenLLMetry": ("traceloop.", *(f"opentelemetry.instrumentation.{library}" for library in _TRACELOOP)),
    "LiteLLM": ("litellm",),
    "Pydantic AI": ("pydantic-ai", "pydantic_ai."),
    "Strands": ("strands",),
    "Google ADK": ("gcp.vertex.agent", "google.adk."),
    "Agent Framework": ("agent_framework",),
    "Semantic Kernel": ("semantic_kernel",),
    "Azure SDK": ("azure.core.tracing.ext.opentelemetry_span",),
    "anthropic itself": ("com.anthropic.",),
    "xai-sdk itself": ("xai_sdk",),
}
"""How their scopes, and the modules of their wrappers, begin; the first match wins."""

_SELF = {"anthropic itself": "anthropic._tracing", "xai-sdk itself": "xai_sdk.telemetry"}
"""Clients that trace themselves, and the module they do it with."""

_MODULES = {
    "Langfuse": "langfuse.openai",
    "Logfire": "logfire._internal.integrations.llm_providers",
    "OpenLIT": "openlit",
    "OpenLLMetry": "traceloop.sdk",
    "Google ADK": "google.adk.telemetry",
    "Strands": "strands.telemetry",
    "OpenAI Agents": "agents.tracing",
    "Agent Framework": "agent_framework.observability",
}
"""Modules that are imported where they trace, of those whose spans the collector knows."""

_OTHERS = {
    "AgentOps": "agentops",
    "Braintrust": "braintrust",
    "Datadog": "ddtrace.llmobs",
    "Helicone": "helicone_async",
    "LangSmith": "langsmith.wrappers",
    "MLflow": "mlflow.tracing",
    "New Relic": "newrelic.agent",
    "Opik": "opik",
    "PostHog": "posthog.ai",
    "Sentry": "sentry_sdk.integrations",
    "Weave": "weave",
}
"""The same, of those that do not send OpenTelemetry spans of models."""


def found(wrappers: Iterable[str], scopes: Iterable[str]) -> tuple[Rival, ...]:
    """All of them, by name: from the authors of foreign wrappers, from scopes, and from what is imported."""
    seen: dict[str, dict[str, None]] = {}
    for name, evidence in _evidence(wrappers, scopes):
        seen.setdefault(name, {})[evidence] = None
    return tuple(Rival(name, tuple(seen[name]), _effect(name)) for name in sorted(seen, key=str.casefold))


def _evidence(wrappers: Iterable[str], scopes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names, and what gives them away."""
    for module in wrappers:
        yield _family(module) or module.partition(".")[0], f"wraps the same functions from {module}"
    told = {
        **{f"scope {scope}": scope for scope in scopes},
        **{module: module for module in _instrumentors()},
        **{f"{package} is installed": module for module, package in _installed()},
    }
    yield from ((name, evidence) for evidence, scope in told.items() if (name := _family(scope)))
    for name, module in (*_SELF.items(), *_MODULES.items(), *_OTHERS.items()):
        if module in sys.modules:
            yield name, module
    if getattr(_class("pydantic_ai", "Agent"), "_instrument_default", False):
        yield "Pydantic AI", "Agent.instrument_all"
    yield from (("LiteLLM", f"callback {each}") for each in _callbacks())


def _effect(name: str) -> str:
    if name in _SELF:
        return _SILENT
    return _COUNTED if name in _FAMILIES or name in _MODULES else _ELSEWHERE


def _family(scope: str) -> str | None:
    for name, beginnings in _FAMILIES.items():
        if any(scope == each or scope.startswith(each.rstrip(".") + ".") for each in beginnings):
            return name
    return None


def _instrumentors() -> Iterator[str]:
    """The modules of OpenTelemetry's instrumentors that are at work."""
    base: Any = getattr(sys.modules.get("opentelemetry.instrumentation.instrumentor"), "BaseInstrumentor", None)
    waiting = [base] if base is not None else []
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if getattr(getattr(kind, "_instance", None), "_is_instrumented_by_opentelemetry", False):
            yield kind.__module__


def _installed() -> Iterator[tuple[str, str]]:
    """The modules that `opentelemetry-instrument` would load, and their distributions."""
    for entry in entry_points(group="opentelemetry_instrumentor"):
        if entry.dist is not None:
            yield entry.module, entry.dist.name


def _callbacks() -> Iterator[str]:
    """Whom litellm tells of its calls."""
    litellm = sys.modules.get("litellm")
    for name in ("callbacks", "success_callback", "_async_success_callback"):
        for each in getattr(litellm, name, None) or ():
            yield each if isinstance(each, str) else f"{type(each).__module__}.{type(each).__qualname__}"


def _class(module: str, name: str) -> Any:
    return vars(sys.modules[module]).get(name) if module in sys.modules else None
