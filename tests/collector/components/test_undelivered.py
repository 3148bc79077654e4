"""What was billed of an answer after its reader had left: errors, and nothing else moves."""

from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

CALL = {"input_text": 1_000, "output_text": 100}
THOUGHT = CALL | {"output_reasoning": 50}
PRICES = {"input_text": 2, "output_text": 10, "output_reasoning": 10}
"""In millionths, of `gpt-6-sol`."""
ENDS = ("closed", "dropped", "cancelled", "unread", "complete")
POOL = "version: 1\ngpu_pools: [{id: h, hourly_cost: 10, match: {provider: vllm}, capacity: 100, to: 2026-11-20T11:00:00Z}]"


def end(how, **delivered):
    return {"tokentrace.stream.end": how} | {
        f"tokentrace.delivered.{name}": tokens for name, tokens in delivered.items()
    }


def accept(ledger, trace, parent="", *, at=5, response=""):
    said = {"tokentrace.report": "acceptance"} | ({"tokentrace.accept.response_id": response} if response else {})
    ledger.span(trace, "acceptance", parent, at=at, seconds=0, said=said)


def read(ledger, trace, span, status, **more):
    """A response that is read again, in another trace."""
    said = {
        "gen_ai.response.id": f"resp_of_{trace}_0123456789",
        "gen_ai.response.finish_reasons": f'["{status}"]',
        "tokentrace.usage.scope": "retrieve",
    }
    ledger.call(f"reader of {trace}", span, said=said | more.pop("said", {}), **more)


def background(ledger, trace, *, tokens, **said):
    """The create call of a response in the background: what it used was counted by its own process."""
    named = {"gen_ai.response.id": f"resp_of_{trace}_0123456789", "tokentrace.usage.source": "estimated"}
    counted = '["input","output"]' if "output_text" in tokens else '["input"]'
    ledger.call(trace, "a", tokens=tokens, said=named | {"tokentrace.estimate.counts": counted} | said)


@pytest.fixture(scope="module")
def ledger(shared_ledger):
    """Every case below, rolled up at once."""
    ledger = shared_ledger.priced_by(POOL)
    for how in ("closed", "dropped", "cancelled"):
        ledger.call(how, "a", tokens=THOUGHT, said=end(how, output_text=60), failed=how == "cancelled")
    ledger.call("thinking", "a", tokens=THOUGHT, said=end("closed", output_text=0, output_reasoning=20))
    ledger.call("more than billed", "a", tokens=CALL, said=end("closed", output_text=10**6))
    ledger.call("plan", "a", role="plan", tokens=CALL, said=end("closed", output_text=60))
    filtered = end("closed", output_text=60) | {"gen_ai.response.finish_reasons": '["content_filter"]'}
    ledger.call("filtered", "a", tokens=CALL, said=filtered)
    ledger.call("nonsense", "a", tokens=CALL, said=end("closed", output_text="much", input_text=3))
    for broke in ("broke", "accepted", "named", "before", "sound"):
        named = {"gen_ai.response.id": f"resp_{broke}"}
        ledger.span(broke, "section", seconds=20)
        ledger.call(
            broke,
            "a",
            "section",
            role="answer",
            tokens=THOUGHT,
            said=end("failed", output_text=60) | named,
            failed=True,
        )
    ledger.call("sound", "b", "section", role="answer", tokens=CALL, at=2)
    for trace, where in {"accepted": "section", "sound": "section"}.items():
        accept(ledger, trace, where)
    accept(ledger, "named", response="resp_named")
    accept(ledger, "before", "section", at=0.5)
    background(ledger, "stopped", tokens={"input_text": 12})
    read(ledger, "stopped", "r", "cancelled", tokens=THOUGHT, said=end("", output_text=0, output_reasoning=0))
    partly = end("dropped", output_text=5)
    background(ledger, "left and stopped", tokens={"input_text": 12, "output_text": 5}, **partly)
    read(ledger, "left and stopped", "r", "cancelled", tokens=THOUGHT, said=end("", output_text=0, output_reasoning=0))
    background(ledger, "left and shown", tokens={"input_text": 12, "output_text": 5}, **partly)
    read(ledger, "left and shown", "r", "cancelled", tokens=THOUGHT, said=end("", output_text=70))
    background(ledger, "left and read", tokens={"input_text": 12, "output_text": 5}, **partly)
    read(ledger, "left and read", "r", "completed", tokens=THOUGHT)
    background(ledger, "left and asked for in vain", tokens={"input_text": 12, "output_text": 5}, **partly)
    read(ledger, "left and asked for in vain", "r", "queued", said={"tokentrace.usage.source": "missing"})
    ledger.call(
        "own",
        "a",
        provider="vllm",
        model="own",
        role="answer",
        tokens={"output_text": 100},
        said=end("closed", output_text=60),
    )
    ledger.tick()
    return ledger


def lines(ledger, trace):
    """By unit, component and sub-component: how many tokens."""
    asked = """
        SELECT unit, component, sub_component, toInt64(sum(quantity)) AS tokens
        FROM cost_lines WHERE trace_id = {trace:String} AND kind = 'token' GROUP BY ALL ORDER BY ALL
    """
    return {tuple(row.values())[:3]: row["tokens"] for row in ledger.store.query(asked, trace=trace)}


@pytest.mark.parametrize("how", ["closed", "dropped", "cancelled"])
def test_what_came_stays_and_what_was_billed_beyond_it_was_cancelled(ledger, how):
    """The prompt stays, and what was thought for what came; also where the exception of the reader marked the span."""
    assert lines(ledger, how) == {
        ("input_text", "visible", "input"): 1_000,
        ("output_reasoning", "hidden_reasoning", "hidden"): 50,
        ("output_text", "errors", "cancelled"): 40,
        ("output_text", "visible", "output"): 60,
    }


def test_of_an_answer_left_before_its_first_word_the_thoughts_were_for_nothing(ledger):
    assert lines(ledger, "thinking") == {
        ("input_text", "visible", "input"): 1_000,
        ("output_reasoning", "errors", "cancelled"): 30,
        ("output_reasoning", "hidden_reasoning", "hidden"): 20,
        ("output_text", "errors", "cancelled"): 100,
    }


def test_a_call_for_another_purpose_is_cut_at_the_same_place(ledger):
    assert ledger.components("plan") == {"orchestration": "0.0026", "errors": "0.0004"}


@pytest.mark.parametrize("trace", ["more than billed", "nonsense"])
def test_what_nobody_can_have_had_moves_nothing(ledger, trace):
    assert ledger.components(trace) == {"visible": "0.003"}


def test_what_is_an_error_as_a_whole_is_not_cut(ledger):
    assert set(lines(ledger, "filtered")) == {
        ("input_text", "errors", "rejected"),
        ("output_text", "errors", "rejected"),
    }


@pytest.mark.parametrize("trace", ["broke", "before"])
def test_what_broke_is_an_error_as_a_whole_unless_it_is_accepted_afterwards(ledger, trace):
    assert (ledger.components(trace), {line[2] for line in lines(ledger, trace)}) == ({"errors": "0.0035"}, {"failed"})


@pytest.mark.parametrize("trace", ["accepted", "named"])
def test_what_broke_and_is_used_counts_as_if_its_reader_had_stopped_it(ledger, trace):
    assert (lines(ledger, trace), ledger.call_cost(trace, "a")["waste"]) == (lines(ledger, "closed"), "")


def test_what_is_accepted_is_what_broke_and_no_later_answer(ledger):
    assert ledger.components("sound") == {"visible": "0.0056", "hidden_reasoning": "0.0005", "errors": "0.0004"}


@pytest.mark.parametrize(("trace", "came"), [("stopped", 0), ("left and stopped", 5), ("left and shown", 70)])
def test_of_a_response_that_was_cancelled_counts_what_its_stream_or_its_reader_had(ledger, trace, came):
    """Its exact counts came with the reading, and stand for those that were estimated."""
    cost = ledger.call_cost(trace, "a")
    visible = Decimal(2_000 + 10 * came) / 10**6
    assert (cost["visible"], cost["total"], cost["estimated"]) == (visible, Decimal("0.0035"), 0)
    assert (cost["errors"], cost["hidden_reasoning"]) == (
        Decimal("0.0035") - visible - cost["hidden_reasoning"],
        Decimal("0.0005") if came else 0,
    )
    assert ledger.trace(trace)["tokens"] == THOUGHT


def test_who_reads_a_response_that_went_on_has_all_of_it(ledger):
    assert ledger.components("left and read") == {"visible": "0.003", "hidden_reasoning": "0.0005"}


def test_a_reading_without_counts_leaves_what_was_estimated(ledger):
    assert ledger.trace("left and asked for in vain")["tokens"] == {"input_text": 12, "output_text": 5}


def test_capacity_that_wrote_for_nobody_is_an_error_in_its_share(ledger):
    row = ledger.trace("own")
    used = row["visible"] + row["errors"]
    assert used > 0
    assert abs(row["errors"] - used * 40 / 100) < Decimal("1e-18")


counts = st.integers(0, 5_000)
calls = st.fixed_dictionaries({
    "tokens": st.fixed_dictionaries(dict.fromkeys(PRICES, counts)),
    "delivered": st.just({}) | st.fixed_dictionaries({"output_text": counts}, optional={"output_reasoning": counts}),
    "how": st.sampled_from(ENDS),
    "role": st.sampled_from(("answer", "plan", "")),
})  # fmt: skip
_worlds = count()


@settings(
    max_examples=3, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(worlds=st.lists(calls, min_size=40, max_size=40))
def test_at_every_cut_delivered_and_undelivered_are_what_was_billed(ledger, worlds):
    """By bucket, with the prompt where it was (7); nothing but errors grows, and no total changes."""
    batch = next(_worlds)
    for place, each in enumerate(worlds):
        said = end(each["how"], **each["delivered"])
        for trace, told in ((f"cut {batch} {place}", said), (f"whole {batch} {place}", {})):
            ledger.call(trace, "a", role=each["role"], tokens=each["tokens"], said=told)
    ledger.tick()
    asked = """
        SELECT trace_id, unit, component = 'errors' AS is_error, toInt64(sum(quantity)) AS tokens
        FROM cost_lines WHERE match(trace_id, {mine:String}) GROUP BY ALL
    """
    found = {
        (row["trace_id"], row["unit"], bool(row["is_error"])): row["tokens"]
        for row in ledger.store.query(asked, mine=f"^(cut|whole) {batch} ")
    }
    costs = {
        row["trace_id"]: row
        for row in ledger.store.query(
            "SELECT * FROM tcoai_by_trace FINAL WHERE match(trace_id, {mine:String})", mine=f"^(cut|whole) {batch} "
        )
    }
    for place, each in enumerate(worlds):
        cut, whole = f"cut {batch} {place}", f"whole {batch} {place}"
        lost = 0
        for unit, billed in each["tokens"].items():
            came = min(billed, each["delivered"].get(unit, billed))
            assert (found.get((cut, unit, False), 0), found.get((cut, unit, True), 0)) == (came, billed - came)
            assert found.get((whole, unit, False), 0) == billed
            lost += (billed - came) * PRICES[unit]
        assert costs[cut]["errors"] == Decimal(lost) / 10**6
        assert costs[cut]["total"] == costs[whole]["total"]
