"""AG2: agents, tools and subagents, over a scripted provider."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("ag2", reason="runs in an environment of its own")

from ag2 import Agent, KnowledgeConfig, MemoryStream, TaskConfig, tool
from ag2.compact import CompactTrigger, SummarizeCompact
from ag2.config import OpenAIConfig, OpenAIResponsesConfig
from ag2.knowledge import MemoryKnowledgeStore
from ag2.tools.final.function_tool import FunctionTool

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.forecast import TREE, TURNS, weather_of
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, together, uses

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    return weather_of(place)


def model(url: str, config: Any = OpenAIConfig, **options: Any) -> Any:
    return config(model="gpt-5", base_url=url, api_key="-", **options)


def agent(url: str, name: str = "forecaster", **options: Any) -> Any:
    return Agent(name, config=options.pop("config", None) or model(url), **options)


def ask(made: Any, question: str = "How is Rome?", **options: Any) -> str | None:
    async def main() -> str | None:
        return (await made.ask(question, **options)).body

    return asyncio.run(main())


@pytest.mark.parametrize("config", [OpenAIConfig, OpenAIResponsesConfig])
@pytest.mark.parametrize("streaming", [False, True])
def test_an_agent_of_the_quick_start_uses_tools_side_by_side_and_tries_again(metering, config, streaming):
    with playing(*TURNS) as (_, url):
        unmetered = ask(agent(url, config=model(url, config, streaming=streaming), tools=[weather]))
    with metering() as spans, playing(*TURNS) as (script, url):
        made = agent(url, config=model(url, config, streaming=streaming), tools=[weather])
        assert ask(made) == unmetered
        assert unmetered.startswith("It is warm.")
        assert nothing_is_left()
    # Its tools run in threads of their own, in whatever order these begin.
    lines, expected = drawn(spans.ours()).splitlines(), TREE.splitlines()
    assert (lines[:2], sorted(lines[2:4]), lines[4:]) == (expected[:2], expected[2:4], expected[4:])
    assert counted(spans.ours()) == script.billed
    tools = {span.attributes["gen_ai.tool.call.id"] for span in spans.ours() if span.name == "weather"}
    assert len(tools) == 2


def test_the_books_know_what_was_billed_and_for_what(metering, books):
    with metering() as spans, playing(*TURNS) as (script, url):
        ask(agent(url, tools=[weather]))
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert [role for _, role in books.roles(spans.ours())] == ["tool_select", "answer"]


def test_each_turn_of_a_conversation_is_told_with_its_name(spans):
    async def main(url: str) -> None:
        reply = await agent(url).ask("How is Rome?", stream=stream)
        assert (await reply.ask("And Oslo?")).body == "It is cold."

    stream = MemoryStream()
    with playing(says("It is warm.", 10, 2), says("It is cold.", 20, 3)) as (script, url):
        asyncio.run(main(url))
    assert drawn(spans.ours()) == "forecaster\n  chat gpt-5  10 → 2\nforecaster\n  chat gpt-5  20 → 3"
    told = {span.attributes.get("gen_ai.conversation.id") for span in spans.ours() if span.name == "forecaster"}
    assert told == {str(stream.id)}
    assert counted(spans.ours()) == script.billed


def test_a_run_is_watched_while_it_goes_on(spans):
    async def main(url: str) -> str | None:
        async with agent(url).run("How is Rome?") as run:
            return (await run.result()).body

    with playing(says("It is warm.", 10, 2)) as (script, url):
        assert asyncio.run(main(url)) == "It is warm."
    assert drawn(spans.ours()) == "forecaster\n  chat gpt-5  10 → 2"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_an_agent_may_be_the_tool_of_another(spans):
    turns = (uses("task_expert", 50, 9, objective="Rome?"), says("warm", 10, 2), says("It is warm.", 80, 12))
    with playing(*turns) as (script, url):
        expert = agent(url, "expert").as_tool(description="Knows.")
        assert ask(agent(url, tools=[expert])) == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-5  50 → 9
  task_expert
    expert
      chat gpt-5  10 → 2
  chat gpt-5  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed


def test_agents_that_it_makes_for_tasks_are_below_the_tool_that_did(spans):
    asked = together(uses("run_subtasks", 50, 9, tasks=["Rome?", "Oslo?"]))
    with playing(asked, says("warm", 10, 2), says("warm", 10, 2), says("All warm.", 80, 12)) as (script, url):
        assert ask(agent(url, tasks=TaskConfig())) == "All warm."
    lines = [line.split("-")[0] for line in drawn(spans.ours()).splitlines()]
    assert lines[:3] == ["forecaster", "  chat gpt", "  run_subtasks"]
    assert sorted(lines[3:7]) == ["      chat gpt", "      chat gpt", "    subtask", "    subtask"]
    assert counted(spans.ours()) == script.billed


def test_a_history_that_is_compacted_says_what_that_took(metering, books):
    async def main(url: str) -> None:
        knowledge = KnowledgeConfig(
            store=MemoryKnowledgeStore(),
            expose_tool=False,
            compact=SummarizeCompact(target=1, config=model(url)),
            compact_trigger=CompactTrigger(max_events=2),
        )
        with tokentrace.workflow("talk"):
            reply = await agent(url, knowledge=knowledge).ask("How is Rome?")
            await reply.ask("And Oslo?")

    turns = [says("It is warm.", 10, 2)] + [says("Summed up.", 30, 4), says("It is cold.", 20, 3)] * 3
    with metering() as spans, playing(*turns) as (script, url):
        asyncio.run(main(url))
    summaries = [line.strip() for line in drawn(spans.ours()).splitlines() if "SummarizeCompact" in line]
    assert set(summaries) == {"SummarizeCompact  [compact]"}
    assert counted(spans.ours()) == script.billed
    assert "compact" in [role for _, role in books.roles(spans.ours())]


def test_an_agent_that_fails_says_so(spans):
    with playing(*[fails(400)] * 2) as (_, url), pytest.raises(Exception, match="400"):
        ask(agent(url))
    assert drawn(spans.ours()).splitlines()[0].startswith("forecaster  ✗ ")
    assert nothing_is_left()


def test_all_is_as_it_was_afterwards(metering):
    holders = [(Agent, "_turn_scope"), (FunctionTool, "__call__"), (SummarizeCompact, "_summarize")]
    before = [vars(holder)[each] for holder, each in holders]
    with metering():
        assert all(vars(holder)[each] is not was for (holder, each), was in zip(holders, before, strict=True))
    assert all(vars(holder)[each] is was for (holder, each), was in zip(holders, before, strict=True))
