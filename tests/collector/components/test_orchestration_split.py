"""The split of an answer's call by hand: what of its prompt is the agent's, at which prices, to the last token."""

import json

import pytest

PRICES = "version: 1\nrates: [{provider: openai, model: 'gpt-6*', prices: {input_text: 2, cache_read: 0.2, cache_write_5m: 2.5, output_text: 10, output_reasoning: 10, web_search: 0.01}}]"


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.fixture(scope="module", autouse=True)
def _prices(shared_ledger):
    shared_ledger.priced_by(PRICES)


def split(ledger, trace, segments, **more):
    """The lines of an answer with this prompt: unit, segment, component, sub-component, tokens."""
    said = {"tokentrace.input.segments": json.dumps(segments)} | more.pop("said", {})
    ledger.call(trace, "a", said=said, role=more.pop("role", "answer"), **more)
    ledger.tick()
    cost = ledger.call_cost(trace, "a")
    columns = (cost[f"lines.{name}"] for name in ("unit", "segment", "component", "sub_component"))
    return list(zip(*columns, map(int, cost["lines.quantity"]), strict=True))


def test_the_retry_of_the_worked_example(ledger):
    """T2: 6,000 in, 4,000 of them cached; 1,800 of the agent at the front and 600 at the end; a search."""
    lines = split(
        ledger, "retry", ["tool_definitions:1800", "user:3600", "tool_results:600"], meters={"web_search": 1},
        tokens={"input_text": 2_000, "cache_read": 4_000, "output_text": 400, "output_reasoning": 1_100},
    )  # fmt: skip
    assert lines == [
        ("cache_read", "tool_definitions", "orchestration", "tool_schema", 1_800),
        ("cache_read", "user", "visible", "input", 2_200),
        ("input_text", "user", "visible", "input", 1_400),
        ("input_text", "tool_results", "orchestration", "tool_io", 600),
        ("output_reasoning", "", "hidden_reasoning", "hidden", 1_100),
        ("output_text", "", "visible", "output", 400),
        ("web_search", "", "orchestration", "tool_fees", 1),
    ]
    assert ledger.components("retry") == {
        "visible": "0.00724", "hidden_reasoning": "0.011", "orchestration": "0.01156",
    }  # fmt: skip


def test_the_cache_is_read_then_written_then_passed(ledger):
    """10 of 20 read, 4 written, 6 new: each segment is cut where they meet."""
    lines = split(
        ledger, "order", ["system:8", "tool_definitions:4", "history:4", "user:4"],
        tokens={"cache_read": 10, "cache_write_5m": 4, "input_text": 6},
    )  # fmt: skip
    assert lines == [
        ("cache_read", "system", "visible", "input", 8),
        ("cache_read", "tool_definitions", "orchestration", "tool_schema", 2),
        ("cache_write_5m", "tool_definitions", "orchestration", "tool_schema", 2),
        ("cache_write_5m", "history", "orchestration", "context_resend", 2),
        ("input_text", "history", "orchestration", "context_resend", 2),
        ("input_text", "user", "visible", "input", 4),
    ]


def test_the_conversation_is_told_apart_from_the_overhead_of_the_agent(ledger):
    """Both are orchestration; only one of them is what people said before."""
    lines = split(
        ledger, "apart", ["system:10", "tool_definitions:20", "history:30", "retrieved:15", "user:5", "tool_results:20"],
        tokens={"input_text": 100},
    )  # fmt: skip
    by = {sub: tokens for _, _, component, sub, tokens in lines if component == "orchestration"}
    assert by == {"tool_schema": 20, "context_resend": 30, "tool_io": 20}
    assert sum(tokens for _, _, component, _, tokens in lines if component == "visible") == 30


@pytest.mark.parametrize(
    ("told", "reported", "expected"),
    [
        ([1, 1, 1], 100, [34, 33, 33]),
        ([1, 2, 4], 10, [1, 3, 6]),
        ([333, 333, 334], 1, [0, 0, 1]),
        ([5, 0, 5], 7, [4, 0, 3]),
    ],
)
def test_the_largest_remainders_are_rounded_up_and_the_sum_is_exact(ledger, told, reported, expected):
    """Of equal ones, the first in the prompt."""
    kinds = ("tool_definitions", "history", "user")
    trace = f"remainder {told}"
    lines = split(
        ledger, trace, [f"{kind}:{count}" for kind, count in zip(kinds, told, strict=True)],
        tokens={"input_text": reported},
    )  # fmt: skip
    found = {segment: tokens for _, segment, _, _, tokens in lines}
    assert [found.get(kind, 0) for kind in kinds] == expected


def test_without_an_account_of_the_prompt_all_of_it_is_visible(ledger):
    assert split(ledger, "silent", [], tokens={"cache_read": 3, "input_text": 4}) == [
        ("cache_read", "", "visible", "input", 3),
        ("input_text", "", "visible", "input", 4),
    ]


def test_an_answer_in_the_form_of_a_tool_call_is_the_answer(ledger):
    """Two extractions: nobody takes the calls up. Their schema is the agent's, their arguments are not."""
    said = {
        "gen_ai.response.finish_reasons": '["tool_calls"]',
        "tokentrace.input.segments": '["tool_definitions:400","user:600"]',
    }
    for place in range(2):
        ledger.call("forced", f"c{place}", at=2 * place, tokens={"input_text": 1_000, "output_text": 50}, said=said)
    ledger.tick()
    assert ledger.components("forced") == {"visible": "0.0034", "orchestration": "0.0016"}


def test_the_arguments_of_a_tool_call_that_is_taken_up_are_orchestration(ledger):
    """A tool runs, and an answer reads what it gave."""
    asks = {
        "gen_ai.response.finish_reasons": '["tool_calls"]',
        "tokentrace.input.segments": '["tool_definitions:400","user:600"]',
    }
    ledger.call("consumed", "c0", tokens={"input_text": 1_000, "output_text": 50}, said=asks)
    ledger.span("consumed", "t", at=2, said={"gen_ai.operation.name": "execute_tool"})
    reads = {"tokentrace.input.segments": '["user:600","tool_results:400"]'}
    ledger.call("consumed", "c1", at=4, tokens={"input_text": 1_000, "output_text": 50}, said=reads)
    ledger.tick()
    assert ledger.call_cost("consumed", "c0")["orchestration"] == ledger.call_cost("consumed", "c0")["total"]
    assert ledger.components("consumed") == {"visible": "0.0017", "orchestration": "0.0033"}


def test_an_attempt_that_failed_is_an_error_with_its_reasoning_and_its_fees(ledger):
    """Errors come before reasoning, and reasoning before orchestration."""
    spent = {"tokens": {"input_text": 1_000, "output_reasoning": 100}, "meters": {"web_search": 1}}
    ledger.call("wasted", "c0", role="plan", failed=True, **spent)
    ledger.call("wasted", "c1", role="plan", at=2, **spent)
    ledger.tick()
    assert ledger.components("wasted") == {
        "errors": "0.013", "hidden_reasoning": "0.001", "orchestration": "0.012",
    }  # fmt: skip
