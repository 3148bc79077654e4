"""Errors: what was billed and came to nothing."""

import pytest

CALL = {"input_text": 1_000, "output_text": 100}


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.mark.parametrize(
    ("name", "more", "sub"),
    [
        ("error status", {"failed": True}, "failed"),
        ("stream broke", {"said": {"tokentrace.stream.end": "failed"}}, "failed"),
        ("filtered", {"said": {"gen_ai.response.finish_reasons": '["content_filter"]'}}, "rejected"),
    ],
)
def test_what_failed_is_an_error_with_all_it_used(ledger, name, more, sub):
    """Prompt, reasoning and output alike."""
    ledger.call(name, "a", tokens=CALL | {"output_reasoning": 50}, **more)
    ledger.tick()
    assert (ledger.components(name), set(ledger.call_cost(name, "a")["lines.sub_component"])) == (
        {"errors": "0.0035"},
        {sub},
    )


def test_an_answer_cut_off_before_its_first_word_is_an_error(ledger):
    """The limit was spent on thinking."""
    said = {"gen_ai.response.finish_reasons": '["length"]'}
    ledger.call("cut off", "a", tokens={"input_text": 1_000, "output_reasoning": 100}, said=said)
    ledger.call("cut short", "a", tokens=CALL | {"output_reasoning": 100}, said=said)
    ledger.tick()
    assert (list(ledger.components("cut off")), list(ledger.components("cut short"))) == (
        ["errors"],
        ["hidden_reasoning", "visible"],
    )


@pytest.mark.parametrize("end", ["closed", "dropped", "cancelled"])
def test_a_stream_that_its_reader_left_is_no_error(ledger, end):
    """What was delivered stays where it was, even if the reader's own exception marked the span."""
    ledger.call(end, "a", tokens=CALL, said={"tokentrace.stream.end": end}, failed=True)
    ledger.tick()
    assert ledger.components(end) == {"visible": "0.003"}


def test_a_refusal_is_an_answer(ledger):
    """It is what the model said."""
    ledger.call("refusal", "a", tokens=CALL, said={"gen_ai.response.finish_reasons": '["refusal"]'})
    ledger.tick()
    assert list(ledger.components("refusal")) == ["visible"]


def test_a_failed_attempt_more_changes_errors_only(ledger):
    """Other usage held fixed."""
    ledger.call("with", "a", role="answer", tokens=CALL)
    ledger.call("without", "a", role="answer", tokens=CALL)
    ledger.call("with", "b", role="answer", tokens=CALL, failed=True)
    ledger.tick()
    assert ledger.components("with") == ledger.components("without") | {"errors": "0.003"}


LOST = {"error.type": "ReadTimeout", "tokentrace.attempt.billable": "unknown"}
UNSETTLED = LOST | {"tokentrace.attempt.estimate.input": 1_000, "tokentrace.attempt.estimate.method": "same_request"}
ANSWERED = {"http.response.status_code": 200, "tokentrace.attempt.billable": "true"}
REFUSED = {"http.response.status_code": 503, "error.type": "503", "tokentrace.attempt.billable": "false"}


def test_an_attempt_that_may_have_been_billed_is_an_error_that_is_estimated(ledger):
    """The trace of the design: what is measured, and beside it what a timeout may have cost."""
    tokens = {"input_text": 1_000, "cache_read": 500, "output_text": 100, "output_reasoning": 50}
    ledger.call("timed out", "a", tokens=tokens, attempts=[UNSETTLED, UNSETTLED, ANSWERED])
    ledger.call("at once", "a", tokens=tokens)
    ledger.tick()
    more, plain = ledger.trace("timed out"), ledger.trace("at once")
    assert ledger.components("timed out") == ledger.components("at once") | {"errors": "0.004"}
    assert (more["measured"], str(more["estimated"].normalize())) == (plain["total"], "0.004")
    assert (more["tokens"], more["unknown_attempts"], plain["unknown_attempts"]) == (plain["tokens"], 2, 0)
    assert set(ledger.call_cost("timed out", "a")["lines.sub_component"]) == {"retried", "hidden", "input", "output"}


def test_what_it_cost_is_a_lower_bound_then(ledger):
    ledger.call("bound", "a", role="answer", tokens=CALL, attempts=[UNSETTLED, ANSWERED])
    ledger.tick()
    assert ledger.trace("bound")["coverage"] == 0


def test_an_attempt_of_which_nothing_is_known_is_counted_and_costs_nothing(ledger):
    ledger.call("unknown", "a", tokens=CALL, attempts=[LOST, ANSWERED])
    ledger.tick()
    row = ledger.trace("unknown")
    assert (str(row["total"].normalize()), row["estimated"], row["unknown_attempts"]) == ("0.003", 0, 1)


def test_an_attempt_that_was_refused_is_known_to_cost_nothing(ledger):
    """Whatever somebody says that it asked for."""
    ledger.call(
        "busy",
        "a",
        role="answer",
        tokens=CALL,
        attempts=[REFUSED | {"tokentrace.attempt.estimate.input": 1_000}, ANSWERED],
    )
    ledger.tick()
    row = ledger.trace("busy")
    assert (str(row["total"].normalize()), row["unknown_attempts"], row["coverage"]) == ("0.003", 0, 1)


def test_an_attempt_takes_no_part_in_what_its_call_is_reported_to_have_cost(ledger):
    said = {
        "tokentrace.cost.reported": "0.5",
        "tokentrace.cost.currency": "USD",
        "tokentrace.cost.reporter": "openrouter",
    }
    ledger.call("told", "a", provider="openrouter", model="openai/gpt-6-sol", tokens=CALL, said=said)
    ledger.call(
        "told again",
        "a",
        provider="openrouter",
        model="openai/gpt-6-sol",
        tokens=CALL,
        said=said,
        attempts=[UNSETTLED, ANSWERED],
    )
    ledger.tick()
    once, again = ledger.components("told"), ledger.components("told again")
    assert again.pop("errors")
    assert (once, str(ledger.trace("told again")["measured"].normalize())) == (again, "0.5")


def test_lines_say_that_such_an_attempt_is_an_estimate(ledger):
    ledger.call("lines", "a", tokens=CALL, attempts=[UNSETTLED, ANSWERED])
    ledger.tick()
    lines = ledger.store.query(
        "SELECT segment, component, is_estimated FROM cost_lines WHERE trace_id = 'lines' ORDER BY unit, segment"
    )
    assert [tuple(each.values()) for each in lines] == [
        ("", "visible", 0),
        ("attempt", "errors", 1),
        ("", "visible", 0),
    ]
