"""Agents, however they are run, their tools and toolsets, and the validators of their output.

Every way to run an agent opens `Agent.iter`, and every tool is called by the tool manager, whose functions have changed
their names and places.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import wrapt

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.putting import put
from tokentrace.reading import dig
from tokentrace.section import Entry, Section, begin

_UNNAMED = "agent"
_DEFERRED = frozenset({"ApprovalRequired", "CallDeferred"})
"""Raised by a tool that is to run later, or somewhere else."""


class _Run(wrapt.ObjectProxy[Any]):
    """The context manager of a run; what happens in it is inside of a section."""

    _self_section: Section | None = None
    _self_entry: Entry | None = None

    def __init__(self, wrapped: Any, call: Call) -> None:
        super().__init__(wrapped)
        self._self_call = call

    async def __aenter__(self) -> Any:
        with quietly("beginning a section"):
            self._self_section = begin(self._self_call.instance.name or _UNNAMED, "agent")
            if self._self_section is not None:
                self._self_entry = self._self_section.enter()
        try:
            run = await self.__wrapped__.__aenter__()
        except BaseException as error:
            self._end(error)
            raise
        with quietly("describing a section"):
            self._describe(run)
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


def _iterated(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    manager = wrapped(*args, **kwargs)
    with quietly("wrapping a run"):
        return _Run(manager, Call(instance, args, kwargs))
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


_CALLS = put(("ToolManager.execute_tool_call", _called), ("ToolManager._call_function_tool", _called))
"""A release has one of them."""

INTEGRATION = Integration(
    library="pydantic-ai-slim",
    steps=(StepSeam("pydantic_ai._output", "OutputValidator.validate", _validating),),
    attach={
        "pydantic_ai.agent": put(("Agent.iter", _iterated)),
        "pydantic_ai.tool_manager": _CALLS,
        "pydantic_ai._tool_manager": _CALLS,
    },
)
