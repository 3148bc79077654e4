"""Crews, flows and their steps, tasks, agents, tools, guardrails, feedback, rejected outputs, knowledge, memory; plans.

A task whose guardrail rejects its output asks the agent again: each of its answers is a stay of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tokentrace import attributes as name
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.request.reviews import Decision, review
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig


def _crew(call: Call) -> Work | None:
    # A crew that streams begins once more, by itself, in the thread that it then works in.
    return None if call.instance.stream else Work("workflow", call.instance.name or "crew")


def _flow(call: Call) -> Work | None:
    flow = call.instance
    # Agents and memories are made of flows, too.
    if type(flow).__module__.startswith("crewai.") or flow.stream:
        return None
    return Work("workflow", getattr(flow, "name", None) or type(flow).__name__)


def _method(call: Call) -> Work | None:
    is_own = type(call.instance).__module__.startswith("crewai.")
    return None if is_own else Work("step", str(call.arg(0, "method_name")))


def _plan(call: Call) -> Work:  # noqa: ARG001  (there is but one plan)
    return Work("step", "plan", role="plan")


def _task(call: Call) -> Work:
    # Its description is what the application asks for: content, and no name.
    return Work("step", call.instance.name or "task")


def _agent(call: Call) -> Work:
    return Work("agent", call.instance.role.strip())


def _tool(call: Call) -> Work:
    return Work("tool", call.instance.name)


def _guardrail(call: Call) -> Work:
    guardrail = call.arg(1, "guardrail")
    return Work("guardrail", getattr(guardrail, "__name__", None) or type(guardrail).__name__)


def _blocked(end: End) -> Rejected | None:
    """An output that a guardrail did not let through."""
    tools = dig(end.call.arg(4, "from_agent"), "tools") or ()
    # What such a tool gives is the output.
    if any(tool.result_as_answer for tool in tools):
        return None
    return Rejected("guardrail") if dig(end.result, "success") is False else None


def _unconverted(end: End) -> Rejected | None:
    """What a model has made of an output for it to have a form, and has not."""
    return None if end.error is None else Rejected("schema")


def _unfit(end: End) -> Rejected | None:
    """An answer that has not the form that was asked for."""
    if type(end.error).__name__ != "ValidationError":
        return None
    asked = dig(end.call.arg(6, "response_model"), "__name__")
    return Rejected("schema") if asked is not None and asked == dig(end.error, "title") else None


def _knowledge(call: Call) -> Work:
    return Work("retrieval", getattr(call.instance.storage, "collection_name", None) or "knowledge")


def _memory(operation: str) -> Callable[[Call], Work]:
    return lambda call: Work("memory", type(call.instance).__name__, attributes={name.OPERATION: operation})


def _asked(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    """A person is asked what they think of the output of a task, and waited for here."""
    with review() as work:
        said = wrapped(*args, **kwargs)
        work.decision = _decision(said)
    return said


async def _asked_async(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    with review() as work:
        said = await wrapped(*args, **kwargs)
        work.decision = _decision(said)
    return said


def _decision(said: object) -> Decision:
    # Who says nothing is content.
    return "rejected" if isinstance(said, str) and said.strip() else "approved"


def _seams(module: str, kind: str, tell: Callable[[Call], Work | None], *methods: str) -> Iterator[StepSeam]:
    yield from (StepSeam(module, f"{kind}.{method}", tell) for method in methods)


_GUARDED = ("crewai.task", "crewai.agent.core", "crewai.lite_agent")

INTEGRATION = Integration(
    library="crewai",
    steps=(
        *_seams("crewai.crew", "Crew", _crew, "kickoff", "akickoff"),
        *_seams("crewai.crew", "Crew", _plan, "_handle_crew_planning"),
        *_seams("crewai.flow.runtime", "Flow", _flow, "kickoff_async"),
        *_seams("crewai.flow.runtime", "Flow", _method, "_execute_method"),
        *_seams("crewai.task", "Task", _task, "_execute_core", "_aexecute_core"),
        *_seams("crewai.agent.core", "Agent", _agent, "execute_task", "aexecute_task", "kickoff", "kickoff_async"),
        *_seams("crewai.tools.base_tool", "BaseTool", _tool, "run", "arun"),
        *_seams("crewai.tools.base_tool", "Tool", _tool, "run", "arun"),
        *_seams("crewai.tools.structured_tool", "CrewStructuredTool", _tool, "invoke", "ainvoke"),
        *(StepSeam(module, "process_guardrail", _guardrail) for module in _GUARDED),
        *_seams("crewai.knowledge.knowledge", "Knowledge", _knowledge, "query", "aquery"),
        *_seams("crewai.memory.unified_memory", "Memory", _memory("search_memory"), "recall"),
        *_seams(
            "crewai.memory.unified_memory",
            "Memory",
            _memory("upsert_memory"),
            "remember",
            "_background_encode_batch",
            "extract_memories",
        ),
    ),
    # Put on after the seams: told beside the guardrail, and not of what it asks.
    attach={
        **{module: put(("process_guardrail", judged(_blocked))) for module in _GUARDED},
        "crewai.core.providers.human_input": put(
            ("SyncHumanInputProvider._prompt_input", _asked),
            ("SyncHumanInputProvider._prompt_input_async", _asked_async),
        ),
        "crewai.llms.providers.openai.completion": put(
            ("OpenAICompletion.call", judged(_unfit)), ("OpenAICompletion.acall", judged(_unfit))
        ),
        "crewai.utilities.converter": put(("Converter._coerce_response_to_pydantic", judged(_unconverted))),
    },
)
