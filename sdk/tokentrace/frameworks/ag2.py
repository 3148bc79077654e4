"""Agents and their turns, tools and subagents, what compacts a history or sums it up for the memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.kinds import Kind
from tokentrace.request.section import Section, begin
from tokentrace.seams.putting import put
from tokentrace.usage.reading import NOTHING


def _begun(title: Callable[[], Any], kind: Kind, told: Callable[[], dict[str, Any]]) -> Section | None:
    with quietly("beginning a section"):
        return begin(str(title()), kind, attributes=told())
    return None


async def _within(section: Section | None, wrapped: Any, args: Any, kwargs: Any) -> Any:
    if section is None:
        return await wrapped(*args, **kwargs)
    try:
        with section.current():
            result = await wrapped(*args, **kwargs)
    except BaseException as error:
        section.end(error)
        raise
    section.end(_failure(result))
    return result


def _failure(result: Any) -> BaseException | None:
    """A tool that fails gives its error back, for the model to read."""
    with quietly("asking for an error"):
        error = getattr(result, "error", None)
        return error if isinstance(error, BaseException) else None
    return None


def _turn(wrapped: Any, agent: Any, args: Any, kwargs: Any) -> Any:
    """A turn of an agent: prepared in one task, perhaps, and driven in another."""

    @asynccontextmanager
    async def scope() -> AsyncGenerator[Any]:
        async with wrapped(*args, **kwargs) as drive:

            async def driven(*more: Any, **named: Any) -> Any:
                conversation = kwargs["context"].stream.id
                section = _begun(lambda: agent.name, "agent", lambda: {name.CONVERSATION: str(conversation)})
                return await _within(section, drive, more, named)

            yield driven

    return scope()


async def _tool(wrapped: Any, tool: Any, args: Any, kwargs: Any) -> Any:
    event = Call(tool, args, kwargs).arg(0, "event")
    return await _within(_begun(lambda: event.name, "tool", lambda: {name.TOOL_CALL: event.id}), wrapped, args, kwargs)


def _summary(role: str) -> Callable[[Call], Work]:
    return lambda call: Work("step", type(call.instance).__name__, role, NOTHING)


INTEGRATION = Integration(
    library="ag2",
    steps=(
        StepSeam("ag2.compact", "SummarizeCompact._summarize", _summary("compact")),
        StepSeam("ag2.aggregate", "ConversationSummaryAggregate._summarize", _summary("memory")),
        StepSeam("ag2.aggregate", "WorkingMemoryAggregate._merge", _summary("memory")),
    ),
    attach={
        "ag2.agent": put(("Agent._turn_scope", _turn)),
        "ag2.tools.final.function_tool": put(("FunctionTool.__call__", _tool)),
    },
)
