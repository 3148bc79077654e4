"""Human review: reported attention times the rate, once per person and moment."""

from decimal import Decimal

import pytest

BOOK = "version: 1\nhuman_review: {rate_per_hour: 45, roles: {lawyer: 180}}"


@pytest.fixture(scope="module", autouse=True)
def book(shared_ledger):
    shared_ledger.priced_by(BOOK)


def test_two_minutes_at_forty_five_an_hour_are_one_and_a_half(shared_ledger):
    """Not 1.499999999999999985: the division comes last."""
    shared_ledger.review("exact", "r", active=120)
    shared_ledger.tick()
    assert shared_ledger.components("exact") == {"human_review": "1.5"}


def test_a_role_has_its_own_rate(shared_ledger):
    """A lawyer costs more."""
    shared_ledger.review("role", "r", active=60, said={"tokentrace.review.reviewer.role": "lawyer"})
    shared_ledger.tick()
    assert shared_ledger.components("role") == {"human_review": "3"}


def test_attention_is_counted_in_whole_seconds(shared_ledger):
    """59.6 seconds are a minute."""
    shared_ledger.review("whole", "r", active=59.6)
    shared_ledger.tick()
    assert shared_ledger.trace("whole")["review_seconds"] == 60


def test_a_review_without_a_time_is_not_free(shared_ledger):
    """It lowers coverage instead."""
    shared_ledger.review("untimed", "r")
    shared_ledger.tick()
    row = shared_ledger.trace("untimed")
    assert (row["total"], row["reviews_covered"], row["reviews_total"], row["coverage"]) == (0, 0, 1, 0)


def test_one_person_does_not_pay_attention_twice(shared_ledger):
    """Two reviews at the same moment, in two traces: the later one counts what is left."""
    shared_ledger.review("first", "r", active=120, by="ann", at=0)
    shared_ledger.review("second", "r", active=120, by="ann", at=60)
    shared_ledger.tick()
    assert [shared_ledger.trace(name)["review_seconds"] for name in ("first", "second")] == [120, 60]


def test_a_late_review_takes_its_moment_back(shared_ledger):
    """An earlier review of the same person arrives after the other was booked."""
    shared_ledger.review("booked", "r", active=120, by="bob", at=60)
    shared_ledger.tick()
    shared_ledger.review("late", "r", active=120, by="bob", at=0)
    shared_ledger.tick()
    assert [shared_ledger.trace(name)["review_seconds"] for name in ("booked", "late")] == [60, 120]


def test_two_people_may_look_at_once(shared_ledger):
    """Reviewers who are not named are nobody's same person."""
    shared_ledger.review("two", "a", active=120)
    shared_ledger.review("two", "b", active=120)
    shared_ledger.tick()
    assert shared_ledger.trace("two")["review_seconds"] == 240


def test_two_people_may_look_at_two_traces_at_once(shared_ledger):
    """A span id names a span of its trace only."""
    shared_ledger.review("anonymous one", "r", active=120)
    shared_ledger.review("anonymous two", "r", active=120)
    shared_ledger.tick()
    assert [shared_ledger.trace(f"anonymous {name}")["review_seconds"] for name in ("one", "two")] == [120, 120]


def test_without_a_review_there_is_no_review_cost(shared_ledger):
    """The component is there for its cause alone."""
    shared_ledger.call("none", "a", tokens={"input_text": 1_000})
    shared_ledger.tick()
    assert shared_ledger.trace("none")["human_review"] == Decimal(0)


def test_without_a_rate_reviews_are_not_priced(ledger):
    """Their amount is NULL and their coverage nought."""
    ledger.review("t", "r", active=120)
    ledger.tick()
    assert (ledger.call_cost("t", "r")["lines.amount"], ledger.trace("t")["reviews_covered"]) == ([None], 0)
