"""Runs, agents and the nodes of workflows, tools, transfers, memory that is searched, history that is compacted.

Its own spans are left as they are: they tell the same tokens, and none of ours is made of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

import wrapt

from tokentrace import attributes as name
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin
from tokentrace.request.structure import follow

_TOOLS = "google.adk.flows.llm_flows.tools."
_FUNCTIONS = "google.adk.flows.llm_flows.functions"
_MEMORY = frozenset({"load_memory", "preload_memory"})


def _run(call: Call) -> Work:
    session = call.kwargs.get("session_id")
    told = {} if session is None else {name.CONVERSATION: session}
    return Work("workflow", call.instance.app_name, attributes=told)


def _agent(call: Call) -> Work:
    return Work("agent", call.instance.name)


def _nodes(module: ModuleType) -> Callable[[], object]:
    """Tell the nodes of workflows, and have what they begin stand below them."""

    def begun(call: Call) -> Section | None:
        kinds = {kind.__name__ for kind in type(call.instance).__mro__}
        # An agent that is a node is told when it begins to work.
        if "BaseAgent" in kinds:
            return None
        section = begin(call.instance.name, "workflow" if "Workflow" in kinds else "step")
        if section is not None:
            _hand_down(section, call.kwargs.get("ctx"))
        return section

    ours = wrapt.wrap_function_wrapper(module, "BaseNode.run", as_section(begun))
    return lambda: wrapt.unwrap_object(module, "BaseNode.run", ours, missing_ok=True)


def _hand_down(section: Section, context: Any) -> None:
    """The nodes that a node begins take as their parent what its context says, not what is running."""
    told = getattr(context, "telemetry_context", None)
    tracing = sys.modules.get("google.adk.telemetry.node_tracing")
    if told is not None and tracing is not None:
        with section.current():
            context._telemetry_context = replace(told, otel_context=tracing.context_api.get_current())


def _tool(call: Call) -> Work:
    tool, context = call.arg(0, "tool"), call.arg(2, "tool_context")
    arguments: Mapping[str, Any] = call.arg(1, "args") or {}
    called = getattr(context, "function_call_id", None)
    told = {} if called is None else {name.TOOL_CALL: called}
    if tool.name == "transfer_to_agent":
        return Work("handoff", str(arguments.get("agent_name", tool.name)), attributes=told)
    if tool.name in _MEMORY:
        return Work("memory", tool.name, attributes={**told, name.OPERATION: "search_memory"})
    return Work("tool", tool.name, attributes=told)


def _compaction(call: Call) -> Work:
    return Work("step", type(call.instance).__name__, role="compact")


def _older_tools(module: ModuleType) -> Callable[[], object]:
    """Earlier releases call all tools from one module, which later ones still have."""
    places = [each for each in ("__call_tool_async", "_call_tool_in_thread_pool") if _is_own(module, each)]
    put = [
        (each, wrapt.wrap_function_wrapper(module, each, follow(StepSeam(_FUNCTIONS, each, _tool)))) for each in places
    ]
    return lambda: [wrapt.unwrap_object(module, each, ours, missing_ok=True) for each, ours in put]


def _is_own(module: ModuleType, place: str) -> bool:
    return getattr(getattr(module, place, None), "__module__", None) == module.__name__


INTEGRATION = Integration(
    library="google-adk",
    steps=(
        StepSeam("google.adk.runners", "Runner.run_async", _run),
        StepSeam("google.adk.agents.base_agent", "BaseAgent.run_async", _agent),
        StepSeam(f"{_TOOLS}_caller", "_call_tool_async", _tool),
        StepSeam(f"{_TOOLS}_live_caller", "_call_tool_async", _tool),
        StepSeam(f"{_TOOLS}_live_caller", "_call_tool_in_thread_pool", _tool),
        StepSeam("google.adk.apps.llm_event_summarizer", "LlmEventSummarizer.maybe_summarize_events", _compaction),
    ),
    attach={_FUNCTIONS: _older_tools, "google.adk.workflow._base_node": _nodes},
)
