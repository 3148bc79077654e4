"""What counts as told of a run, whoever tells it."""

from __future__ import annotations

import pytest
from behaviour.peers.meaning import BY_CONVENTION
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from frameworks.peers.told import Told, told
from frameworks.runs.run import Run
from frameworks.turn import fails, says

TURNS = (fails(429), says("It is warm.", 80, 12, 5, 64))
RUN = Run("agent", TURNS, str, said="It is warm.", agents=("lead", "expert"), tools=("search", "search"))


def of(*spans: tuple[str, dict[str, str | int]]) -> Told:
    """What spans tell of the run, each by its name and attributes."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for name, attributes in spans:
        provider.get_tracer("theirs").start_span(name, attributes=attributes).end()
    found = exporter.get_finished_spans()
    return told(RUN, [TURNS[1].tokens], BY_CONVENTION.usages("", found), found)


def test_what_two_spans_tell_is_summed():
    one = {"gen_ai.usage.input_tokens": 80, "gen_ai.usage.output_tokens": 12, "gen_ai.usage.reasoning_tokens": 5}
    other = {"llm.token_count.prompt": 80, "llm.token_count.completion": 12}
    found = of(("chat", one), ("ChatCompletion", other), ("run", {"gen_ai.usage.input_tokens": 0}))
    assert (found["calls"], found["input"], found["output"]) == ((2, 1), (160, 80), (24, 12))
    assert (found["reasoning"], found["cached"]) == ((5, 5), (0, 64))


def test_an_agent_is_told_once_by_a_span_of_one_that_names_it():
    expert = {"openinference.span.kind": "AGENT", "caller": "lead"}
    assert of(("expert.run", expert), ("expert.run", expert), ("lead", {}))["agents"] == (1, 2)
    assert of(("expert.run", expert), ("lead", {"openinference.span.kind": "CHAIN"}))["agents"] == (1, 2)
    assert of(("invoke_agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "lead"}))["agents"] == (
        1,
        2,
    )


def test_a_tool_is_told_as_often_as_it_works():
    search = ("execute_tool", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"})
    assert [of(*[search] * times)["tools"] for times in (0, 1, 2, 3)] == [(0, 2), (1, 2), (2, 2), (2, 2)]


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.resend_count": 1},
        {"http.response.status_code": 429},
        {"error.type": "RateLimitError"},
        {"message": "Error code: 429 - too many"},
    ],
    ids=str,
)
def test_a_refusal_is_told_in_whatever_words(attributes):
    assert of(("chat", attributes))["refusals"] == (1, 1)
    assert of(("chat", {"gen_ai.usage.total_tokens": 1429, "http.request.resend_count": 0}))["refusals"] == (0, 1)
