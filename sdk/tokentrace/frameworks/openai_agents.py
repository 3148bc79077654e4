"""Workflows, conversations, agents, tools, handoffs, guardrails, approvals, rejected outputs, compaction, own spans.

The SDK begins a span of its own for each of them, on every way there is through it, and one that does nothing where its
tracing is off: we go along with those, and leave its processors and exporters alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.kinds import Kind
from tokentrace.request import approvals
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.request.section import Entry, Section, begin
from tokentrace.seams.putting import Wrapper, put
from tokentrace.usage.reading import NOTHING, dig

_KINDS: Mapping[str, Kind] = {"agent": "agent", "function": "tool", "guardrail": "guardrail", "custom": "step"}
"""By what the SDK calls a span."""
_MASK = "Agent run"
"""The span that hides those of a caller from a run whose tracing is off."""

_USUAL = "Agent workflow"
"""What the SDK calls a workflow that nobody has named."""


@dataclass(slots=True)
class _Run:
    """What a run that is going on says of all that happens in it."""

    conversation: str | None = None
    """What its session is called."""
    is_prepared: bool = True
    """Whether its own trace may begin: before, a streamed one has another that hides those of its caller."""
    answered: Sequence[str] = ()
    """The calls of tools for which a person was waited for, until that is told."""


_NONE = _Run()
_run: ContextVar[_Run] = ContextVar("tokentrace_openai_agents_run", default=_NONE)


@dataclass(slots=True)
class _Told:
    """What is told of a span of theirs that has not finished."""

    section: Section
    entry: Entry | None
    around: int
    """The exception that was being handled when it began: not one of its own."""
    error: BaseException | None = None


_told: WeakKeyDictionary[Any, _Told] = WeakKeyDictionary()


def _of_span(span: Any) -> Section | None:
    data = span.span_data
    if data.type == "handoff":
        # To whom is known when it is over.
        return begin("handoff", "handoff")
    kind = _KINDS.get(data.type)
    if kind is None or (kind == "step" and data.name == _MASK):
        return None
    return begin(data.name, kind, attributes=_said(_run.get().conversation) if kind == "agent" else None)


def _of_trace(trace: Any) -> Section | None:
    run = _run.get()
    # The run of an agent that is a tool of another is part of that.
    if _scope().get_current_trace() is not None or not run.is_prepared:
        return None
    # Where its tracing is off, the SDK gives every trace the same name, which says so.
    title = _USUAL if trace.name == "no-op" else trace.name
    return begin(title, "workflow", attributes=_said(run.conversation or dig(trace, "group_id")))


def _scope() -> Any:
    """What the SDK says is current; it is imported when something of it begins."""
    return sys.modules["agents.tracing.scope"].Scope


def _said(conversation: object) -> Mapping[str, Any]:
    return {name.CONVERSATION: conversation} if isinstance(conversation, str) else NOTHING


def _started(tell: Callable[[Any], Section | None]) -> Wrapper:
    def start(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        with quietly("beginning a section"):
            if instance not in _told and (section := tell(instance)) is not None:
                is_current = Call(instance, args, kwargs).arg(0, "mark_as_current")
                _told[instance] = _Told(section, section.enter() if is_current else None, id(sys.exc_info()[1]))
                _tell_answers()
        return wrapped(*args, **kwargs)

    return start


def _tell_answers() -> None:
    run = _run.get()
    answered, run.answered = run.answered, ()
    if answered:
        approvals.answer(dict.fromkeys(answered))


def _finished(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with quietly("ending a section"):
        if (told := _told.pop(instance, None)) is not None:
            if told.entry is not None:
                told.entry.leave()
            if isinstance(target := dig(instance, "span_data", "to_agent"), str):
                told.section.rename(target, "handoff")
            told.section.end(told.error or _raised(told))
    return wrapped(*args, **kwargs)


def _failed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with quietly("noting the error of a section"):
        # A tool that fails tells the model so, and nobody else.
        if (told := _told.get(instance)) is not None:
            told.error = _raised(told)
    return wrapped(*args, **kwargs)


def _raised(told: _Told) -> BaseException | None:
    error = sys.exc_info()[1]
    return None if id(error) == told.around else error


def _named(call: Call) -> str | None:
    """What the session of a run is called; that of the run around it where it has none."""
    with quietly("reading the conversation of a run"):
        asked = call.kwargs
        for way in (("session", "session_id"), ("conversation_id",), ("run_config", "group_id")):
            if isinstance(found := dig(asked, *way), str):
                return found
    return _run.get().conversation


def _waiting(items: Any) -> list[str]:
    """The ids of the calls of tools that wait for approval."""
    found = (dig(item, "raw_item", key) for item in items or () for key in ("call_id", "id"))
    return [each for each in found if isinstance(each, str)]


def _interrupted(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    wrapped(*args, **kwargs)
    with quietly("noting calls that wait for approval"):
        # Outside of a run, one that was kept is read again, and nobody knows since when it waits.
        if _run.get() is not _NONE:
            approvals.ask(*_waiting(instance.interruptions))


def _deciding(decision: str) -> Wrapper:
    def decide(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        with quietly("noting a decision"):
            for called in _waiting([Call(instance, args, kwargs).arg(0, "approval_item")]):
                approvals.decide(called, decision)
        return wrapped(*args, **kwargs)

    return decide


@contextmanager
def _running(run: _Run) -> Generator[None]:
    token = _run.set(run)
    try:
        yield
    finally:
        run.is_prepared = True
        _run.reset(token)


def _begun(call: Call, *, is_prepared: bool = True) -> _Run:
    answered: Sequence[str] = ()
    with quietly("reading the answers to a run"):
        answered = _waiting(dig(call.arg(1, "input"), "_current_step", "interruptions"))
    return _Run(_named(call), is_prepared, answered)


async def _ran(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with _running(_begun(Call(instance, args, kwargs))):
        return await wrapped(*args, **kwargs)


def _streamed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    # The task that does the work begins in here, with a copy of this context.
    with _running(_begun(Call(instance, args, kwargs), is_prepared=False)):
        return wrapped(*args, **kwargs)


def _identified(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    with quietly("naming the call of a tool"):
        span = _scope().get_current_span()
        called = Call(instance, args, kwargs).arg(1, "tool_call_id")
        if span is not None and span.span_data.type == "function" and (told := _told.get(span)) is not None:
            told.section.set({name.TOOL_CALL: called})
    return wrapped(*args, **kwargs)


def _guarding(call: Call) -> Work:
    return Work("guardrail", call.instance.get_name())


def _compacting(_: Call) -> Work:
    return Work("memory", "compaction", "compact", {name.OPERATION: "update_memory"})


def _stopped(end: End) -> Rejected | None:
    """An output that a guardrail did not let through."""
    if type(end.error).__name__ != "OutputGuardrailTripwireTriggered":
        return None
    # Otherwise it may be what a tool has given.
    agent = end.call.kwargs.get("agent") or end.call.args[1]
    return Rejected("guardrail") if agent.tool_use_behavior == "run_llm_again" else None


def _unparsed(end: End) -> Rejected | None:
    # Newer releases have a function for that, and read here also what the application has instead.
    if hasattr(sys.modules.get("agents.run_internal.turn_resolution"), _UNRESOLVED):
        return None
    return Rejected("schema") if type(end.error).__name__ == "ModelBehaviorError" else None


def _unresolved(end: End) -> Rejected | None:
    """An output without its form, for which the application has no other."""
    # Its response may have an id that the SDK has made up.
    return Rejected("schema") if end.error is None and end.result is None else None


_UNRESOLVED = "_resolve_invalid_final_output"

INTEGRATION = Integration(
    library="openai-agents",
    steps=(
        StepSeam("agents.tool_guardrails", "ToolInputGuardrail.run", _guarding),
        StepSeam("agents.tool_guardrails", "ToolOutputGuardrail.run", _guarding),
        StepSeam(
            "agents.memory.openai_responses_compaction_session",
            "OpenAIResponsesCompactionSession.run_compaction",
            _compacting,
        ),
    ),
    attach={
        "agents.agent_output": put(("AgentOutputSchema.validate_json", judged(_unparsed))),
        "agents.run": put(
            ("AgentRunner.run", _ran),
            ("AgentRunner.run_streamed", _streamed),
            ("AgentRunner._run_output_guardrails", judged(_stopped)),
            ("run_output_guardrails", judged(_stopped)),
        ),
        "agents.run_internal.run_loop": put(("_run_output_guardrails_for_stream", judged(_stopped))),
        "agents.run_internal.run_steps": put(("NextStepInterruption.__init__", _interrupted)),
        "agents.run_internal.turn_resolution": put((_UNRESOLVED, judged(_unresolved))),
        "agents.run_state": put(
            ("RunState.approve", _deciding("approved")), ("RunState.reject", _deciding("rejected"))
        ),
        "agents.tool_context": put(("ToolContext.from_agent_context", _identified)),
        "agents.tracing.spans": put(
            *((f"{kind}.start", _started(_of_span)) for kind in ("SpanImpl", "NoOpSpan")),
            *((f"{kind}.finish", _finished) for kind in ("SpanImpl", "NoOpSpan")),
            *((f"{kind}.set_error", _failed) for kind in ("SpanImpl", "NoOpSpan")),
        ),
        "agents.tracing.traces": put(
            *((f"{kind}.start", _started(_of_trace)) for kind in ("TraceImpl", "NoOpTrace", "ReattachedTrace")),
            *((f"{kind}.finish", _finished) for kind in ("TraceImpl", "NoOpTrace", "ReattachedTrace")),
        ),
    },
)
