"""Programs, agents and tools of DSPy, over the engine of its own and over litellm."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal
from typing import Any

import pytest

# It would fetch its prices otherwise, from wherever the tests run.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
pytest.importorskip("dspy", reason="runs in an environment of its own")

import dspy
from dspy.primitives.module import Module

from frameworks.afterwards import nothing_is_left
from frameworks.runs.dspy import ASKED, CHOICE, ENGINES, REASONED, TURNS, model, react, run, search
from frameworks.script import playing
from frameworks.tree import SCOPE, counted, drawn
from frameworks.turn import fails, says

# litellm keeps its clients, whose sockets outlive the event loops that they were opened in.
pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings("ignore"),
]

ANSWER = "[[ ## answer ## ]]\nwarm\n\n[[ ## completed ## ]]"


def calls(spans: Any) -> list[Any]:
    """Our spans, without what litellm says once more of the client that it calls."""
    return [span for span in spans.ours() if (span.attributes or {}).get(SCOPE) != "aggregate"]


def tree(spans: Any) -> str:
    """The drawing, whether litellm stands between a step and the client, or not."""
    lines = drawn(spans.ours()).splitlines()
    kept, taken = [], 0
    for line in lines:
        if line.endswith("aggregate"):
            taken = len(line) - len(line.lstrip()) + 2
            continue
        depth = len(line) - len(line.lstrip())
        kept.append(line[2:] if taken and depth >= taken else line)
        taken = taken if depth >= taken else 0
    return "\n".join(kept)


def broken(place: str) -> str:
    """Fail."""
    raise LookupError(place)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("is_async", [False, True])
def test_an_agent_is_what_its_modules_and_tools_did(metering, engine, is_async):
    with playing(*TURNS) as (_, url):
        expected = run(react(), model(url, engine), is_async, **ASKED)
    with metering() as spans, playing(*TURNS) as (script, url):
        found = run(react(), model(url, engine), is_async, **ASKED)
        assert nothing_is_left()
    assert found.toDict() == expected.toDict()
    assert (
        tree(spans)
        == """\
ReAct
  react
    chat gpt-5  100 → 20 (5)
  search
  react
    chat gpt-5  110 → 21
  finish
  extract
    chat gpt-5  180 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    kinds = [(span.attributes or {}).get("tokentrace.step.kind") for span in spans.ours()]
    assert [kind for kind in kinds if kind] == ["step", "tool", "step", "tool", "step", "agent"]


class Tour(dspy.Module):
    """A program as people write them."""

    def __init__(self) -> None:
        super().__init__()
        self.describe = dspy.ChainOfThought("question -> answer")
        self.shorten = dspy.Predict("text -> answer")

    def forward(self, question: str) -> Any:
        return self.shorten(text=self.describe(question=question).answer)

    async def aforward(self, question: str) -> Any:
        described = await self.describe.acall(question=question)
        return await self.shorten.acall(text=described.answer)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_program_is_a_workflow_of_modules_with_its_names(spans, engine, is_async):
    with playing(says(REASONED, 30, 5), says(ANSWER, 20, 4)) as (script, url):
        assert run(Tour(), model(url, engine), is_async, **ASKED).answer == "warm"
    assert tree(spans) == "Tour\n  describe\n    chat gpt-5  30 → 5\n  shorten\n    chat gpt-5  20 → 4"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_that_cannot_be_parsed_is_asked_for_again_in_the_same_step(spans, books, engine):
    with playing(says("Warm, I think.", 30, 5), says('{"answer": "warm"}', 40, 4)) as (script, url):
        assert run(dspy.Predict("question -> answer"), model(url, engine), **ASKED).answer == "warm"
    assert tree(spans) == "Predict\n  chat gpt-5  30 → 5\n  reject schema\n  chat gpt-5  40 → 4"
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(30, 5)]


@pytest.mark.parametrize("is_async", [False, True])
def test_answers_that_no_adapter_can_parse_are_all_lost(spans, books, is_async):
    # Older releases ask a third time.
    turns = says("Warm, I think.", 30, 5), says("Warm, really.", 40, 4), says("It is warm.", 60, 6)
    unparsed = pytest.raises(Exception, match="failed to parse")
    with playing(*turns) as (script, url), unparsed:
        run(dspy.Predict("question -> answer"), model(url), is_async, **ASKED)
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(tokens.input, tokens.output) for tokens in script.billed]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("is_async", [False, True])
def test_what_was_refused_and_tried_again_is_billed_once(spans, engine, is_async, monkeypatch):
    if len(ENGINES) > 1:
        monkeypatch.setattr("dspy.clients.execution._delay", lambda *_: 0.0)
    with playing(fails(429), says(ANSWER, 30, 5)) as (script, url):
        run(dspy.Predict("question -> answer"), model(url, engine, num_retries=1), is_async, **ASKED)
    assert tree(spans).splitlines()[0] == "Predict"
    assert tree(spans).splitlines()[-1].strip() == "chat gpt-5  30 → 5"
    assert counted(spans.ours()) == script.billed
    assert len(script.asked) == 2


def test_an_error_of_a_tool_is_shown_to_the_model_and_to_us(spans):
    with playing(
        says(CHOICE.format("broken", '{"place": "Rome"}'), 100, 20),
        says(CHOICE.format("finish", "{}"), 110, 21),
        says(REASONED, 180, 12),
    ) as (script, url):
        run(dspy.ReAct("question -> answer", tools=[broken]), model(url), **ASKED)
    assert "  broken  ✗ LookupError" in tree(spans).splitlines()
    assert counted(spans.ours()) == script.billed


def test_an_error_of_a_module_is_the_application_s(spans):
    class Failing(dspy.Module):
        def forward(self, question: str) -> Any:
            raise LookupError(question)

    with pytest.raises(LookupError, match="Rome"):
        Failing()(**ASKED)
    assert drawn(spans.ours()) == "Failing  ✗ LookupError"
    assert nothing_is_left()


def test_an_agent_that_is_a_tool_is_below_it(spans):
    with playing(
        says(CHOICE.format("ask_expert", '{"question": "Rome?"}'), 50, 10),
        says(CHOICE.format("finish", "{}"), 40, 8),
        says(REASONED, 60, 6),
        says(CHOICE.format("finish", "{}"), 70, 7),
        says(REASONED, 80, 8),
    ) as (script, url):
        expert = dspy.ReAct("question -> answer", tools=[search])

        def ask_expert(question: str) -> str:
            """Ask one who knows."""
            return str(expert(question=question).answer)

        run(dspy.ReAct("question -> answer", tools=[ask_expert]), model(url), **ASKED)
    assert tree(spans).splitlines()[:8] == [
        "ReAct",
        "  react",
        "    chat gpt-5  50 → 10",
        "  ask_expert",
        "    ReAct",
        "      react",
        "        chat gpt-5  40 → 8",
        "      finish",
    ]
    assert counted(spans.ours()) == script.billed


class Tours(dspy.Module):
    """Asks for several places at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.ask = dspy.Predict("question -> answer")

    def forward(self, places: list[str]) -> Any:
        pairs = [(self.ask, dspy.Example(question=place).with_inputs("question")) for place in places]
        return dspy.Parallel(num_threads=2, disable_progress_bar=True)(pairs)


def test_programs_in_parallel_belong_to_who_runs_them(spans):
    with playing(choose=lambda _: says(ANSWER, 30, 5)) as (script, url):
        found = run(Tours(), model(url), places=["Rome?", "Oslo?"])
    assert [each.answer for each in found] == ["warm", "warm"]
    assert sorted(tree(spans).splitlines()) == sorted(["Tours", *["  ask", "    chat gpt-5  30 → 5"] * 2])
    assert len({span.context.trace_id for span in spans.ours()}) == 1
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["openai/gpt-5", "anthropic/claude-opus-5", "gemini/gemini-3.8-flash"])
@pytest.mark.parametrize("is_async", [False, True])
def test_every_dialect_is_counted_once(spans, engine, name, is_async):
    with playing(says(ANSWER, 180, 12, 0, 64)) as (script, url):
        run(dspy.Predict("question -> answer"), model(url, engine, name), is_async, **ASKED)
    assert tree(spans) == f"Predict\n  chat {name.rpartition('/')[2]}  180 → 12"
    assert counted(spans.ours()) == script.billed
    (call,) = [span.attributes for span in calls(spans) if SCOPE in (span.attributes or {})]
    provider = {"gemini": "gcp.gemini"}.get(vendor := name.partition("/")[0], vendor)
    assert call["gen_ai.provider.name"] == provider


@pytest.mark.skipif(len(ENGINES) < 2, reason="no engine of its own")
def test_responses_are_counted_once(spans):
    with playing(says(ANSWER, 180, 12, 4, 64)) as (script, url):
        run(dspy.Predict("question -> answer"), model(url, model_type="responses"), **ASKED)
    assert tree(spans) == "Predict\n  chat gpt-5  180 → 12 (4)"
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["openai/gpt-5", "anthropic/claude-opus-5"])
def test_what_is_streamed_is_counted_once(spans, engine, name):
    async def read(lm: Any) -> Any:
        with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
            listener = dspy.streaming.StreamListener(signature_field_name="answer")
            streamed = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
            return [part async for part in streamed(**ASKED)][-1]

    with playing(says('{"answer":"warm"}', 180, 12, 0, 64)) as (script, url):
        assert "warm" in asyncio.run(read(model(url, engine, name))).answer
    # Through litellm nobody asks OpenAI for the usage of a stream, and so it says nothing.
    is_told = (engine, name) != ("litellm", "openai/gpt-5")
    assert tree(spans) == f"Predict\n  chat {name.rpartition('/')[2]}{'  180 → 12' if is_told else ''}"
    assert counted(spans.ours()) == (script.billed if is_told else [])
    assert nothing_is_left()


def test_a_program_made_before_is_told_and_one_is_left_alone_after(metering):
    holders = [(Module, "__call__"), (Module, "acall"), (dspy.Tool, "__call__"), (dspy.Tool, "acall")]
    before = [vars(holder)[each] for holder, each in holders]
    with playing(says(REASONED, 30, 5), says(ANSWER, 20, 4), says(REASONED, 30, 5), says(ANSWER, 20, 4)) as (_, url):
        tour, lm = Tour(), model(url)
        with metering() as spans:
            run(tour, lm, **ASKED)
        run(tour, lm, **ASKED)
    assert tree(spans) == "Tour\n  describe\n    chat gpt-5  30 → 5\n  shorten\n    chat gpt-5  20 → 4"
    assert all(vars(holder)[each] is was for (holder, each), was in zip(holders, before, strict=True))


def test_the_books_know_what_was_billed(metering, books):
    with metering() as spans, playing(says(REASONED, 300, 50), says(ANSWER, 200, 40)) as (script, url):
        run(Tour(), model(url), **ASKED)
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    # 500 at $1.25 and 90 at $10 per million.
    assert Decimal(report["total"]) == Decimal("0.001525")
    assert report["calls"] == 2
