"""Finds out which libraries there are, and has them patched: nobody pays for what nobody uses."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

from tokentrace.guard import quietly
from tokentrace.seams.arrivals import Arrivals

if TYPE_CHECKING:
    from tokentrace.integration import Integration
    from tokentrace.seams.patching import Installation
    from tokentrace.tracing import Tracing

CLIENTS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("anthropic",),
    "azure_ai_inference": ("azure.ai.inference",),
    "bedrock": ("botocore", "aiobotocore"),
    "cerebras": ("cerebras",),
    "claude_agent_sdk": ("claude_agent_sdk",),
    "cohere": ("cohere",),
    "fireworks": ("fireworks",),
    "google_genai": ("google.genai",),
    "groq": ("groq",),
    "huggingface": ("huggingface_hub",),
    "litellm": ("litellm",),
    "mistral": ("mistralai", "mistralai_azure", "mistralai_gcp"),
    "ollama": ("ollama",),
    "openai": ("openai",),
    "together": ("together",),
    "xai": ("xai_sdk",),
}
"""Modules of `tokentrace.clients`, by the packages whose import brings them in."""
FRAMEWORKS: Mapping[str, tuple[str, ...]] = {
    "ag2": ("ag2",),
    "agent_framework": ("agent_framework", "agent_framework_orchestrations"),
    "autogen": ("autogen_core", "autogen_agentchat"),
    "crewai": ("crewai",),
    "dspy": ("dspy",),
    "google_adk": ("google.adk",),
    "haystack": ("haystack",),
    "langchain": ("langchain_core",),
    "langgraph": ("langgraph",),
    "llama_index": ("llama_index.core", "llama_index_instrumentation", "workflows"),
    "mcp": ("mcp",),
    "openai_agents": ("agents",),
    "pydantic_ai": ("pydantic_ai", "pydantic_graph"),
    "smolagents": ("smolagents",),
    "strands": ("strands",),
}
"""Modules of `tokentrace.frameworks`, likewise."""
_SUPPORTED: Mapping[str, tuple[str, ...]] = {
    **{f"clients.{client}": packages for client, packages in CLIENTS.items()},
    **{f"frameworks.{framework}": packages for framework, packages in FRAMEWORKS.items()},
}

_lock = threading.Lock()
_wanted: tuple[Tracing, Mapping[str, str]] | None = None
_current: Installation | None = None
_arrivals: Arrivals | None = None


def install(tracing: Tracing, hosts: Mapping[str, str]) -> None:
    """Meter every supported library, imported already or later."""
    global _wanted, _arrivals  # noqa: PLW0603  (import hooks cannot be taken back, so they ask who is current)
    _wanted = tracing, hosts
    _arrivals = Arrivals((package for packages in _SUPPORTED.values() for package in packages), _arrive)
    _arrivals.begin()
    for library, packages in _SUPPORTED.items():
        if not sys.modules.keys().isdisjoint(packages):
            with quietly("preparing for a library"):
                _bring(library)


def current() -> Installation | None:
    """The wrappers that are on now; None where there is no library to put them on."""
    return _current


def uninstall() -> None:
    """Take off every wrapper that `install` has put on."""
    global _wanted, _current  # noqa: PLW0603
    if _arrivals is not None:
        _arrivals.end()
    _wanted = None
    if _current is not None:
        _current.undo()
        _current = None


def integrations() -> tuple[Integration, ...]:
    """All libraries that we know."""
    return tuple(map(_integration, _SUPPORTED))


@functools.cache
def _integration(library: str) -> Integration:
    return cast("Integration", import_module(f"tokentrace.{library}").INTEGRATION)


def _arrive(package: str) -> None:
    for library, packages in _SUPPORTED.items():
        if package in packages:
            _bring(library)


def _bring(library: str) -> None:
    """Watch for the modules of a library, and patch those that are there."""
    global _current  # noqa: PLW0603
    # With the first library comes all that its calls need, and not while they are made.
    from tokentrace.seams import patching  # noqa: PLC0415

    with _lock:
        if _current is None and _wanted is not None:
            _current = patching.Installation(*_wanted)
    patching.watch(library, _integration(library), _patch)


def _patch(module: ModuleType, name: str) -> None:
    if _current is not None:
        _current.patch(module, name)
