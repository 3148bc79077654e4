"""Work that may have been in vain: flagged by call and by trace, while every component stays what is known."""

from decimal import Decimal

import pytest

CALL = {"input_text": 1_000, "output_text": 100}
ASKED = {"tokentrace.input.segments": '["system:10","user:90"]'}
OTHER = {"tokentrace.input.segments": '["system:10","user:91"]'}


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def suspected(ledger, trace):
    """The calls that are suspected of something, and how often each was made."""
    ledger.tick()
    rows = ledger.store.query(
        "SELECT span_id, suspected, repeats FROM call_costs FINAL WHERE trace_id = {trace:String} AND notEmpty(suspected)",
        trace=trace,
    )
    return {row["span_id"]: (*row["suspected"], row["repeats"]) for row in rows}


def test_the_same_call_again_and_again_is_a_loop(ledger):
    """All but the last have been made again."""
    for place in range(3):
        ledger.call("loop", f"c{place}", at=2 * place, tokens=CALL, said=ASKED)
    ledger.call("loop", "other", at=9, tokens=CALL, said=OTHER)
    assert suspected(ledger, "loop") == {
        "c0": ("loop", "repeated", 3),
        "c1": ("loop", "repeated", 3),
        "c2": ("loop", 3),
    }


def test_a_call_that_is_made_twice_is_no_loop(ledger):
    """The first answer may not have been good enough."""
    for place in range(2):
        ledger.foreign(
            "twice", f"c{place}", at=2 * place, usage={"input_tokens": 9}, said={"gen_ai.request.model": "gpt-6"}
        )
    assert suspected(ledger, "twice") == {"c0": ("repeated", 2)}


def test_samples_that_are_drawn_beside_each_other_are_no_loop(ledger):
    for place in range(3):
        ledger.call("samples", f"c{place}", at=place / 10, tokens=CALL, said=ASKED)
    assert suspected(ledger, "samples") == {}


def test_a_prompt_of_the_same_size_that_was_never_sent_before_is_another(ledger):
    """The process that sends it knows."""
    for place in range(3):
        ledger.call(
            "sizes",
            f"c{place}",
            at=2 * place,
            tokens=CALL,
            said=ASKED | {"tokentrace.prefix.repeated": 10 * (place > 0)},
        )
    assert suspected(ledger, "sizes") == {}


def test_a_call_that_failed_and_is_made_again_is_an_error_and_no_suspicion(ledger):
    ledger.call("failed", "c0", tokens=CALL, said=ASKED, failed=True)
    ledger.call("failed", "c1", tokens=CALL, said=ASKED, at=2)
    assert suspected(ledger, "failed") == {}


def step(ledger, trace, span, parent="root", **more):
    ledger.span(trace, span, parent, said={"tokentrace.step.name": more.pop("name", "draft")}, **more)


def test_the_work_of_a_step_that_failed_and_was_tried_again_is_suspected(ledger):
    ledger.span("steps", "root", seconds=20)
    step(ledger, "steps", "first", failed=True, at=1, seconds=3)
    ledger.call("steps", "c0", "first", at=2, tokens=CALL, said=ASKED)
    step(ledger, "steps", "second", at=5, seconds=3)
    ledger.call("steps", "c1", "second", at=6, tokens=CALL, said=OTHER)
    assert suspected(ledger, "steps") == {"c0": ("retried_step", 0)}


def test_the_work_of_a_branch_that_failed_is_suspected(ledger):
    """Whoever went on without it."""
    ledger.span("branch", "root", seconds=20)
    step(ledger, "branch", "one", name="search", failed=True, at=1, seconds=9)
    ledger.span("branch", "between", "one", at=1, library="http")
    ledger.call("branch", "c0", "between", at=2, tokens=CALL, said=ASKED)
    step(ledger, "branch", "two", name="write", at=12)
    ledger.call("branch", "c1", "two", at=12, tokens=CALL, said=OTHER)
    assert suspected(ledger, "branch") == {"c0": ("failed_branch", 0)}


def test_the_work_of_a_request_that_failed_is_suspected(ledger):
    ledger.span("request", "root", failed=True)
    ledger.call("request", "c0", "root", tokens=CALL)
    assert suspected(ledger, "request") == {"c0": ("abandoned", 0)}


def test_suspicions_are_added_up_by_trace_and_move_nothing(ledger):
    ledger.span("sums", "root", failed=True)
    for place in range(3):
        ledger.call("sums", f"c{place}", "root", at=2 * place, role="answer", tokens=CALL, said=ASKED)
    ledger.tick()
    rows = ledger.store.query("SELECT * FROM suspicions WHERE trace_id = 'sums' ORDER BY suspicion")
    assert [(row["suspicion"], row["calls"], row["repeats"], row["cost"]) for row in rows] == [
        ("abandoned", 3, 3, Decimal("0.009")),
        ("loop", 3, 3, Decimal("0.009")),
        ("repeated", 2, 3, Decimal("0.006")),
    ]
    assert ledger.components("sums") == {"visible": "0.009"}
