"""Frameworks whose runs are told by others than us, and who tells them: an instrumentor of the framework, one of the client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from behaviour.peers.known import PEERS
from behaviour.rivals.known import GENAI, INFERENCE, OPENLLMETRY
from behaviour.rivals.rival import instrumentors, is_there
from opentelemetry.sdk.trace import TracerProvider

from frameworks.peers import natives
from frameworks.runs.run import Run

(OURS,) = (peer for peer in PEERS if peer.name == "tokentrace")


@dataclass(frozen=True, slots=True)
class Part:
    """What is switched on by itself."""

    module: str
    on: Callable[[TracerProvider], object]


@dataclass(frozen=True, slots=True)
class Peer:
    """An instrumentation, whose parts are switched on one after the other."""

    name: str
    parts: tuple[Part, ...]

    @property
    def is_installed(self) -> bool:
        """Whether this environment has all of it."""
        return all(is_there(part.module) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework, and those who instrument it."""

    name: str
    module: str
    peers: Sequence[Peer]
    client: str = "openai"
    """The module that it asks through."""

    @property
    def here(self) -> list[Peer]:
        """Ourselves and all of them, in the environment that is made for that; none where one is missing."""
        are_there = is_there(self.module) and all(peer.is_installed for peer in self.peers)
        return [Peer(OURS.name, (Part(OURS.module, OURS.on),)), *self.peers] if are_there else []

    def runs(self) -> tuple[Run, ...]:
        """What it is asked to do; the framework is imported by then."""
        runs: tuple[Run, ...] = import_module(f"frameworks.runs.{self.name}").RUNS
        return runs


def _of(name: str, package: str, *paths: str) -> Peer:
    """One whose instrumentors are in modules of one package, each told as `module:Class`."""
    parts = [f"{package}.{path}" for path in paths]
    return Peer(name, tuple(Part(path.partition(":")[0], instrumentors(path)) for path in parts))


def _openllmetry(of_framework: str, of_client: str = "openai:OpenAIInstrumentor") -> Peer:
    return _of("OpenLLMetry", OPENLLMETRY, of_framework, of_client)


def _openinference(of_framework: str, of_client: str = "openai:OpenAIInstrumentor") -> Peer:
    return _of("OpenInference", INFERENCE, of_framework, of_client)


def _genai(of_framework: str, of_client: str = "openai:OpenAIInstrumentor") -> Peer:
    return _of("OpenTelemetry GenAI", GENAI, of_framework, of_client)


FRAMEWORKS: tuple[Framework, ...] = (
    Framework(
        "langchain",
        "langchain",
        (
            _openllmetry("langchain:LangchainInstrumentor"),
            _openinference("langchain:LangChainInstrumentor"),
            _genai("langchain:LangChainInstrumentor"),
        ),
    ),
    Framework(
        "openai_agents",
        "agents",
        (
            _openllmetry("openai_agents:OpenAIAgentsInstrumentor"),
            _openinference("openai_agents:OpenAIAgentsInstrumentor"),
            _genai("openai_agents:OpenAIAgentsInstrumentor"),
        ),
    ),
    Framework(
        "llama_index",
        "llama_index.core",
        (
            _openllmetry("llamaindex:LlamaIndexInstrumentor"),
            _openinference("llama_index:LlamaIndexInstrumentor"),
            _genai("llama_index:LlamaIndexInstrumentor"),
        ),
    ),
    Framework(
        "crewai",
        "crewai",
        (_openllmetry("crewai:CrewAIInstrumentor"), _openinference("crewai:CrewAIInstrumentor")),
    ),
    Framework(
        "haystack",
        "haystack",
        (_openllmetry("haystack:HaystackInstrumentor"), _openinference("haystack:HaystackInstrumentor")),
    ),
    Framework(
        "pydantic_ai",
        "pydantic_ai",
        (
            Peer("Pydantic AI itself", (Part("pydantic_ai", natives.pydantic_ai),)),
            Peer("Logfire", (Part("logfire", natives.logfire), Part("logfire", natives.logfire_client))),
            Peer(
                "OpenInference",
                (
                    Part(f"{INFERENCE}.pydantic_ai", natives.pydantic_ai_translated),
                    Part(f"{INFERENCE}.openai", instrumentors(f"{INFERENCE}.openai:OpenAIInstrumentor")),
                ),
            ),
        ),
    ),
    Framework(
        "smolagents",
        "smolagents",
        (_openinference("smolagents:SmolagentsInstrumentor"), _genai("smolagents:SmolagentsInstrumentor")),
    ),
    Framework(
        "dspy",
        "dspy",
        (
            _openinference("dspy:DSPyInstrumentor", "litellm:LiteLLMInstrumentor"),
            _of("OpenTelemetry GenAI", GENAI, "dspy:DSPyInstrumentor"),
        ),
        client="litellm",
    ),
    Framework(
        "google_adk",
        "google.adk",
        (
            Peer("Google's ADK itself", (Part("google.adk", lambda _: None),)),
            _openinference("google_adk:GoogleADKInstrumentor", "google_genai:GoogleGenAIInstrumentor"),
            _of("OpenTelemetry google-genai", OPENLLMETRY, "google_genai:GoogleGenAiSdkInstrumentor"),
        ),
        client="google.genai",
    ),
    Framework(
        "mcp",
        "mcp",
        (
            Peer("MCP's SDK itself", (Part("mcp", lambda _: None),)),
            _openllmetry("mcp:McpInstrumentor"),
            _openinference("mcp:MCPInstrumentor"),
        ),
    ),
)
