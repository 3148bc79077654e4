"""Agents, however they are run, their tools and toolsets, validators and rejected outputs, and graphs as workflows.

Every way to run an agent opens `Agent.iter`, and every tool is called by the tool manager, whose functions have changed
their names and places.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import FrameType, TracebackType
from typing import Any

import wrapt

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.kinds import Kind
from tokentrace.request import approvals
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.request.section import Entry, Section, begin
from tokentrace.seams.putting import put
from tokentrace.usage.reading import NOTHING, dig

_OF_AN_AGENT = "GraphAgentState"
"""The state of the graph that an agent is made of, which is none of the application's."""
_DEFERRED = frozenset({"ApprovalRequired", "CallDeferred"})
"""Raised by a tool that is to run later, or somewhere else."""
_UNFIT = frozenset({"ModelRetry", "ToolRetryError", "UnexpectedModelBehavior", "ValidationError"})
"""Raised for an answer that will not do, where the model is not asked again."""


class _Run(wrapt.ObjectProxy[Any]):
    """The context manager of a run; what happens in it is inside of a section."""

    _self_section: Section | None = None
    _self_entry: Entry | None = None

    def __init__(self, wrapped: Any, call: Call, kind: Kind) -> None:
        super().__init__(wrapped)
        self._self_call = call
        self._self_kind: Kind = kind

    async def __aenter__(self) -> Any:
        with quietly("beginning a section"):
            self._self_section = begin(self._self_call.instance.name or self._self_kind, self._self_kind)
            if self._self_section is not None:
                self._self_entry = self._self_section.enter()
        try:
            run = await self.__wrapped__.__aenter__()
        except BaseException as error:
            self._end(error)
            raise
        with quietly("describing a section"):
            self._describe(run)
            approvals.answer(_decisions(self._self_call.kwargs.get("deferred_tool_results")))
        return run

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> Any:
        try:
            handled = await self.__wrapped__.__aexit__(kind, error, tb)
        except BaseException as raised:
            self._end(raised)
            raise
        self._end(None if handled else error)
        return handled

    def _describe(self, run: Any) -> None:
        asked = self._self_call.kwargs
        conversation = dig(run, "conversation_id")
        # A run that is part of no conversation is given an id nonetheless.
        if self._self_section is not None and (asked.get("conversation") or asked.get("conversation_id")):
            self._self_section.set({name.CONVERSATION: conversation})

    def _end(self, error: BaseException | None) -> None:
        with quietly("ending a section"):
            if self._self_entry is not None:
                self._self_entry.leave()
            if self._self_section is not None:
                self._self_section.end(error)


def _decisions(answered: Any) -> dict[str, str]:
    """What was decided of the calls of tools that a run had left to a person."""
    decided: Mapping[str, Any] = dig(answered, "approvals") or NOTHING
    return {call: "approved" if _is_approval(told) else "rejected" for call, told in decided.items()}


def _is_approval(told: Any) -> bool:
    return told is True or type(told).__name__ == "ToolApproved"


def _deferred(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    wrapped(*args, **kwargs)
    with quietly("noting calls that wait for approval"):
        approvals.ask(*(call.tool_call_id for call in instance.approvals))


def _iterated(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    return _within(wrapped(*args, **kwargs), Call(instance, args, kwargs), "agent")


def _graphed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    manager = wrapped(*args, **kwargs)
    if type(kwargs.get("state")).__name__ == _OF_AN_AGENT:
        return manager
    with quietly("naming a graph"):
        if kwargs.get("infer_name", True) and instance.name is None:
            # It takes the name of the variable that it finds itself in, two calls up, and there are three with ours.
            instance.name = _variable(instance, inspect.currentframe())
    return _within(manager, Call(instance, args, kwargs), "workflow")


def _variable(held: Any, frame: FrameType | None) -> str | None:
    """What holds it, where the function of a frame was called."""
    if frame is None or (caller := frame.f_back) is None:
        return None
    for variables in (caller.f_locals, caller.f_globals):
        for variable, value in variables.items():
            if value is held:
                return variable
    return None


def _within(manager: Any, call: Call, kind: Kind) -> Any:
    with quietly("wrapping a run"):
        return _Run(manager, call, kind)
    return manager


def _tool(call: Call) -> Section | None:
    asked = call.arg(0, "validated") or call.arg(0, "call")
    # An output that is written as the call of a tool calls none.
    if dig(asked, "tool", "tool_def", "kind") == "output":
        return None
    used = dig(asked, "call") or asked
    return begin(used.tool_name, "tool", attributes={name.TOOL_CALL: used.tool_call_id})


async def _called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    section = None
    with quietly("beginning a section"):
        section = _tool(Call(instance, args, kwargs))
    if section is None:
        return await wrapped(*args, **kwargs)
    try:
        with section.current():
            result = await wrapped(*args, **kwargs)
    except BaseException as error:
        section.end(None if type(error).__name__ in _DEFERRED else error)
        raise
    section.end()
    return result


def _validating(call: Call) -> Work | None:
    if dig(call.arg(1, "run_context"), "partial_output") is True:
        # A streamed output is validated with every piece of it.
        return None
    return Work("step", call.instance.function.__name__, "verify")


def _went_on(end: End) -> Rejected | None:
    """An answer that was for nothing: it is no final result, and has called no tool."""
    is_final = end.error is None and type(end.result).__name__ == "End"
    if is_final or (end.error is not None and not _is_unfit(end.error)):
        return None
    response = end.call.instance.model_response
    tools = end.call.arg(0, "ctx").deps.tool_manager
    for asked in response.tool_calls:
        if dig(tools.get_tool_def(asked.tool_name), "kind") != "output":
            return None
    return _rejected(response)


def _unfit(end: End) -> Rejected | None:
    """A streamed output that is complete and invalid, which is not asked for again."""
    if end.error is None or end.call.kwargs.get("allow_partial") or not _is_unfit(end.error):
        return None
    return _rejected(end.call.arg(0, "message"))


def _is_unfit(error: BaseException) -> bool:
    return not {each.__name__ for each in type(error).__mro__}.isdisjoint(_UNFIT)


def _rejected(response: Any) -> Rejected:
    # What it has of Bedrock is the id of the request.
    is_named = dig(response, "provider_name") != "bedrock"
    return Rejected(response_id=dig(response, "provider_response_id") if is_named else None)


_CALLS = (("ToolManager.execute_tool_call", _called), ("ToolManager._call_function_tool", _called))
"""A release has one of them."""

INTEGRATION = Integration(
    library="pydantic-ai-slim",
    steps=(StepSeam("pydantic_ai._output", "OutputValidator.validate", _validating),),
    attach={
        "pydantic_ai.agent": put(("Agent.iter", _iterated)),
        "pydantic_ai.tools": put(("DeferredToolRequests.__init__", _deferred)),
        "pydantic_ai._agent_graph": put(("CallToolsNode.run", judged(_went_on))),
        "pydantic_ai.result": put(("AgentStream.validate_response_output", judged(_unfit))),
        "pydantic_ai.tool_manager": put(*_CALLS),
        "pydantic_ai._tool_manager": put(*_CALLS),
        "pydantic_graph.graph": put(("Graph.iter", _graphed)),
        "pydantic_graph.beta.graph": put(("Graph.iter", _graphed)),
        "pydantic_graph.graph_builder": put(("Graph.iter", _graphed)),
    },
)
