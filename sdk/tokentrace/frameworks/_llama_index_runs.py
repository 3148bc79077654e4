"""Runs of LlamaIndex's workflows, which are asyncio tasks, and their steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from inspect import iscoroutinefunction
from typing import Any

from tokentrace.guard import quietly
from tokentrace.integration import Call
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin

AGENTS = "llama_index.core.agent.workflow.multi_agent_workflow"
_READY_MADE = "llama_index.core.agent.workflow."

tool_call: ContextVar[str | None] = ContextVar("tokentrace_llama_index_tool_call", default=None)
"""The id of the tool call that an agent answers now."""


class Run:
    """A run of a workflow, and which of its agents is at work."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self._agent: tuple[str, Section] | None = None

    def agent(self, called: str | None) -> Section:
        """Where an agent works; None stands for the one that did so last."""
        if called is not None and (self._agent is None or self._agent[0] != called):
            self._rest()
            section = begin(called, "agent", parent=self.section)
            self._agent = None if section is None else (called, section)
        return self.section if self._agent is None else self._agent[1]

    def over(self, task: Any) -> None:
        """Its task is done."""
        with quietly("ending a run"):
            self._rest()
            self.section.end(None if task.cancelled() else task.exception())

    def _rest(self) -> None:
        if self._agent is not None:
            self._agent[1].end()


_running: ContextVar[Run | None] = ContextVar("tokentrace_llama_index_run", default=None)


def run(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """The wrapper of what begins a run and hands out its handler."""
    section = None
    with quietly("beginning a run"):
        workflow = Call(instance, args, kwargs).arg(0, "workflow")
        section = begin(_title(workflow), "agent" if _is_agent(workflow) else "workflow")
    if section is None:
        return wrapped(*args, **kwargs)
    begun = Run(section)
    token = _running.set(begun)
    try:
        with section.current():
            handler = wrapped(*args, **kwargs)
    except BaseException as error:
        section.end(error)
        raise
    finally:
        _running.reset(token)
    with quietly("following a run"):
        getattr(handler, "_result_task", handler).add_done_callback(begun.over)
    return handler


def _title(workflow: Any) -> str:
    given = workflow.name if _is_agent(workflow) else getattr(workflow, "_workflow_name", None)
    return given or type(workflow).__name__


def _is_agent(workflow: Any) -> bool:
    """Whether a workflow is a single agent, by its ready-made class."""
    return any(kind.__name__ == "BaseWorkflowAgent" for kind in type(workflow).__mro__)


async def step(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Callable[[], Any]:
    """The wrapper of what binds the function of a step to its arguments, each time that it is to run."""
    bound: Callable[[], Any] = await wrapped(*args, **kwargs)
    with quietly("beginning a step"):
        function, event, workflow = (kwargs[each] for each in ("func", "event", "workflow"))
        if not function.__module__.startswith(_READY_MADE):
            return _told(function.__name__, bound)
        if (running := _running.get()) is not None and iscoroutinefunction(bound):
            called = None if _is_agent(workflow) else getattr(event, "current_agent_name", None)
            return functools.partial(_at_work, running.agent(called), getattr(event, "tool_id", None), bound)
    return bound


async def _at_work(agent: Section, call: str | None, bound: Callable[[], Any]) -> Any:
    """What a ready-made agent does in a step of its own."""
    token = tool_call.set(call)
    try:
        with agent.current():
            return await bound()
    finally:
        tool_call.reset(token)


def _told(title: str, bound: Callable[[], Any]) -> Callable[[], Any]:
    """A step of the application."""
    section = as_section(lambda _: begin(title, "step"))
    if not iscoroutinefunction(bound):
        return functools.partial(section, bound, None, (), {})

    async def told() -> Any:
        waits: list[Exception] = []

        async def attempt() -> Any:
            try:
                return await bound()
            except Exception as signal:
                # A step that waits for an event is left by this, and begun anew once the event has come.
                if type(signal).__name__ != "WaitingForEvent":
                    raise
                waits.append(signal)

        result = await section(attempt, None, (), {})
        if waits:
            raise waits[0]
        return result

    return told
