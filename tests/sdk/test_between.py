"""An application's own spans between ours, which it exports elsewhere: the collector has the whole tree all the same."""

from __future__ import annotations

import pytest
from frameworks.books import opened
from frameworks.script import playing
from frameworks.turn import says
from openai import OpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """What the collector makes of spans."""
    with opened(tmp_path_factory.mktemp("collector")) as kept:
        yield kept


def test_a_call_below_spans_that_go_elsewhere_is_below_its_agent_and_has_its_role(spans, books):
    elsewhere = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(elsewhere))
    between = provider.get_tracer("application").start_as_current_span
    asked = {"model": "gpt-5", "messages": [{"role": "user", "content": "Where to?"}]}
    turns = says("Rome.", 40, 6), says("In May.", 50, 7)
    with playing(*turns) as (_, url), OpenAI(base_url=url, api_key="-") as client, tokentrace.workflow("trip"):
        for title in ("planner", "writer"):
            with tokentrace.agent(title), between("job"), between("attempt"):
                client.chat.completions.create(**asked)
    assert len(elsewhere.get_finished_spans()) == 4
    report = books.report(spans.ours())
    names = {span["span_id"]: span["name"] for span in report["spans"]}
    calls = [(names.get(span["parent_id"]), span["role"]) for span in report["spans"] if span["kind"] == "call"]
    assert calls == [("planner", "plan"), ("writer", "answer")]
