"""Agents of smolagents: what they do is the tree, and what the provider bills is counted below, once."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

pytest.importorskip("smolagents", reason="runs in an environment of its own")

from opentelemetry import trace as opentelemetry_trace
from smolagents import CodeAgent, Tool, ToolCallingAgent
from smolagents.agents import MultiStepAgent

from frameworks.runs.smolagents import (
    MANAGED,
    QUIET,
    TURNS,
    answered,
    code,
    lodging,
    manager,
    modelled,
    planner,
    weather,
)
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says, uses
from tokentrace import context
from tokentrace.request.section import innermost


@contextmanager
def asking(*turns):
    """A script, and a model that asks it; whoever runs an agent is afterwards where he was before."""
    with playing(*turns) as (script, url), modelled(url) as model:
        yield script, model
    assert innermost() is None
    assert not opentelemetry_trace.get_current_span().get_span_context().is_valid
    assert context.tracing is None or not context.tracing.open


@pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
def test_an_agent_asks_again_after_a_refusal_and_uses_two_tools_at_once(spans, is_streamed):
    with asking(*TURNS) as (script, model):
        assert answered(planner(model), is_streamed=is_streamed) == "Go to Rome."
    # The tools run at the same time.
    head, *tools, last = drawn(spans.ours()).split("\n")[1:]
    assert (head, sorted(tools), last) == (
        "  chat gpt-5  110 → 24 (6)",
        ["  lodging", "  weather"],
        "  chat gpt-5  180 → 12",
    )
    assert drawn(spans.ours()).startswith("planner\n")
    assert counted(spans.ours()) == script.billed


def test_what_the_code_of_an_agent_calls_is_below_that_agent(spans, books):
    with asking(*MANAGED) as (script, model):
        assert answered(manager(model)) == "Stay."
    assert drawn(spans.ours()) == (
        "CodeAgent\n"
        "  chat gpt-5  100 → 20\n"
        "  weather\n"
        "  guide\n"
        "    chat gpt-5  50 → 9\n"
        "    lodging\n"
        "  chat gpt-5  140 → 11"
    )
    assert counted(spans.ours()) == script.billed
    report = books.report(spans.ours())
    assert (sum(report["tokens"].values()), report["calls"]) == (100 + 20 + 50 + 9 + 140 + 11, 3)


def test_an_answer_that_is_no_step_is_lost(spans, books):
    turns = says("Go to Rome, I think.", 100, 20), code('final_answer("Rome")', 140, 11)
    with asking(*turns) as (script, model):
        assert CodeAgent([], model, **QUIET).run("Where to?") == "Rome"
    assert drawn(spans.ours()) == "CodeAgent\n  chat gpt-5  100 → 20\n  reject schema\n  chat gpt-5  140 → 11"
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(100, 20)]


def test_a_final_answer_that_a_check_rejects_is_lost_and_not_what_it_has_called(spans, books):
    turns = (
        code('final_answer(guide(task="Find a bed."))', 100, 20),
        code('final_answer("Long text")', 50, 9),
        uses("final_answer", 60, 8, answer="Is it long? Yes."),
        code('final_answer("Stay.")', 140, 11),
        uses("final_answer", 61, 7, answer="Is it long? No."),
    )
    with asking(*turns) as (script, model):

        def is_short(answer, memory, agent):
            judge = ToolCallingAgent([], model, name="judge", **QUIET)
            return "No" in judge.run(f"Is it long? {answer}")

        guide = CodeAgent([], model, name="guide", description="Finds a bed.", **QUIET)
        agent = CodeAgent([], model, managed_agents=[guide], final_answer_checks=[is_short], **QUIET)
        assert agent.run("Where to?") == "Stay."
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(100, 20)]


def test_a_plan_is_a_plan(spans, books):
    turns = (says("Facts and plan.", 40, 8), uses("final_answer", 90, 6, answer="Rome"))
    with asking(*turns) as (script, model):
        agent = ToolCallingAgent([weather], model, name="planner", planning_interval=5, **QUIET)
        assert agent.run("Where to?") == "Rome"
    assert drawn(spans.ours()) == ("planner\n  planning  [plan]\n    chat gpt-5  40 → 8  [plan]\n  chat gpt-5  90 → 6")
    assert counted(spans.ours()) == script.billed
    assert books.roles(spans.ours())[0] == ("gpt-5", "plan")


def test_a_tool_that_fails_is_told_with_its_error_and_the_agent_goes_on(spans):
    turns = (uses("lodging", 40, 6, city="Atlantis"), uses("final_answer", 60, 4, answer="Nowhere."))
    with asking(*turns) as (script, model):
        assert ToolCallingAgent([lodging], model, name="planner", **QUIET).run("Where?") == "Nowhere."
    assert drawn(spans.ours()) == ("planner\n  chat gpt-5  40 → 6\n  lodging  ✗ ConnectionError\n  chat gpt-5  60 → 4")
    assert counted(spans.ours()) == script.billed


def test_a_run_that_is_left_early_ends_as_without_us(metering):
    def left(model):
        running = ToolCallingAgent([weather], model, name="planner", **QUIET).run("Where?", stream=True)
        next(running)
        try:
            running.close()
        except RuntimeError as error:
            # It has something to say nonetheless.
            return str(error)
        return None

    with asking(*[uses("weather", 40, 6, city="Rome")] * 2) as (script, model):
        bare = left(model)
        with metering() as spans:
            assert left(model) == bare
            assert not context.tracing.open
    assert drawn(spans.ours()).startswith("planner")
    assert counted(spans.ours()) == script.billed[1:]


def test_without_us_it_is_what_it_was(metering):
    def parts():
        # By identity: what wraps a function is equal to it.
        return [id(vars(MultiStepAgent)["run"]), id(vars(Tool)["__call__"])]

    before = parts()
    with metering():
        assert all(was != now for was, now in zip(before, parts(), strict=True))
    assert before == parts()


def test_the_quick_start_tells_its_tree(spans):
    """As in its documentation: https://huggingface.co/docs/smolagents"""
    turns = (code("result = sum(range(1, 11))\nfinal_answer(result)", 90, 8),)
    with asking(*turns) as (script, model):
        agent = CodeAgent(tools=[], model=model, **QUIET)
        assert agent.run("Calculate the sum of numbers from 1 to 10") == 55
    assert drawn(spans.ours()) == "CodeAgent\n  chat gpt-5  90 → 8"
    assert counted(spans.ours()) == script.billed
