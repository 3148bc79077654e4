"""A review of a session or of several requests is one line, shared by those that it is of (the method, §4.5)."""

import json
from decimal import Decimal

import pytest

from tokentrace_collector.reports import answers, breakdown
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.tenants import Books

DAY = 86_400.0
CALL = {"input_text": 1_000, "output_text": 100}
COST = Decimal("0.003")
BOOK = "version: 1\nhuman_review: {rate_per_hour: 45}"
"""Two minutes are 1.5."""


def reviewed(ledger, span, *, of=(), session="s1", trace=None, active=120, at=DAY, said=(), **more):
    """A review in a trace that is called like its span."""
    told = {"tokentrace.report": "review"} | ({"tokentrace.review.session": session} if session else {})
    told |= {"tokentrace.review.traces": json.dumps(list(of))} if of else {}
    ledger.review(trace or span, span, active=active, at=at, said=told | dict(said), **more)


def request(ledger, *traces, session="s1", at=0.0, **said):
    said = {f"tokentrace.attribution.{name}": value for name, value in said.items()} | {"session.id": session}
    for trace in traces:
        ledger.call(trace, "a", at=at, role="answer", tokens=CALL, said=said)


def shares(ledger, review):
    """Amount and seconds by trace; of no trace is the session's."""
    rows = ledger.store.query(
        "SELECT trace_id, sum(amount) AS amount, sum(quantity) AS seconds FROM capacity_lines FINAL"
        " WHERE review_span_id = {review:String} GROUP BY trace_id ORDER BY trace_id",
        review=review,
    )
    return {row["trace_id"]: (row["amount"], int(row["seconds"])) for row in rows}


def figures(ledger, trace):
    row = ledger.trace(trace)
    names = ("human_review", "direct", "allocated", "reviews", "review_seconds", "reviews_covered", "reviews_total")
    return tuple(row[name] for name in names)


def lines(ledger, review):
    return ledger.store.query(
        "SELECT trace_id, team, session, toString(hour) AS hour, status, amount, quantity FROM cost_lines"
        " WHERE (trace_id, kind) = ({review:String}, 'review') OR (kind = 'review_share' AND (trace_id, hour) IN ("
        "SELECT trace_id, hour FROM capacity_lines FINAL WHERE review_span_id = {review:String})) ORDER BY trace_id, team",
        review=review,
    )


@pytest.fixture(scope="module", autouse=True)
def book(shared_ledger):
    shared_ledger.priced_by(BOOK)


@pytest.fixture
def books(shared_ledger):
    return shared_ledger


def test_a_review_of_a_session_is_one_line_that_is_shared_by_items(books):
    """Two minutes at 45 an hour, three parts to one: 1.125 and 0.375, beside what each request caused."""
    request(books, "items 1", "items 2")
    reviewed(books, "items", of=["items 1:3", "items 2:1"])
    books.tick()
    line = books.call_cost("items", "items")
    assert (line["lines.quantity"], line["lines.status"], line["total"]) == ([120], ["shared"], 0)
    assert shares(books, "items") == {"items 1": (Decimal("1.125"), 90), "items 2": (Decimal("0.375"), 30)}
    assert figures(books, "items 1") == (Decimal("1.125"), COST, Decimal("1.125"), 1, 90, 1, 1)
    assert books.store.query("SELECT 1 FROM tcoai_by_trace FINAL WHERE trace_id = 'items'") == []


def test_without_items_it_is_shared_equally_to_the_last_unit(books):
    """What does not divide goes to the first by their ids; so do the seconds."""
    request(books, "equal 1", "equal 2", "equal 3")
    reviewed(books, "equal", of=["equal 3", "equal 1", "equal 2"], active=80)
    books.tick()
    third = Decimal("0.333333333333333333")
    first = third + Decimal("1e-18")
    assert shares(books, "equal") == {"equal 1": (first, 27), "equal 2": (third, 27), "equal 3": (third, 26)}


def test_where_nobody_says_of_which_requests_it_stays_with_the_session(books):
    """And is of no request: not of those of the session, and not of the one that it was recorded in."""
    request(books, "whole 1", "whole host", team="search", session="s of whole")
    reviewed(books, "whole", trace="whole host", session="s of whole")
    books.tick()
    assert shares(books, "whole") == {"": (Decimal("1.5"), 120)}
    assert figures(books, "whole host") == figures(books, "whole 1") == (0, COST, 0, 0, 0, 0, 0)
    asked = "SELECT trace_id, team, status, amount FROM cost_lines WHERE session = 's of whole' AND component = 'human_review' AND amount > 0"
    assert books.store.query(asked) == [
        {"trace_id": "", "team": "search", "status": "allocated", "amount": Decimal("1.5")}
    ]


def test_a_share_is_for_whom_its_request_is_for_and_dated_by_the_review(books):
    """Whoever tells of the review; by hour it is allocated."""
    request(books, "whose 1", team="whose legal")
    request(books, "whose 2", team="whose search")
    reviewed(books, "whose", of=["whose 1", "whose 2"], said={"tokentrace.attribution.team": "queue"})
    books.tick()
    asked = (
        "SELECT team, toString(hour) AS hour, sum(allocated) AS allocated FROM tcoai_by_hour FINAL"
        " WHERE component = 'human_review' AND startsWith(team, 'whose') GROUP BY team, hour ORDER BY team"
    )
    hour = "2026-11-21 10:00:00"
    assert [tuple(row.values()) for row in books.store.query(asked)] == [
        ("whose legal", hour, Decimal("0.75")),
        ("whose search", hour, Decimal("0.75")),
    ]


def test_the_share_of_a_request_that_has_not_come_is_the_sessions_until_it_comes(books):
    """No other share depends on it, nor on what came first."""
    request(books, "come 1")
    reviewed(books, "come", of=["come 1:2", "come late:1"])
    books.tick()
    before = shares(books, "come")
    request(books, "come late", at=60)
    books.tick()
    assert before == {"": (Decimal("0.5"), 40), "come 1": (Decimal(1), 80)}
    assert shares(books, "come") == {"come 1": (Decimal(1), 80), "come late": (Decimal("0.5"), 40)}
    assert books.trace("come late")["total"] == COST + Decimal("0.5")


def test_a_request_without_calls_costs_its_share(books):
    """An answer from a cache is looked at like any other."""
    books.span("cached", "root", seconds=1, name="request")
    reviewed(books, "of cached", of=["cached"])
    books.tick()
    row = books.trace("cached")
    assert (row["root_name"], row["total"], row["coverage"], row["currency"]) == ("request", Decimal("1.5"), 1, "USD")


def test_a_review_that_is_told_again_is_shared_as_it_is_told_last(books):
    """Of another request, at another time, or as a review of the trace that it is in."""
    request(books, "again 1", "again 2")
    reviewed(books, "again", of=["again 1"])
    books.tick()
    reviewed(books, "again", of=["again 2"], at=3 * DAY)
    books.tick()
    assert (shares(books, "again"), books.trace("again 1")["total"]) == ({"again 2": (Decimal("1.5"), 120)}, COST)
    reviewed(books, "again", session="", at=3 * DAY)
    books.tick()
    assert (shares(books, "again"), books.trace("again 2")["total"]) == ({}, COST)
    assert books.trace("again")["direct"] == Decimal("1.5")


def test_a_request_keeps_the_shares_of_its_other_reviews(books):
    """Though only one of them, days before the other, is told again."""
    request(books, "other 0")
    reviewed(books, "other 1", of=["other 0"], at=DAY)
    reviewed(books, "other 9", of=["other 0"], at=9 * DAY)
    books.tick()
    reviewed(books, "other 1", of=["other 0"], at=DAY, active=60)
    books.tick()
    assert figures(books, "other 0") == (Decimal("2.25"), COST, Decimal("2.25"), 2, 180, 2, 2)


def test_attention_that_another_review_has_taken_is_not_shared(books):
    """An earlier review of the same person comes later, and leaves a minute."""
    request(books, "taken 1", "taken 2")
    reviewed(books, "taken", of=["taken 1", "taken 2"], by="ann", at=60)
    books.tick()
    books.review("taken 3", "r", active=120, by="ann", at=0)
    books.tick()
    assert shares(books, "taken") == dict.fromkeys(("taken 1", "taken 2"), (Decimal("0.375"), 30))


def test_a_review_whose_time_nobody_measured_lowers_the_coverage_of_each_request(books):
    """And is no line anywhere, as none of a single request is."""
    request(books, "untimed 1", "untimed 2")
    reviewed(books, "untimed", of=["untimed 1", "untimed 2"], active=None)
    books.tick()
    assert figures(books, "untimed 1") == (0, COST, 0, 1, 0, 0, 1)
    assert books.trace("untimed 2")["coverage"] == 0
    assert lines(books, "untimed") == []


def test_reports_name_the_share_and_the_review(books):
    """The request as it was, with what it bears of a review that is none of its spans."""
    trace = "5" * 32
    request(books, trace, team="of reports")
    reviewed(books, "reports", of=[f"{trace}:1", "lost:2"], session="s of reports")
    books.tick()
    wanted = Books(books.store, "default")
    found = answers.request(wanted, trace)
    assert found["review_shares"] == [{"session": "s of reports", "kind": "approval", "seconds": 40, "cost": "0.5"}]
    assert (found["total"], found["allocated"], [each["name"] for each in found["spans"]]) == ("0.503", "0.5", ["a"])
    by_session = breakdown.shares(wanted, Breakdown(by=("session",), only={"session": "s of reports"}))
    assert [(each["total"], each["allocated"]) for each in by_session] == [("1", "1")]


def test_all_of_it_is_what_a_recomputation_gives(books):
    """Whatever came before, and in whatever order."""
    request(books, "same")
    reviewed(books, "of same", of=["same:1", "nothing:0", "never"])
    books.tick()
    assert books.rollup.verify().verified["differences"] == []
    assert shares(books, "of same") == {"": (Decimal("0.75"), 60), "same": (Decimal("0.75"), 60)}


def test_without_a_rate_a_share_has_no_price(ledger):
    """Which is not nothing; by another rate it is shared anew."""
    request(ledger, "one", "two")
    reviewed(ledger, "r", of=["one:3", "two:1"])
    ledger.tick()
    assert [(each["status"], each["amount"], each["quantity"]) for each in lines(ledger, "r")[:2]] == [
        ("unpriced", None, 90), ("shared", 0, 120)
    ]  # fmt: skip
    assert figures(ledger, "one")[-3:] == (90, 0, 1)
    ledger.priced_by("version: 1\nhuman_review: {rate_per_hour: 90}")
    ledger.tick()
    assert shares(ledger, "r") == {"one": (Decimal("2.25"), 90), "two": (Decimal("0.75"), 30)}
    assert figures(ledger, "one")[-3:] == (90, 1, 1)
