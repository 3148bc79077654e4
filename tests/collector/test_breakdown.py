"""Costs divided by whom, what and when: every division adds up to the same, to the last digit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace_collector.reports.breakdown import DIMENSIONS, Breakdown, BreakdownError, shares
from tokentrace_collector.tenants import Books

DAY = 86_400
ATTRIBUTION = "tokentrace.attribution."
KEYS = {"team": "team", "customer": "customer.id"}


def attributed(**tags):
    return {ATTRIBUTION + KEYS[tag]: value for tag, value in tags.items()}


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Three teams on four days: calls of two models, one without a price, a failure, a review."""
    ledger = fresh_ledger().priced_by("version: 1\nhuman_review: {rate_per_hour: 60}\n")
    spent = {"input_text": 1000, "output_text": 100}
    ledger.call("a1", "s1", tokens=spent, role="answer", said=attributed(team="search", customer="ada"))
    ledger.call("a1", "s2", tokens=spent, role="plan", model="gpt-5", said=attributed(team="search", customer="ada"))
    ledger.call("a2", "s1", at=DAY, tokens=spent, said=attributed(team="search", customer="bob"))
    ledger.call("a3", "s1", at=2 * DAY, tokens=spent, failed=True, said=attributed(team="shop", customer="ada"))
    ledger.call("a4", "s1", at=11 * DAY, tokens=spent, model="none-such", said=attributed(team="shop"))
    ledger.call("a5", "s1", at=11 * DAY, tokens={"input_text": 7, "output_reasoning": 50})
    ledger.review("a5", "s2", "s1", at=11 * DAY, active=90)
    ledger.tick()
    return ledger.store


def total(found):
    return sum(Decimal(each["total"]) for each in found)


def groups(found):
    return [each["group"] and tuple(each["group"].values()) for each in found]


def whole(books):
    (row,) = books.query("SELECT sum(total) AS total FROM tcoai_by_trace FINAL")
    return row["total"]


def test_everything_is_one_line_that_says_how_much_of_it_is_known(books):
    (found,) = shares(Books(books), Breakdown())
    assert (Decimal(found["total"]), found["group"], found["period"]) == (whole(books), {}, None)
    assert sum(map(Decimal, found["components"].values())) == Decimal(found["total"])
    assert found["lines"]["of"] - found["lines"]["known"] == 2


def test_the_dearest_comes_first_and_what_names_nobody_has_no_name(books):
    assert groups(shares(Books(books), Breakdown(("team",)))) == [("",), ("search",), ("shop",)]


def test_what_only_the_lines_know_adds_up_to_the_same(books):
    found = shares(Books(books), Breakdown(("customer",)))
    assert (sorted(groups(found)), total(found)) == ([("",), ("ada",), ("bob",)], whole(books))


@pytest.mark.parametrize(
    ("per", "zone", "periods"),
    [
        ("day", "UTC", ["2026-11-20", "2026-11-21", "2026-11-22", "2026-12-01"]),
        ("day", "Pacific/Kiritimati", ["2026-11-21", "2026-11-22", "2026-11-23", "2026-12-02"]),
        ("week", "UTC", ["2026-W47", "2026-W49"]),
        ("week", "Pacific/Kiritimati", ["2026-W47", "2026-W48", "2026-W49"]),
        ("month", "Europe/Berlin", ["2026-11", "2026-12"]),
        ("hour", "Europe/Berlin", [f"{day}T11:00+01:00" for day in ("2026-11-20", "2026-11-21", "2026-11-22", "2026-12-01")]),
    ],
)  # fmt: skip
def test_time_is_divided_as_the_calendar_of_a_place_has_it(books, per, zone, periods):
    found = shares(Books(books), Breakdown(per=per, zone=zone))
    assert ([each["period"] for each in found], total(found)) == (periods, whole(books))


def test_the_last_hour_of_a_day_is_still_of_that_day(books):
    until = datetime(2026, 11, 22, 10, 59, tzinfo=UTC)
    since = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
    assert groups(shares(Books(books), Breakdown(("team",), since=since, until=until))) == [("search",)]


def test_some_are_chosen(books):
    by_team = shares(Books(books), Breakdown(only={"team": "search"}))
    by_customer = shares(Books(books), Breakdown(("customer",), only={"team": "search"}))
    assert (len(by_team), groups(by_customer)) == (1, [("ada",), ("bob",)])
    assert total(by_team) == total(by_customer)
    assert shares(Books(books), Breakdown(only={"team": "nobody"})) == []


def test_what_names_none_can_be_chosen_too(books):
    (found,) = shares(Books(books), Breakdown(only={"team": ""}))
    assert Decimal(found["components"]["human_review"]) == Decimal("1.5")


def test_all_others_are_one_line_with_their_sum(books):
    found = shares(Books(books), Breakdown(("team",), limit=1))
    assert (groups(found), total(found)) == ([("",), None], whole(books))


def test_the_dearest_of_all_time_are_told_in_every_period(books):
    found = shares(Books(books), Breakdown(("team",), per="month", limit=1))
    assert [(each["period"], each["group"]) for each in found] == [
        ("2026-11", None), ("2026-12", {"team": ""}), ("2026-12", None),
    ]  # fmt: skip
    assert total(found) == whole(books)


@settings(deadline=None, max_examples=25)
@given(
    by=st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=3),
    per=st.sampled_from(["all", "hour", "day", "week", "month"]),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]),
    limit=st.integers(0, 3),
)
def test_however_it_is_divided_it_adds_up(books, by, per, zone, limit):
    found = shares(Books(books), Breakdown(tuple(by), per, zone, limit=limit))
    assert total(found) == whole(books)
    for each in found:
        assert sum(map(Decimal, each["components"].values())) == Decimal(each["total"])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"by": ("colour",)}, "colour"),
        ({"only": {"shape": "round"}}, "shape"),
        ({"per": "fortnight"}, "fortnight"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"zone": "../etc/passwd"}, "../etc/passwd"),
        ({"limit": -1}, "-1"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(wrong, named):
    with pytest.raises(BreakdownError, match=named):
        Breakdown(**wrong)


@pytest.mark.parametrize("by", [("team",), ("team", "customer")])
def test_a_call_of_whose_usage_nothing_is_known_is_no_call_without_cost(fresh_ledger, by):
    """Whether the hours are asked or the lines."""
    ledger = fresh_ledger()
    said = {"tokentrace.usage.source": "missing"} | attributed(team="lost", customer="ada")
    ledger.call("a1", "s1", said=said)
    ledger.call("a2", "s1", tokens={"input_text": 1000}, said=attributed(team="found", customer="ada"))
    ledger.tick()
    found = {
        each["group"]["team"]: (each["total"], each["lines"]) for each in shares(Books(ledger.store), Breakdown(by))
    }
    assert found == {"lost": ("0", {"known": 0, "of": 1}), "found": ("0.002", {"known": 1, "of": 1})}
