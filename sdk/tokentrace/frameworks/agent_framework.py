"""Agents, their tools, approvals, workflows and executors, handoffs; how group chats choose who speaks; Magentic plans.

Its own spans are left as they are: they tell the same tokens, and none of ours is made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import approvals
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin
from tokentrace.seams.putting import put
from tokentrace.usage.reading import NOTHING, dig, items

_AGENTS = "agent_framework._agents"
_TOLD_INSIDE = frozenset({"AgentExecutor", "WorkflowExecutor", "BaseGroupChatOrchestrator"})
"""Executors that are no more than the agent, the workflow or the choice inside of them."""
_streams: WeakKeyDictionary[Any, Section] = WeakKeyDictionary()
"""The runs that are read as they come: an agent works while somebody reads."""


def _agent(call: Call) -> Section | None:
    agent, session = call.instance, call.kwargs.get("session")
    told = NOTHING if session is None else {name.CONVERSATION: str(session.session_id)}
    section = begin(agent.name or type(agent).__name__, "agent", attributes=told)
    if section is not None and (answers := _answers(call.arg(0, "messages"))):
        with section.current():
            approvals.answer(answers)
    return section


def _answers(messages: Any) -> dict[str, str | None]:
    """What was decided of the calls of tools that a run had left to a person."""
    contents = (
        content for message in items(messages) or (messages,) for content in (dig(message, "contents") or (message,))
    )
    responses = (each for each in contents if dig(each, "type") == "function_approval_response")
    return {str(each.id): "approved" if each.approved else "rejected" for each in responses}


def _approval_asked(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    request = wrapped(*args, **kwargs)
    with quietly("noting a call that waits for approval"):
        approvals.ask(str(request.id))
    return request


_run_at_once = as_section(_agent)


def _run(wrapped: Any, agent: Any, args: Any, kwargs: Any) -> Any:
    """A run of an agent, which gives an awaitable or a stream."""
    if not kwargs.get("stream"):
        return _run_at_once(wrapped, agent, args, kwargs)
    section: Section | None = None
    with quietly("beginning a run"):
        section = _agent(Call(agent, args, kwargs))
    if section is None:
        return wrapped(*args, **kwargs)
    try:
        with section.current():
            stream = wrapped(*args, **kwargs)
    except BaseException as error:
        section.end(error)
        raise
    with quietly("following a stream"):
        _streams[stream] = section
    return stream


def _run_raw(wrapped: Any, agent: Any, args: Any, kwargs: Any) -> Any:
    """A run of an agent without the layers of the usual one, which would be told twice here."""
    is_usual = any(each.__name__ == "Agent" and each.__module__ == _AGENTS for each in type(agent).__mro__)
    return wrapped(*args, **kwargs) if is_usual else _run(wrapped, agent, args, kwargs)


async def _read(wrapped: Any, stream: Any, args: Any, kwargs: Any) -> Any:
    if (section := _streams.get(stream)) is None:
        return await wrapped(*args, **kwargs)
    try:
        with section.current():
            return await wrapped(*args, **kwargs)
    except StopAsyncIteration:
        section.end()
        raise
    except BaseException as error:
        section.end(error)
        raise


def _tool(call: Call) -> Work:
    called = call.kwargs.get("tool_call_id")
    return Work("tool", call.instance.name, attributes=NOTHING if called is None else {name.TOOL_CALL: called})


def _workflow(call: Call) -> Work:
    return Work("workflow", call.instance.name or type(call.instance).__name__)


def _executor(call: Call) -> Work | None:
    """One message that an executor handles; those that a builder puts between them have nothing to tell."""
    kinds = [each.__name__ for each in type(call.instance).__mro__]
    if kinds[0].startswith("_") or not _TOLD_INSIDE.isdisjoint(kinds):
        return None
    return Work("step", call.instance.id)


def _handoff(call: Call) -> Work | None:
    context = call.arg(0, "context")
    target = call.instance._handoff_functions.get(context.function.name)
    if target is None:
        return None
    called = context.metadata.get("call_id")
    return Work("handoff", target, attributes=NOTHING if called is None else {name.TOOL_CALL: called})


def _manager(title: str, role: str) -> Callable[[Call], Work]:
    work = Work("step", title, role)
    return lambda _: work


_MAGENTIC = {
    "plan": "plan",
    "replan": "plan",
    "create_progress_ledger": "route",
    "prepare_final_answer": "answer",
}
"""What its manager asks a model for."""

INTEGRATION = Integration(
    library="agent-framework-core",
    steps=(
        StepSeam("agent_framework._tools", "FunctionTool.invoke", _tool),
        StepSeam("agent_framework._workflows._workflow", "Workflow._run_core", _workflow),
        StepSeam("agent_framework._workflows._executor", "Executor.execute", _executor),
        StepSeam(
            "agent_framework_orchestrations._handoff",
            "_AutoHandoffMiddleware.process",
            _handoff,
            signals=("MiddlewareTermination",),
        ),
        StepSeam(
            "agent_framework_orchestrations._group_chat",
            "AgentBasedGroupChatOrchestrator._invoke_agent",
            _manager("select_speaker", "route"),
        ),
        *(
            StepSeam(
                "agent_framework_orchestrations._magentic",
                f"StandardMagenticManager.{function}",
                _manager(function, role),
            )
            for function, role in _MAGENTIC.items()
        ),
    ),
    attach={
        # Around its own tracing, which goes back to what was current when it began.
        _AGENTS: put(("Agent.run", _run), ("RawAgent.run", _run_raw)),
        "agent_framework._types": put(
            ("ResponseStream.__anext__", _read), ("Content.from_function_approval_request", _approval_asked)
        ),
    },
)
