"""AutoGen: agents, teams, tools and handoffs, over a scripted provider."""

from __future__ import annotations

import asyncio
import gc
import json
from contextlib import nullcontext
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import pytest

pytest.importorskip("autogen_agentchat", reason="runs in an environment of its own")

from autogen_agentchat.agents import (
    AssistantAgent,
    CodeExecutorAgent,
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
    UserProxyAgent,
)
from autogen_agentchat.agents._base_chat_agent import BaseChatAgent
from autogen_agentchat.agents._message_filter_agent import PerSourceFilter
from autogen_agentchat.base import Response
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import TextMessage
from autogen_agentchat.teams import (
    DiGraphBuilder,
    GraphFlow,
    MagenticOneGroupChat,
    RoundRobinGroupChat,
    SelectorGroupChat,
    Swarm,
)
from autogen_agentchat.teams._group_chat._base_group_chat import BaseGroupChat
from autogen_agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator import MagenticOneOrchestrator
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import (
    AgentId,
    BaseAgent,
    CancellationToken,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    default_subscription,
    message_handler,
)
from autogen_core.code_executor import CodeBlock, CodeExecutor, CodeResult
from autogen_core.memory import ListMemory, MemoryContent, MemoryMimeType
from autogen_core.models import UserMessage
from autogen_core.tools import BaseTool
from autogen_ext.models.openai import OpenAIChatCompletionClient
from opentelemetry import trace

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.forecast import TREE, TURNS, weather_of
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, uses

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]

ABLE = {
    "vision": False, "function_calling": True, "json_output": True, "structured_output": True, "family": "unknown",
    "multiple_system_messages": True,
}  # fmt: skip


async def weather(place: str) -> str:
    """The weather of a place."""
    return weather_of(place)


def model(url: str, able: Any = ABLE, **options: Any) -> Any:
    return OpenAIChatCompletionClient(model="gpt-5", base_url=url, api_key="-", model_info=able, **options)


def agent(url: str, name: str = "forecaster", **options: Any) -> Any:
    return AssistantAgent(name, model_client=options.pop("client", None) or model(url), **options)


def said(result: Any) -> list[str]:
    return [message.to_text() for message in result.messages]


async def run(made: Any, task: str, is_streamed: bool) -> Any:
    if not is_streamed:
        return await made.run(task=task)
    return [part async for part in made.run_stream(task=task)][-1]


def ask(made: Any, task: str = "How is Rome?", is_streamed: bool = False) -> list[str]:
    return said(asyncio.run(run(made, task, is_streamed)))


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


class Echo(BaseChatAgent):
    """An agent of the application's own, which asks a model by itself."""

    def __init__(self, name: str, client: Any) -> None:
        super().__init__(name, "Echoes.")
        self.client = client

    produced_message_types = (TextMessage,)

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Response:
        result = await self.client.create([message.to_model_message() for message in messages])
        return Response(chat_message=TextMessage(content=result.content, source=self.name))

    async def on_reset(self, cancellation_token: Any) -> None:
        """There is nothing to forget."""


@pytest.mark.parametrize("is_streamed", [False, True])
def test_the_agents_of_a_team_are_the_turns_of_its_workflow(spans, is_streamed):
    with playing(says("warm", 10, 2), says("It is warm.", 20, 3), says("Indeed.", 30, 4)) as (script, url):
        members = [agent(url, "researcher"), Echo("echo", model(url))]
        team = RoundRobinGroupChat(members, name="forecast", max_turns=3)
        assert ask(team, is_streamed=is_streamed)[-1] == "Indeed."
    assert (
        drawn(spans.ours())
        == """\
forecast
  researcher
    chat gpt-5  10 → 2
  echo
    chat gpt-5  20 → 3
  researcher
    chat gpt-5  30 → 4"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_a_team_goes_on_with_its_task_as_a_run_of_its_own(spans):
    async def main(url: str) -> None:
        team = RoundRobinGroupChat([agent(url)], name="forecast", max_turns=1)
        await team.run(task="How is Rome?")
        await team.run()
        await team.reset()

    with playing(says("It is warm.", 10, 2), says("Still.", 20, 3)) as (script, url):
        asyncio.run(main(url))
    assert drawn(spans.ours()) == "\n".join(
        f"forecast\n  forecaster\n    chat gpt-5  {tokens}" for tokens in ("10 → 2", "20 → 3")
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_a_team_that_has_run_before_is_told_from_then_on(metering):
    async def main(url: str) -> Any:
        members = [agent(url), agent(url, "critic"), agent(url, "writer")]
        team = SelectorGroupChat(members, model_client=model(url), name="desk", max_turns=1)
        await team.run(task="How is Rome?")
        with metering() as spans:
            await team.run()
        await team.run()
        return spans

    turns = [says("forecaster", 9, 1), says("It is warm.", 10, 2), says("critic", 19, 2), says("Is it?", 20, 3)]
    with playing(*turns, *turns[:2]) as (script, url):
        spans = asyncio.run(main(url))
    assert drawn(spans.ours()).splitlines() == [
        "desk",
        "  select_speaker  [route]",
        "    chat gpt-5  19 → 2  [route]",
        "  critic",
        "    chat gpt-5  20 → 3",
    ]
    assert counted(spans.ours()) == script.billed[2:4]


@pytest.mark.parametrize("is_nested", [False, True])
def test_a_runtime_that_was_started_for_something_else_has_a_team_in_its_own_request(spans, is_nested):
    async def main(url: str) -> None:
        runtime = SingleThreadedAgentRuntime()
        with tokentrace.step("startup"):
            runtime.start()
        for _ in range(2):
            team = RoundRobinGroupChat([agent(url)], name="forecast", max_turns=1, runtime=runtime)
            if is_nested:
                team = RoundRobinGroupChat([team], name="desk", max_turns=1, runtime=runtime)
            await team.run(task="How is Rome?")
        await runtime.stop_when_idle()

    with playing(says("It is warm.", 10, 2), says("Still.", 20, 3)) as (script, url):
        asyncio.run(main(url))
    above = ["desk"] if is_nested else []
    expected = ["startup"]
    for tokens in ("10 → 2", "20 → 3"):
        lines = [*above, "forecast", "forecaster", f"chat gpt-5  {tokens}"]
        expected += ["  " * depth + line for depth, line in enumerate(lines)]
    assert drawn(spans.ours()).splitlines() == expected
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_who_speaks_next_is_a_route_and_is_asked_again(metering, books):
    turns = (
        says("nobody", 30, 5),
        says("expert", 31, 6),
        says("It is warm.", 20, 3),
        says("critic", 32, 7),
        says("TERMINATE", 21, 4),
    )
    with metering() as spans, playing(*turns) as (script, url):
        team = SelectorGroupChat(
            [agent(url, "expert"), agent(url, "critic"), agent(url, "writer")],
            model_client=model(url),
            name="forecast",
            termination_condition=TextMentionTermination("TERMINATE"),
        )
        ask(team)
    assert (
        drawn(spans.ours())
        == """\
forecast
  select_speaker  [route]
    chat gpt-5  30 → 5  [route]
    chat gpt-5  31 → 6  [route]
  expert
    chat gpt-5  20 → 3
  select_speaker  [route]
    chat gpt-5  32 → 7  [route]
  critic
    chat gpt-5  21 → 4"""
    )
    assert counted(spans.ours()) == script.billed
    roles = [role for _, role in books.roles(spans.ours())]
    assert [role == "route" for role in roles] == [True, True, False, True, False]


def test_a_handoff_is_told_and_who_goes_on(spans):
    turns = (uses("transfer_to_expert", 30, 5), uses("weather", 40, 6, place="Rome"), says("It is warm.", 50, 7))
    with playing(*turns) as (script, url):
        triage = agent(url, "triage", handoffs=["expert"])
        expert = agent(url, "expert", handoffs=["triage"], tools=[weather], max_tool_iterations=2)
        team = Swarm([triage, expert], name="desk", termination_condition=MaxMessageTermination(3))
        ask(team)
    assert (
        drawn(spans.ours())
        == """\
desk
  triage
    chat gpt-5  30 → 5
    expert  [delegate]
  expert
    chat gpt-5  40 → 6
    weather
    chat gpt-5  50 → 7"""
    )
    assert counted(spans.ours()) == script.billed
    (handoff,) = [span for span in spans.ours() if span.attributes.get("tokentrace.step.kind") == "handoff"]
    assert handoff.attributes["gen_ai.tool.call.id"]


def progress(is_done: bool, is_moving: bool = True) -> str:
    answers = {
        "is_request_satisfied": is_done, "is_in_loop": not is_moving, "is_progress_being_made": is_moving,
        "next_speaker": "expert", "instruction_or_question": "How is Rome?",
    }  # fmt: skip
    return json.dumps({name: {"reason": "-", "answer": answer} for name, answer in answers.items()})


def test_an_orchestrator_that_plans_says_what_it_asks_for(spans):
    turns = (
        says("facts", 10, 1),
        says("plan", 20, 2),
        says(progress(is_done=False), 30, 3),
        says("Perhaps.", 40, 4),
        says(progress(is_done=False, is_moving=False), 50, 5),
        says("facts", 60, 6),
        says("plan", 70, 7),
        says(progress(is_done=False), 80, 8),
        says("It is warm.", 90, 9),
        says("no ledger", 100, 10),
        says(progress(is_done=True), 110, 11),
        says("Warm.", 120, 12),
    )
    with playing(*turns) as (script, url):
        team = MagenticOneGroupChat(
            [agent(url, "expert")],
            model_client=model(url, ABLE | {"structured_output": False}),
            name="forecast",
            max_stalls=1,
        )
        assert ask(team)[-1] == "Warm."
        assert nothing_is_left()
    assert (
        drawn(spans.ours())
        == """\
forecast
  plan  [plan]
    chat gpt-5  10 → 1  [plan]
    chat gpt-5  20 → 2  [plan]
  orchestrate_step  [route]
    chat gpt-5  30 → 3  [route]
  expert
    chat gpt-5  40 → 4
  orchestrate_step  [route]
    chat gpt-5  50 → 5  [route]
  update_task_ledger  [plan]
    chat gpt-5  60 → 6  [plan]
    chat gpt-5  70 → 7  [plan]
  orchestrate_step  [route]
    chat gpt-5  80 → 8  [route]
  expert
    chat gpt-5  90 → 9
  orchestrate_step  [route]
    chat gpt-5  100 → 10  [route]
    chat gpt-5  110 → 11  [route]
  prepare_final_answer  [answer]
    chat gpt-5  120 → 12  [answer]"""
    )
    assert counted(spans.ours()) == script.billed


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


def test_a_team_may_be_the_tool_of_an_agent(spans):
    turns = (uses("research", 50, 9, task="Rome?"), says("warm", 10, 2), says("It is warm.", 80, 12))
    with playing(*turns) as (script, url):
        team = RoundRobinGroupChat([agent(url, "expert")], name="experts", max_turns=1)
        tool = TeamTool(team, name="research", description="Knows.")
        assert ask(agent(url, tools=[tool], max_tool_iterations=2), is_streamed=True)[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-5  50 → 9
  research
    experts
      expert
        chat gpt-5  10 → 2
  chat gpt-5  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_an_agent_may_be_a_team(spans):
    with playing(says("warm", 10, 2), says("It is warm.", 20, 3)) as (script, url):
        team = RoundRobinGroupChat([agent(url, "expert")], name="experts", max_turns=1)
        assert ask(SocietyOfMindAgent("society", team, model(url)))[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
society
  experts
    expert
      chat gpt-5  10 → 2
  chat gpt-5  20 → 3"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_agents_of_a_graph_work_side_by_side_each_with_its_calls(spans):
    def choose(asked: Any) -> Any:
        system = asked["messages"][0]["content"]
        return says(system, len(system), 1)

    with playing(choose=choose) as (script, url):
        first, left, right = (agent(url, name, system_message=name) for name in ("first", "left", "right"))
        seen = MessageFilterConfig(per_source=[PerSourceFilter(source="first")])
        filtered = MessageFilterAgent("right", right, seen)
        graph = DiGraphBuilder().add_node(first).add_node(left).add_node(filtered)
        graph.add_edge(first, left).add_edge(first, filtered)
        ask(GraphFlow([first, left, filtered], graph=graph.build(), name="forecast"))
    lines = drawn(spans.ours()).splitlines()
    assert lines[:3] == ["forecast", "  first", "    chat gpt-5  5 → 1"]
    assert {tuple(lines[3:5]), tuple(lines[5:])} == {
        ("  left", "    chat gpt-5  4 → 1"),
        ("  right", "    chat gpt-5  5 → 1"),
    }
    assert sorted(counted(spans.ours())) == sorted(script.billed)
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


@dataclass
class Question:
    """What agents of the core ask each other."""

    text: str


@dataclass
class Finding:
    """What one of them tells everybody."""

    text: str


@default_subscription
class Expert(RoutedAgent):
    """Answers who asks, and tells everybody."""

    def __init__(self, client: Any) -> None:
        super().__init__("Knows.")
        self.client = client

    @message_handler
    async def answer(self, message: Question, ctx: MessageContext) -> str:
        result = await self.client.create([UserMessage(content=message.text, source="user")])
        await self.publish_message(Finding(result.content), DefaultTopicId())
        return result.content


class Desk(RoutedAgent):
    """Asks an expert, and then a model, once everything is written down."""

    def __init__(self, client: Any, written: asyncio.Event) -> None:
        super().__init__("Asks.")
        self.client = client
        self.written = written

    @message_handler
    async def ask(self, message: Question, ctx: MessageContext) -> str:
        found = await self.send_message(message, AgentId("expert", self.id.key))
        await self.written.wait()
        self.written.clear()
        return (await self.client.create([UserMessage(content=found, source="user")])).content


@default_subscription
class Scribe(RoutedAgent):
    """Has a model write down what is found."""

    def __init__(self, client: Any, written: asyncio.Event) -> None:
        super().__init__("Writes.")
        self.client = client
        self.written = written

    @message_handler
    async def write(self, message: Finding, ctx: MessageContext) -> None:
        await self.client.create([UserMessage(content="Write: " + message.text, source="user")])
        self.written.set()


DESK = """\
desk
  expert
    chat gpt-5  10 → 2
  scribe
    chat gpt-5  30 → 6
  chat gpt-5  20 → 4"""


def chosen(asked: Any) -> Any:
    answers = {"How": says("warm", 10, 2), "Write:": says("Written.", 30, 6), "warm": says("It is warm.", 20, 4)}
    return answers[asked["messages"][-1]["content"].split()[0]]


@pytest.mark.parametrize("is_around", [True, False])
def test_agents_of_the_core_belong_to_the_request_that_has_sent_their_message(spans, is_around):
    """Whoever has started the runtime; and what is published is beside who has published it."""

    async def main(url: str) -> list[Any]:
        runtime, client, written = SingleThreadedAgentRuntime(), model(url), asyncio.Event()
        await Expert.register(runtime, "expert", lambda: Expert(client))
        await Desk.register(runtime, "desk", lambda: Desk(client, written))
        await Scribe.register(runtime, "scribe", lambda: Scribe(client, written))
        with tokentrace.step("startup") if is_around else nullcontext():
            runtime.start()
        answers: list[Any] = []
        for place in ("Rome", "Oslo"):
            with tokentrace.workflow(place) if is_around else nullcontext():
                answers.append(await runtime.send_message(Question(f"How is {place}?"), AgentId("desk", "default")))
        await runtime.stop_when_idle()
        return answers

    with playing(choose=chosen) as (script, url):
        assert asyncio.run(main(url)) == ["It is warm."] * 2
    inside = indent(DESK, "  ")
    assert drawn(spans.ours()) == (f"startup\nRome\n{inside}\nOslo\n{inside}" if is_around else f"{DESK}\n{DESK}")
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_what_is_published_outside_of_any_request_is_one_with_all_that_follows(spans):
    async def main(url: str) -> None:
        runtime, client = SingleThreadedAgentRuntime(), model(url)
        await Expert.register(runtime, "expert", lambda: Expert(client))
        # Hears the question, too, and does nothing about it.
        await Scribe.register(runtime, "scribe", lambda: Scribe(client, asyncio.Event()))
        runtime.start()
        await runtime.publish_message(Question("How is Rome?"), DefaultTopicId())
        await runtime.stop_when_idle()

    with playing(choose=chosen) as (script, url):
        asyncio.run(main(url))
    assert drawn(spans.ours()) == "expert\n  chat gpt-5  10 → 2\n  scribe\n    chat gpt-5  30 → 6"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


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
