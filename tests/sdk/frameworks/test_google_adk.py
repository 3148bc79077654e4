"""Agents of Google's ADK: what they do is the tree, and what the provider bills is counted below, once."""

from __future__ import annotations

import asyncio
import inspect

import pytest

pytest.importorskip("google.adk", reason="runs in an environment of its own")

from google.adk.agents import LlmAgent, ParallelAgent, SequentialAgent
from google.adk.flows.llm_flows import functions
from google.adk.runners import InMemoryRunner
from google.adk.workflow import START, Workflow
from opentelemetry import trace as opentelemetry_trace

from frameworks.runs.google_adk import (
    MESSAGE,
    STREAMED,
    TRANSFERRED,
    TURNS,
    agent,
    asked,
    equipped,
    modelled,
    runner_of,
    texts,
    transferring,
    weather,
)
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says, uses
from tokentrace.request.section import innermost

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")


def is_untouched():
    return opentelemetry_trace.get_current_span() is opentelemetry_trace.INVALID_SPAN and innermost() is None


def test_an_agent_of_the_quick_start_uses_tools_side_by_side_and_tries_again(metering, books):
    with playing(*TURNS) as (_, url):
        unmetered = asked(url, equipped)
    with metering() as spans, playing(*TURNS) as (script, url):
        assert asked(url, equipped) == unmetered == ["It is warm."]
        assert is_untouched()
    assert (
        drawn(spans.ours())
        == """\
forecasts
  forecaster
    generate_content gemini-3.8-flash  60 → 12 (5)
    weather
    weather
    generate_content gemini-3.8-flash  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    kinds = {span.name: span.attributes.get("tokentrace.step.kind") for span in spans.ours()}
    assert kinds | {"generate_content gemini-3.8-flash": None} == {
        "forecasts": "workflow",
        "forecaster": "agent",
        "weather": "tool",
        "generate_content gemini-3.8-flash": None,
    }
    (run,) = (span for span in spans.ours() if span.name == "forecasts")
    assert run.attributes["gen_ai.conversation.id"] == "s"
    tools = [span for span in spans.ours() if span.name == "weather"]
    assert len({span.attributes["gen_ai.tool.call.id"] for span in tools}) == 2
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == 60 + 12 + 80 + 12
    assert report["calls"] == 2


def test_an_agent_transfers_to_another_that_streams_and_has_an_agent_for_a_tool(spans):
    with playing(*TRANSFERRED) as (script, url):
        assert asked(url, transferring, **STREAMED)[-1] == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
forecasts
  forecaster
    generate_content gemini-3.8-flash  50 → 9
    writer  [delegate]
  writer
    generate_content gemini-3.8-flash  60 → 4
    helper
      forecasts
        helper
          generate_content gemini-3.8-flash  20 → 2
    generate_content gemini-3.8-flash  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()


def test_agents_that_work_side_by_side_keep_their_calls(spans):
    def build(llm):
        both = ParallelAgent(name="both", sub_agents=[agent(llm, "a"), agent(llm, "b")])
        return SequentialAgent(name="all", sub_agents=[both, agent(llm, "c")])

    with playing(choose=lambda _: says("It is warm.", 80, 12)) as (script, url):
        assert asked(url, build) == ["It is warm."] * 3
    assert (
        drawn(spans.ours())
        == """\
forecasts
  all
    both
      a
        generate_content gemini-3.8-flash  80 → 12
      b
        generate_content gemini-3.8-flash  80 → 12
    c
      generate_content gemini-3.8-flash  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed


def test_a_tool_that_fails_fails_the_run(spans):
    with playing(uses("weather", 50, 9, place="Atlantis")) as (script, url), pytest.raises(LookupError):
        asked(url, lambda llm: agent(llm, tools=[weather]))
    assert (
        drawn(spans.ours())
        == """\
forecasts  ✗ LookupError
  forecaster  ✗ LookupError
    generate_content gemini-3.8-flash  50 → 9
    weather  ✗ LookupError"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()


def test_a_workflow_is_made_of_nodes(spans):
    def place(node_input):
        return "Rome"

    def build(llm):
        return Workflow(name="forecast", edges=[(START, place, agent(llm))])

    with playing(says("It is warm.", 80, 12)) as (script, url):
        assert "It is warm." in asked(url, build)
    assert (
        drawn(spans.ours())
        == """\
forecasts
  forecast
    place
    forecaster
      generate_content gemini-3.8-flash  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed


def test_a_runner_that_is_not_awaited_works_in_a_thread(spans):
    with playing(says("It is warm.", 80, 12)) as (script, url), modelled(url) as llm:

        async def closing(callback_context):
            await llm.api_client.aio.aclose()

        runner = asyncio.run(runner_of(agent(llm, after_agent_callback=closing)))
        assert texts(runner.run(user_id="u", session_id="s", new_message=MESSAGE)) == ["It is warm."]
    assert (
        drawn(spans.ours())
        == """\
forecasts
  forecaster
    generate_content gemini-3.8-flash  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()


def test_its_own_spans_are_not_counted_and_stand_in_the_same_tree(metering, books, monkeypatch):
    with metering() as spans, playing(uses("weather", 50, 9, place="Rome"), says("Warm.", 80, 12)) as (script, url):
        monkeypatch.setattr(opentelemetry_trace, "_TRACER_PROVIDER", spans.provider)
        asked(url, lambda llm: agent(llm, tools=[weather]))
    lines = drawn(spans).splitlines()
    assert len(lines) > len(spans.ours())
    assert [line for line in lines if not line.startswith(" ")] == ["forecasts"]
    assert counted(spans) == script.billed
    report = books.report(spans)
    assert sum(report["tokens"].values()) == 50 + 9 + 80 + 12


def test_all_is_left_as_it_was(metering):
    def found():
        places = (InMemoryRunner, "run_async"), (LlmAgent, "run_async"), (functions, "_call_tool_in_thread_pool")
        return [inspect.getattr_static(*place) for place in places]

    before = found()
    with metering() as spans:
        assert [now is then for now, then in zip(found(), before, strict=True)][:2] == [False, False]
    assert all(now is then for now, then in zip(found(), before, strict=True))
    with playing(says("It is warm.", 80, 12)) as (_, url):
        assert asked(url, agent) == ["It is warm."]
    assert spans.ours() == []
