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
