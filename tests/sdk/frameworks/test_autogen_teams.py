"""Teams of AutoGen: who speaks next, handoffs, plans, graphs, and teams inside of teams and agents."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("autogen_agentchat", reason="runs in an environment of its own")

from autogen_agentchat.agents import (
    MessageFilterAgent,
    MessageFilterConfig,
    SocietyOfMindAgent,
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
from autogen_agentchat.tools import TeamTool
from autogen_core import (
    SingleThreadedAgentRuntime,
)

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.autogen_agents import ABLE, agent, ask, model, weather
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says, uses

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]


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
