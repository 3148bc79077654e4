"""Agents, teams as workflows, tools, handoffs, memory, waits for the user; who speaks next, and Magentic-One's plans.

Its own spans are left as they are: they tell no tokens, and ours keep their own order among them.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from tokentrace import attributes as name
from tokentrace.frameworks._autogen_runtime import is_named, marked, message, processed, run_of, team
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import approvals
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin, entered, innermost
from tokentrace.seams.putting import Wrapper, put
from tokentrace.usage.reading import NOTHING

_AGENTS = "autogen_agentchat.agents"
_TEAMS = "autogen_agentchat.teams._group_chat"
_MAGENTIC = f"{_TEAMS}._magentic_one._magentic_one_orchestrator"
_OWN = {
    "_assistant_agent": "AssistantAgent",
    "_code_executor_agent": "CodeExecutorAgent",
    "_message_filter_agent": "MessageFilterAgent",
    "_society_of_mind_agent": "SocietyOfMindAgent",
    "_user_proxy_agent": "UserProxyAgent",
}
"""Agents that it brings along."""
_WAYS = ("on_messages", "on_messages_stream")
"""How an agent is given messages without a run."""

_handoffs: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
"""To whom a tool hands off."""
_questions = count()


def _agent(call: Call) -> Work:
    return Work("agent", call.instance.name)


def _turn(call: Call) -> Work | None:
    """A turn that nobody has told of: a run, a team, or a filter around it has the name of its agent."""
    return None if is_named(innermost(), call.instance.name) else _agent(call)


def _next(title: str, role: str) -> Wrapper:
    """What an orchestrator does as the last thing of the step before, which is over with it."""

    def begun(call: Call) -> Section | None:
        run, entry = run_of(call.instance), entered()
        if run is not None and entry is not None and entry.section.above is run:
            entry.leave()
            entry.section.end()
        return begin(title, "step", role=role)

    return as_section(begun)


def _select(_: Call) -> Work:
    return Work("step", "select_speaker", "route")


def _answered(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    """What a model has said, with the handoffs among the tools that it may have asked for."""
    with quietly("finding handoffs"):
        targets = {handoff.name: handoff.target for handoff in kwargs["handoffs"].values()}
        for tool in kwargs["handoff_tools"]:
            if (target := targets.get(tool.name)) is not None:
                _handoffs[tool] = target
    return wrapped(*args, **kwargs)


def _tool(call: Call) -> Work:
    target: str | None = None
    # A tool of the application need not be hashable; a handoff is.
    with suppress(TypeError):
        target = _handoffs.get(call.instance)
    called = call.arg(2, "call_id")
    told = NOTHING if called is None else {name.TOOL_CALL: called}
    if target is not None:
        return Work("handoff", target, attributes=told)
    return Work("tool", call.instance.name, attributes=told)


def _code(_: Call) -> Work:
    return Work("tool", "execute_code_block")


def _memory(call: Call) -> Work | None:
    used = call.arg(0, "memory")
    return Work("memory", ", ".join(type(each).__name__ for each in used)) if used else None


async def _input(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    """A question to the user: the wait is over once there is an answer."""
    question = f"autogen {next(_questions)}"
    with quietly("asking the user"):
        approvals.ask(question)
    answer = await wrapped(*args, **kwargs)
    with quietly("telling an approval"):
        approvals.answer({question: None})
    return answer


INTEGRATION = Integration(
    library="autogen-agentchat",
    steps=(
        StepSeam(f"{_AGENTS}._base_chat_agent", "BaseChatAgent.run", _agent),
        StepSeam(f"{_AGENTS}._base_chat_agent", "BaseChatAgent.run_stream", _agent),
        *(StepSeam(f"{_AGENTS}.{module}", f"{kind}.{way}", _turn) for module, kind in _OWN.items() for way in _WAYS),
        StepSeam(f"{_AGENTS}._assistant_agent", "AssistantAgent._update_model_context_with_memory", _memory),
        StepSeam(f"{_AGENTS}._code_executor_agent", "CodeExecutorAgent.execute_code_block", _code),
        StepSeam(f"{_TEAMS}._selector_group_chat", "SelectorGroupChatManager._select_speaker", _select),
        StepSeam("autogen_core.tools._base", "BaseTool.run_json", _tool),
        StepSeam("autogen_core.tools._base", "BaseStreamTool.run_json_stream", _tool),
    ),
    attach={
        "autogen_core._base_agent": put(("BaseAgent.on_message", message)),
        "autogen_core._single_threaded_agent_runtime": put(
            ("get_telemetry_envelope_metadata", marked),
            ("SingleThreadedAgentRuntime._process_send", processed(is_published=False)),
            ("SingleThreadedAgentRuntime._process_publish", processed(is_published=True)),
        ),
        f"{_AGENTS}._assistant_agent": put(("AssistantAgent._process_model_result", _answered)),
        f"{_AGENTS}._user_proxy_agent": put(("UserProxyAgent._get_input", _input)),
        f"{_TEAMS}._base_group_chat": put(("BaseGroupChat.run_stream", as_section(team))),
        _MAGENTIC: put(
            ("MagenticOneOrchestrator._orchestrate_step", _next("orchestrate_step", "route")),
            ("MagenticOneOrchestrator._update_task_ledger", _next("update_task_ledger", "plan")),
            ("MagenticOneOrchestrator._prepare_final_answer", _next("prepare_final_answer", "answer")),
        ),
    },
)
