"""Microsoft Agent Framework: its agents, workflows and orchestrations, over a scripted provider."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import pytest

pytest.importorskip("agent_framework", reason="runs in an environment of its own")

from agent_framework import Agent, Executor, Message, WorkflowBuilder, WorkflowContext, handler, tool
from agent_framework._agents import RawAgent
from agent_framework._types import ResponseStream
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient
from agent_framework.orchestrations import GroupChatBuilder, HandoffBuilder, MagenticBuilder, SequentialBuilder

from frameworks.afterwards import nothing_is_left
from frameworks.forecast import TREE, TURNS, weather_of
from frameworks.script import playing
from frameworks.tree import counted, drawn, waits
from frameworks.turn import fails, says, uses

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]


@tool(approval_mode="never_require")
def weather(place: str) -> str:
    """The weather of a place."""
    return weather_of(place)


def agent(url: str, name: str = "forecaster", client: Any = OpenAIChatCompletionClient, **options: Any) -> Any:
    return Agent(client=client(model="gpt-5", base_url=url, api_key="-"), name=name, **options)


async def streamed(stream: Any) -> str:
    return "".join([update.text async for update in stream if update.text])


def ask(made: Any, question: str, is_streamed: bool = False, **options: Any) -> str:
    async def main() -> str:
        if is_streamed:
            return await streamed(made.run(question, stream=True, **options))
        return str((await made.run(question, **options)).text)

    return asyncio.run(main())


@pytest.mark.parametrize("client", [OpenAIChatCompletionClient, OpenAIChatClient])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_agent_of_the_quick_start_uses_tools_side_by_side_and_tries_again(metering, client, is_streamed):
    with playing(*TURNS) as (_, url):
        unmetered = ask(agent(url, client=client, tools=[weather]), "How is Rome?", is_streamed)
    with metering() as spans, playing(*TURNS) as (script, url):
        made = agent(url, client=client, tools=[weather])
        assert ask(made, "How is Rome?", is_streamed) == unmetered
        assert unmetered.startswith("It is warm.")
        assert nothing_is_left()
    assert drawn(spans.ours()) == TREE
    assert counted(spans.ours()) == script.billed
    tools = {span.attributes["gen_ai.tool.call.id"] for span in spans.ours() if span.name == "weather"}
    assert len(tools) == 2


def test_the_books_know_what_was_billed_and_for_what(metering, books):
    with metering() as spans, playing(*TURNS) as (script, url):
        ask(agent(url, tools=[weather]), "How is Rome?")
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert [role for _, role in books.roles(spans.ours())] == ["tool_select", "answer"]


def test_an_agent_may_be_the_tool_of_another(spans):
    with playing(uses("expert", 50, 9, task="Rome?"), says("warm", 10, 2), says("It is warm.", 80, 12)) as (
        script,
        url,
    ):
        expert = agent(url, "expert").as_tool()
        assert ask(agent(url, tools=[expert]), "How is Rome?") == "It is warm."
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


def test_the_conversation_of_a_session_is_told(spans):
    with playing(says("It is warm.", 80, 12)) as (_, url):
        made = agent(url)
        session = made.create_session()
        ask(made, "How is Rome?", session=session)
    assert [span.attributes.get("gen_ai.conversation.id") for span in spans.ours() if span.name == "forecaster"] == [
        session.session_id
    ]


class Shout(Executor):
    """An executor that asks no model."""

    @handler
    async def shout(self, text: str, ctx: WorkflowContext[str]) -> None:
        await ctx.send_message(text.upper())


class Write(Executor):
    """An executor that asks an agent."""

    def __init__(self, made: Any) -> None:
        super().__init__(id="write")
        self.made = made

    @handler
    async def write(self, text: str, ctx: WorkflowContext[Any, str]) -> None:
        await ctx.yield_output((await self.made.run(text)).text)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_workflow_is_its_executors(spans, is_streamed):
    async def main(workflow: Any) -> list[Any]:
        if is_streamed:
            return [each.data async for each in workflow.run("rome", stream=True) if each.type == "output"]
        return (await workflow.run("rome")).get_outputs()

    with playing(says("It is warm.", 80, 12)) as (script, url):
        shout, write = Shout(id="shout"), Write(agent(url, "writer"))
        workflow = WorkflowBuilder(name="forecast", start_executor=shout).add_edge(shout, write).build()
        assert asyncio.run(main(workflow)) == ["It is warm."]
    assert drawn(spans.ours()) == "forecast\n  shout\n  write\n    writer\n      chat gpt-5  80 → 12"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_agents_in_a_row_are_the_steps_of_their_workflow(spans):
    with playing(says("warm", 10, 2), says("It is warm.", 20, 3)) as (script, url):
        participants = [agent(url, "researcher"), agent(url, "writer")]
        workflow = SequentialBuilder(participants=participants).build()
        asyncio.run(workflow.run("How is Rome?"))
    lines = drawn(spans.ours()).splitlines()
    assert lines[1:] == ["  researcher", "    chat gpt-5  10 → 2", "  writer", "    chat gpt-5  20 → 3"]
    assert counted(spans.ours()) == script.billed


def test_a_handoff_is_told_and_who_goes_on(spans):
    with playing(uses("handoff_to_expert", 30, 5), says("It is warm.", 20, 3)) as (script, url):
        triage = agent(url, "triage", require_per_service_call_history_persistence=True)
        expert = agent(url, "expert", require_per_service_call_history_persistence=True)
        workflow = HandoffBuilder(participants=[triage, expert], name="desk").with_start_agent(triage).build()
        asyncio.run(workflow.run("How is Rome?"))
    lines = drawn(spans.ours()).splitlines()
    assert lines == [
        "desk",
        "  triage",
        "    chat gpt-5  30 → 5",
        "    expert  [delegate]",
        "  expert",
        "    chat gpt-5  20 → 3",
    ]
    assert counted(spans.ours()) == script.billed


def choice(**said: Any) -> str:
    return json.dumps({"terminate": False, "reason": "-", "next_speaker": None, "final_message": None} | said)


def test_who_speaks_next_in_a_group_is_a_route(metering, books):
    turns = (
        says(choice(next_speaker="expert"), 30, 5),
        says("It is warm.", 20, 3),
        says(choice(terminate=True, final_message="Warm."), 40, 6),
    )
    with metering() as spans, playing(*turns) as (script, url):
        expert, manager = agent(url, "expert", description="knows"), agent(url, "manager")
        workflow = GroupChatBuilder(participants=[expert], orchestrator_agent=manager).build()
        asyncio.run(workflow.run("How is Rome?"))
    lines = drawn(spans.ours()).splitlines()
    assert lines[1:] == [
        "  select_speaker  [route]",
        "    manager",
        "      chat gpt-5  30 → 5  [route]",
        "  expert",
        "    chat gpt-5  20 → 3",
        "  select_speaker  [route]",
        "    manager",
        "      chat gpt-5  40 → 6  [route]",
    ]
    assert counted(spans.ours()) == script.billed
    assert [role for _, role in books.roles(spans.ours())] == ["route", "delegate", "route"]


def progress(is_done: bool) -> str:
    said = {
        "is_request_satisfied": is_done, "is_in_loop": False, "is_progress_being_made": True,
        "next_speaker": "expert", "instruction_or_question": "How is Rome?",
    }  # fmt: skip
    return json.dumps({name: {"reason": "-", "answer": answer} for name, answer in said.items()})


def test_a_manager_that_plans_says_what_it_asks_for(metering, books):
    turns = (
        says("facts", 10, 1),
        says("plan", 20, 2),
        says(progress(is_done=False), 30, 3),
        says("It is warm.", 40, 4),
        says(progress(is_done=True), 50, 5),
        says("Warm.", 60, 6),
    )
    with metering() as spans, playing(*turns) as (script, url):
        expert, manager = agent(url, "expert", description="knows"), agent(url, "manager")
        workflow = MagenticBuilder(participants=[expert], manager_agent=manager).build()
        asyncio.run(workflow.run("How is Rome?"))
    lines = [line for line in drawn(spans.ours()).splitlines() if line.strip() != "manager"]
    assert [line.strip() for line in lines[1:]] == [
        "plan  [plan]",
        "chat gpt-5  10 → 1  [plan]",
        "chat gpt-5  20 → 2  [plan]",
        "create_progress_ledger  [route]",
        "chat gpt-5  30 → 3  [route]",
        "expert",
        "chat gpt-5  40 → 4",
        "create_progress_ledger  [route]",
        "chat gpt-5  50 → 5  [route]",
        "prepare_final_answer  [answer]",
        "chat gpt-5  60 → 6  [answer]",
    ]
    assert counted(spans.ours()) == script.billed
    report = books.report(spans.ours())
    assert (report["calls"], sum(report["tokens"].values())) == (6, 231)


def test_an_agent_that_fails_says_so(spans):
    with playing(*[fails(400)] * 2) as (_, url), pytest.raises(Exception, match="400"):
        ask(agent(url), "How is Rome?")
    assert drawn(spans.ours()).splitlines()[0].startswith("forecaster  ✗ ")
    assert nothing_is_left()


def test_a_stream_that_is_left_ends_its_agent(spans):
    async def main(url: str) -> None:
        stream = agent(url).run("How is Rome?", stream=True)
        async for _ in stream:
            break
        del stream

    with playing(says("It is warm.", 80, 12)) as (_, url):
        asyncio.run(main(url))
    gc.collect()
    assert [span.name for span in spans.ours() if span.name == "forecaster"] == ["forecaster"]
    assert nothing_is_left()


def test_all_is_as_it_was_afterwards(metering):
    holders = [
        (Agent, "run"),
        (RawAgent, "run"),
        (ResponseStream, "__anext__"),
        (type(weather), "invoke"),
        (Executor, "execute"),
    ]
    before = [vars(holder)[each] for holder, each in holders]
    with metering():
        assert all(vars(holder)[each] is not was for (holder, each), was in zip(holders, before, strict=True))
    assert all(vars(holder)[each] is was for (holder, each), was in zip(holders, before, strict=True))


@tool(approval_mode="always_require")
def book(place: str) -> str:
    """Book a trip."""
    return f"{place} is booked."


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(("approved", "decision"), [(True, "approved"), (False, "rejected")])
def test_who_lets_a_tool_go_on_is_waited_for(spans, approved, decision, is_streamed):
    async def main(made: Any) -> str:
        session = made.create_session()

        async def run(asked: Any) -> Any:
            if not is_streamed:
                return await made.run(asked, session=session)
            stream = made.run(asked, session=session, stream=True)
            async for _ in stream:
                pass
            return await stream.get_final_response()

        left = await run("Where to?")
        assert waits(spans.ours()) == []
        answers = [request.to_function_approval_response(approved) for request in left.user_input_requests]
        return str((await run(Message("user", answers))).text)

    with playing(uses("book", 50, 9, place="Rome"), says("Done.", 80, 12)) as (script, url):
        assert asyncio.run(main(agent(url, "clerk", tools=[book]))) == "Done."
        assert nothing_is_left()
    assert waits(spans.ours()) == [decision]
    assert drawn(spans.ours()).split("clerk\n")[-1].splitlines()[0] == "  review approval"
    assert counted(spans.ours()) == script.billed
