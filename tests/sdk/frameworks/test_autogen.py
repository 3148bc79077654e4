"""AutoGen: its agents, their tools, memory and users, over a scripted provider."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

pytest.importorskip("autogen_agentchat", reason="runs in an environment of its own")

from autogen_agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    UserProxyAgent,
)
from autogen_agentchat.agents._base_chat_agent import BaseChatAgent
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import (
    RoundRobinGroupChat,
)
from autogen_agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from autogen_agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import MagenticOneOrchestrator
from autogen_agentchat.tools import AgentTool
from autogen_core import (
    BaseAgent,
    CancellationToken,
)
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.memory import ListMemory, MemoryContent, MemoryMimeType
from autogen_core.tools import BaseTool
from opentelemetry import trace

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.autogen_agents import agent, ask, model, said, weather
from frameworks.forecast import TREE, TURNS
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, uses

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_agent_of_the_quick_start_uses_tools_side_by_side_and_tries_again(metering, is_streamed):
    def made(url: str) -> Any:
        options: dict[str, Any] = {"model_client_stream": True} if is_streamed else {}
        client = model(url, **({"stream_options": {"include_usage": True}} if is_streamed else {}))
        return agent(url, client=client, tools=[weather], max_tool_iterations=3, **options)

    with playing(*TURNS) as (_, url):
        unmetered = ask(made(url), is_streamed=is_streamed)
    with metering() as spans, playing(*TURNS) as (script, url):
        assert ask(made(url), is_streamed=is_streamed) == unmetered
        assert nothing_is_left()
    assert unmetered[-1] == "It is warm."
    assert drawn(spans.ours()) == TREE
    assert counted(spans.ours()) == script.billed
    tools = {span.attributes["gen_ai.tool.call.id"] for span in spans.ours() if span.name == "weather"}
    assert len(tools) == 2


def test_the_books_know_what_was_billed_and_for_what(metering, books):
    with metering() as spans, playing(*TURNS) as (script, url):
        ask(agent(url, tools=[weather], reflect_on_tool_use=True))
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert [role for _, role in books.roles(spans.ours())] == ["tool_select", "answer"]


def test_messages_may_be_given_to_an_agent_itself(spans):
    async def main(url: str) -> str:
        response = await agent(url).on_messages([TextMessage(content="Rome?", source="user")], CancellationToken())
        return response.chat_message.to_text()

    with playing(says("It is warm.", 10, 2)) as (script, url):
        assert asyncio.run(main(url)) == "It is warm."
    assert drawn(spans.ours()) == "forecaster\n  chat gpt-5  10 → 2"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_an_agent_may_be_the_tool_of_another(spans):
    with playing(uses("expert", 50, 9, task="Rome?"), says("warm", 10, 2), says("It is warm.", 80, 12)) as (
        script,
        url,
    ):
        made = agent(url, tools=[AgentTool(agent(url, "expert"))], max_tool_iterations=2)
        assert ask(made)[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-5  50 → 9
  expert
    expert
      chat gpt-5  10 → 2
  chat gpt-5  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_what_a_memory_asks_for_has_its_role(metering, books):
    class Recalled(ListMemory):
        """A memory that asks a model what to remember."""

        async def update_context(self, model_context: Any) -> Any:
            await client.create(await model_context.get_messages())
            return await super().update_context(model_context)

    async def main(url: str) -> str:
        memory = Recalled()
        await memory.add(MemoryContent(content="Rome is warm.", mime_type=MemoryMimeType.TEXT))
        return said(await agent(url, memory=[memory]).run(task="How is Rome?"))[-1]

    with metering() as spans, playing(says("Rome", 10, 2), says("It is warm.", 20, 3)) as (script, url):
        client = model(url)
        assert asyncio.run(main(url)) == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecaster
  Recalled  [memory]
    chat gpt-5  10 → 2  [memory]
  chat gpt-5  20 → 3"""
    )
    assert counted(spans.ours()) == script.billed
    assert [role for _, role in books.roles(spans.ours())] == ["memory", "answer"]


class Nowhere(CodeExecutor):
    """Runs no code."""

    async def execute_code_blocks(self, code_blocks: list[CodeBlock], cancellation_token: Any) -> CodeResult:
        return CodeResult(exit_code=0, output="warm")

    async def start(self) -> None:
        """Nothing is needed."""

    async def stop(self) -> None:
        """Nothing was needed."""

    async def restart(self) -> None:
        """Nothing is kept."""


def test_code_that_an_agent_writes_is_run_as_its_tool(spans):
    code = "```python\nprint('warm')\n```"
    with playing(says(code, 10, 2), says("It is warm.", 20, 3)) as (script, url):
        assert ask(CodeExecutorAgent("coder", Nowhere(), model_client=model(url)))[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
coder
  chat gpt-5  10 → 2
  execute_code_block
  chat gpt-5  20 → 3"""
    )
    assert counted(spans.ours()) == script.billed


async def asked_later(prompt: str, cancellation_token: Any) -> str:
    return "Yes."


def asked_at_once(prompt: str) -> str:
    return "Yes."


def test_the_wait_for_a_user_is_told_when_it_is_over(metering, books):
    with metering() as spans, playing(says("Rome?", 10, 2), says("It is warm.", 20, 3)) as (script, url):
        users = [UserProxyAgent("editor", input_func=asked_later), UserProxyAgent("owner", input_func=asked_at_once)]
        assert ask(RoundRobinGroupChat([agent(url), *users], name="desk", max_turns=4))[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
desk
  forecaster
    chat gpt-5  10 → 2
  editor
    review approval
  owner
    review approval
  forecaster
    chat gpt-5  20 → 3"""
    )
    reviews = [span.attributes for span in spans.ours() if span.name == "review approval"]
    assert {each["tokentrace.review.kind"] for each in reviews} == {"approval"}
    assert all(each["tokentrace.review.wait_time"] > 0 for each in reviews)
    assert counted(spans.ours()) == script.billed
    # How much attention they paid is unknown, which is not zero.
    assert books.report(spans.ours())["covered"]["reviews"] == {"known": 0, "of": 2}


def test_a_user_who_does_not_answer_has_reviewed_nothing(spans):
    async def gone(prompt: str, cancellation_token: Any) -> str:
        raise TimeoutError

    with pytest.raises(RuntimeError, match="Failed to get user input"):
        ask(UserProxyAgent("user_proxy", input_func=gone))
    assert drawn(spans.ours()) == "user_proxy  ✗ RuntimeError"
    assert nothing_is_left()


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_agent_that_fails_says_so_and_so_does_its_team(spans, is_streamed):
    with playing(fails(400)) as (_, url), pytest.raises(RuntimeError, match="400"):
        ask(RoundRobinGroupChat([agent(url)], name="forecast", max_turns=1), is_streamed=is_streamed)
    assert (
        drawn(spans.ours())
        == """\
forecast  ✗ RuntimeError
  forecaster  ✗ BadRequestError
    chat gpt-5  ✗ BadRequestError"""
    )
    assert nothing_is_left()


def test_a_run_that_is_cancelled_leaves_nothing_open(spans):
    async def main(url: str) -> None:
        async def wait() -> str:
            """Waits in vain."""
            run.cancel()
            await asyncio.Event().wait()
            return "Never."

        run = asyncio.create_task(agent(url, tools=[wait]).run(task="How is Rome?"))
        with pytest.raises(asyncio.CancelledError):
            await run

    with playing(uses("wait", 10, 2)) as (script, url):
        asyncio.run(main(url))
    assert (
        drawn(spans.ours())
        == """\
forecaster  ✗ CancelledError
  chat gpt-5  10 → 2
  wait  ✗ CancelledError"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_a_stream_that_is_left_ends_its_agent(spans):
    async def main(url: str) -> None:
        async for _ in agent(url).run_stream(task="How is Rome?"):
            break

    with playing(says("It is warm.", 80, 12)) as (_, url):
        asyncio.run(main(url))
    gc.collect()
    assert [span.name for span in spans.ours()] == ["forecaster"]
    assert nothing_is_left()


def test_who_reads_a_stream_is_not_inside_of_it(spans):
    async def main(url: str) -> list[bool]:
        team = RoundRobinGroupChat([agent(url)], name="forecast", max_turns=1)
        return [
            not trace.get_current_span().get_span_context().is_valid async for _ in team.run_stream(task="How is Rome?")
        ]

    with playing(says("It is warm.", 10, 2)) as (_, url):
        seen = asyncio.run(main(url))
    assert seen
    assert all(seen)


def around(report: Any, title: str) -> list[str]:
    """What is above a span, of what tokentrace told."""
    found = {span["span_id"]: span for span in report["spans"]}
    (span,) = [span for span in found.values() if span["name"] == title]
    above: list[str] = []
    while (span := found.get(span["parent_id"])) is not None:
        above.append(span["name"])
    return [name for name in above if not name.startswith(("autogen ", "invoke_agent "))]


@pytest.mark.parametrize("is_kept", [False, True])
def test_its_own_spans_neither_count_nor_cut(metering, books, monkeypatch, is_kept):
    turns = (uses("weather", 40, 6, place="Rome"), says("It is warm.", 50, 7))
    with metering() as spans, playing(*turns) as (script, url):
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", spans.provider)
        with tokentrace.workflow("request"):
            members = [agent(url, tools=[weather], max_tool_iterations=2)]
            ask(RoundRobinGroupChat(members, name="forecast", max_turns=1))
    own = {span.name.partition(" ")[0] for span in spans if span not in spans.ours()}
    assert own == {"create_agent", "autogen", "invoke_agent", "execute_tool"}
    assert counted(spans.ours()) == script.billed
    # Kept or not: an application may send them elsewhere.
    report = books.report(spans if is_kept else spans.ours())
    assert (report["calls"], sum(report["tokens"].values()), report["coverage"]) == (2, 103, 1)
    assert [each["role"] for each in report["spans"] if each["kind"] == "call"] == ["tool_select", "answer"]
    assert around(report, "weather") == ["forecaster", "forecast", "request"]


def test_all_is_as_it_was_afterwards(metering):
    holders = [
        (BaseChatAgent, "run"),
        (BaseChatAgent, "run_stream"),
        (AssistantAgent, "on_messages_stream"),
        (AssistantAgent, "_process_model_result"),
        (AssistantAgent, "_update_model_context_with_memory"),
        (CodeExecutorAgent, "execute_code_block"),
        (UserProxyAgent, "_get_input"),
        (BaseGroupChat, "run_stream"),
        (MagenticOneOrchestrator, "_orchestrate_step"),
        (BaseAgent, "on_message"),
        (BaseTool, "run_json"),
    ]
    before = [vars(holder)[each] for holder, each in holders]
    with metering():
        assert all(vars(holder)[each] is not was for (holder, each), was in zip(holders, before, strict=True))
    assert all(vars(holder)[each] is was for (holder, each), was in zip(holders, before, strict=True))
