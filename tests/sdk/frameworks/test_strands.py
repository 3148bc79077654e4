"""Agents, graphs and swarms of Strands: what they do is the tree, and what is billed is counted below, once."""

from __future__ import annotations

import asyncio
import inspect

import pytest

pytest.importorskip("strands", reason="runs in an environment of its own")

from opentelemetry import trace as opentelemetry_trace
from pydantic import BaseModel
from strands import Agent, ToolContext, tool
from strands.agent.conversation_manager import SummarizingConversationManager
from strands.models.openai import OpenAIModel
from strands.multiagent import GraphBuilder, Swarm
from strands.multiagent.graph import Graph

from frameworks.script import playing
from frameworks.tree import counted, drawn, waits
from frameworks.turn import fails, says, together, uses
from tokentrace.request.section import innermost

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def agent(url, name="forecaster", **options):
    llm = OpenAIModel(client_args={"base_url": url, "api_key": "-"}, model_id="gpt-4.1")
    return Agent(name=name, model=llm, callback_handler=None, **options)


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    if place == "Atlantis":
        raise LookupError(place)
    return f"{place} is warm."


def is_untouched():
    return opentelemetry_trace.get_current_span() is opentelemetry_trace.INVALID_SPAN and innermost() is None


def test_an_agent_of_the_quick_start_uses_tools_side_by_side_and_tries_again(metering, books):
    turns = (
        fails(429),
        together(uses("weather", 50, 9, place="Rome"), uses("weather", 10, 3, place="Atlantis")),
        says("It is warm.", 80, 12),
    )

    def work(url):
        return str(agent(url, tools=[weather])("How is Rome?"))

    with playing(*turns) as (_, url):
        unmetered = work(url)
    with metering() as spans, playing(*turns) as (script, url):
        assert work(url) == unmetered == "It is warm.\n"
        assert is_untouched()
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-4.1  60 → 12
  weather
  weather
  chat gpt-4.1  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    tools = [span for span in spans.ours() if span.name == "weather"]
    assert {span.attributes["gen_ai.tool.call.id"] for span in tools} == {"call_2_0", "call_2_1"}
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == 60 + 12 + 80 + 12
    assert report["calls"] == 2


def test_an_agent_that_streams_has_another_for_a_tool(spans):
    with playing(uses("ask", 50, 9, question="Rome?"), says("warm", 10, 2), says("It is warm.", 80, 12)) as (
        script,
        url,
    ):

        @tool
        def ask(question: str) -> str:
            """Asks somebody else."""
            return str(agent(url, "helper")(question))

        async def main():
            events = agent(url, tools=[ask]).stream_async("How is Rome?")
            return "".join([event["data"] async for event in events if "data" in event])

        assert asyncio.run(main()) == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-4.1  50 → 9
  ask
    helper
      chat gpt-4.1  10 → 2
  chat gpt-4.1  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()


def test_a_graph_runs_its_nodes_side_by_side(spans):
    with playing(choose=lambda _: says("It is warm.", 80, 12)) as (script, url):
        graph = GraphBuilder()
        for each in ("a", "b", "c"):
            graph.add_node(agent(url, f"agent {each}"), each)
        for each in ("a", "b"):
            graph.add_edge(each, "c")
            graph.set_entry_point(each)
        graph.set_max_node_executions(3)
        assert graph.build()("How is Rome?").completed_nodes == 3
    lines = drawn(spans.ours()).splitlines()
    assert lines[0] == "default_graph"
    # The first two begin together, in either order.
    steps = ["\n".join(lines[place : place + 3]) for place in (1, 4, 7)]
    assert sorted(steps) == [f"  {each}\n    agent {each}\n      chat gpt-4.1  80 → 12" for each in ("a", "b", "c")]
    assert steps[2].startswith("  c")
    assert counted(spans.ours()) == script.billed


def test_agents_of_a_swarm_hand_over_to_one_another(spans):
    turns = (
        uses("handoff_to_agent", 50, 9, agent_name="writer", message="It is to be written."),
        says("It is done.", 10, 2),
        says("It is warm.", 80, 12),
    )
    with playing(*turns) as (script, url):
        swarm = Swarm([agent(url, "researcher"), agent(url, "writer")])
        told = asyncio.run(swarm.invoke_async("How is Rome?"))
        assert [node.node_id for node in told.node_history] == ["researcher", "writer"]
    assert (
        drawn(spans.ours())
        == """\
default_swarm
  researcher
    chat gpt-4.1  50 → 9
    writer  [delegate]
    chat gpt-4.1  10 → 2
  writer
    chat gpt-4.1  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed


def test_what_was_said_is_compacted(metering, books):
    said = [{"role": role, "content": [{"text": "Rome."}]} for role in ("user", "assistant") * 4]
    with metering() as spans, playing(says("They spoke of Rome.", 60, 6)) as (script, url):
        SummarizingConversationManager(preserve_recent_messages=2).reduce_context(agent(url, messages=said))
    assert drawn(spans.ours()).splitlines()[0] == "SummarizingConversationManager  [compact]"
    assert counted(spans.ours()) == script.billed
    assert books.roles(spans.ours()) == [("gpt-4.1", "compact")]


class Forecast(BaseModel):
    """An output that has a schema."""

    place: str
    degrees: int


def test_an_answer_that_does_not_fit_its_schema_is_lost(spans, books):
    turns = (
        uses("weather", 40, 6, place="Rome"),
        uses("Forecast", 50, 9, place="Rome"),
        uses("Forecast", 80, 12, place="Rome", degrees=30),
    )
    with playing(*turns) as (script, url):
        found = agent(url, tools=[weather])("How is Rome?", structured_output_model=Forecast)
    assert found.structured_output == Forecast(place="Rome", degrees=30)
    assert (
        drawn(spans.ours())
        == """\
forecaster
  chat gpt-4.1  40 → 6
  weather
  chat gpt-4.1  50 → 9
  Forecast
  reject schema
  chat gpt-4.1  80 → 12
  Forecast"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()
    assert books.lost(spans.ours()) == [(50, 9)]


def test_an_answer_of_which_a_tool_was_used_is_not_lost(spans):
    turns = (
        together(uses("weather", 40, 6, place="Rome"), uses("Forecast", 50, 9, place="Rome")),
        uses("Forecast", 80, 12, place="Rome", degrees=30),
    )
    with playing(*turns) as (script, url):
        agent(url, tools=[weather])("How is Rome?", structured_output_model=Forecast)
    assert "reject" not in drawn(spans.ours())
    assert counted(spans.ours()) == script.billed


def test_its_own_spans_are_not_counted_and_stand_in_the_same_tree(metering, books, monkeypatch):
    with metering() as spans, playing(uses("weather", 50, 9, place="Rome"), says("Warm.", 80, 12)) as (script, url):
        monkeypatch.setattr(opentelemetry_trace, "_TRACER_PROVIDER", spans.provider)
        agent(url, tools=[weather])("How is Rome?")
    lines = drawn(spans).splitlines()
    assert len(lines) > len(spans.ours())
    assert [line for line in lines if not line.startswith(" ")] == ["forecaster"]
    assert counted(spans) == script.billed
    assert sum(books.report(spans)["tokens"].values()) == 50 + 9 + 80 + 12


def test_all_is_left_as_it_was(metering):
    def found():
        return inspect.getattr_static(Agent, "stream_async"), inspect.getattr_static(Graph, "_execute_node")

    before = found()
    with metering() as spans:
        assert not any(now is then for now, then in zip(found(), before, strict=True))
    assert all(now is then for now, then in zip(found(), before, strict=True))
    with playing(says("warm", 80, 12)) as (_, url):
        assert str(agent(url)("How is Rome?")) == "warm\n"
    assert spans.ours() == []


def test_who_answers_an_interrupt_is_waited_for(spans):
    @tool(context=True)
    def book(place: str, tool_context: ToolContext) -> str:
        """Book a trip."""
        return f"{place} is booked: {tool_context.interrupt('may I', reason=place)}"

    with playing(uses("book", 50, 9, place="Rome"), says("Done.", 80, 12)) as (script, url):
        clerk = agent(url, "clerk", tools=[book])
        left = clerk("Where to?")
        assert left.stop_reason == "interrupt"
        assert waits(spans.ours()) == []
        answers = [{"interruptResponse": {"interruptId": each.id, "response": "yes"}} for each in left.interrupts]
        assert str(clerk(answers)) == "Done.\n"
    assert waits(spans.ours()) == [None]
    assert drawn(spans.ours()).split("clerk\n")[-1].splitlines()[0] == "  review approval"
    assert counted(spans.ours()) == script.billed
    assert is_untouched()
