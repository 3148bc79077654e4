"""Pipelines as workflows, components as steps or retrievals, agents, tools; what routes, evaluates or compacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import pools

_PIPELINE, _ASYNC = "haystack.core.pipeline.pipeline", "haystack.core.pipeline.async_pipeline"
_AGENT = "haystack.components.agents.agent"
_ROLES = {"routers": "route", "evaluators": "verify"}
"""What the components of a package ask models for."""
_POOLS = (
    "haystack.components.extractors.image.llm_document_content_extractor",
    "haystack.components.extractors.llm_metadata_extractor",
    "haystack.components.retrievers.multi_query_embedding_retriever",
    "haystack.components.retrievers.multi_query_text_retriever",
    "haystack.components.retrievers.multi_retriever",
)
"""Modules whose components ask in threads that know nothing of who has started them."""


def _pipeline(call: Call) -> Work:
    pipeline = call.instance
    metadata: Mapping[str, Any] = getattr(pipeline, "metadata", None) or {}
    return Work("workflow", metadata.get("name") or type(pipeline).__name__)


def _component(call: Call) -> Work | None:
    """A run of a component; an agent tells itself, and before haystack 3 runs its own two parts like components."""
    component: Mapping[str, Any] = call.arg(1, "component")
    kind: type[Any] = component["instance"].__class__
    if list(component) == ["instance"] or _is_agent(kind):
        return None
    title: str = call.arg(0, "component_name")
    packages = {package for each in kind.__mro__ for package in each.__module__.split(".")[:-1]}
    if "retrievers" in packages:
        return Work("retrieval", title)
    return Work("step", title, next((role for package, role in _ROLES.items() if package in packages), None))


def _is_agent(kind: type) -> bool:
    return any(each.__module__ == _AGENT and each.__name__ == "Agent" for each in kind.__mro__)


def _agent(call: Call) -> Work:
    """An agent is called like the component that it is, for it has no name of its own."""
    return Work("agent", getattr(call.instance, "__component_name__", None) or type(call.instance).__name__)


def _tool(call: Call) -> Work:
    return Work("tool", call.instance.name)


def _awaited_tool(call: Call) -> Work | None:
    """A tool; one that cannot be awaited is invoked in a thread, where it tells itself."""
    return None if call.instance.async_function is None else _tool(call)


def _compaction(call: Call) -> Work:
    return Work("step", type(call.instance).__name__, "compact")


INTEGRATION = Integration(
    library="haystack-ai",
    steps=(
        StepSeam(_PIPELINE, "Pipeline.run", _pipeline),
        StepSeam(_PIPELINE, "Pipeline.run_async_generator", _pipeline, is_everywhere=False),
        StepSeam(_PIPELINE, "Pipeline._run_component", _component),
        StepSeam(_PIPELINE, "Pipeline._run_component_async", _component, is_everywhere=False),
        # Before haystack 3, pipelines that could be awaited had a class of their own.
        StepSeam(_ASYNC, "AsyncPipeline.run_async_generator", _pipeline),
        StepSeam(_ASYNC, "AsyncPipeline._run_component_async", _component),
        StepSeam(_AGENT, "Agent.run", _agent),
        StepSeam(_AGENT, "Agent.run_async", _agent),
        StepSeam("haystack.tools.tool", "Tool.invoke", _tool),
        StepSeam("haystack.tools.tool", "Tool.invoke_async", _awaited_tool, is_everywhere=False),
        *(
            StepSeam("haystack.hooks.compaction.summarization", f"SummarizationCompactor.{each}", _compaction)
            for each in ("compact", "compact_async")
        ),
    ),
    attach=dict.fromkeys(_POOLS, pools.carry),
)
