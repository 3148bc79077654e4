"""A review of a session or of several requests is one line, shared by those that it is of (the method, §4.5)."""

import json
from decimal import Decimal

import pytest

DAY = 86_400.0
CALL = {"input_text": 1_000, "output_text": 100}
COST = Decimal("0.003")
BOOK = "version: 1\nhuman_review: {rate_per_hour: 45}"
"""Two minutes are 1.5."""


def reviewed(ledger, span="r", *, of=(), session="s1", trace=None, active=120, at=DAY, said=(), **more):
    told = {"tokentrace.report": "review"} | ({"tokentrace.review.session": session} if session else {})
    told |= {"tokentrace.review.traces": json.dumps(list(of))} if of else {}
    ledger.review(trace or f"queue-{span}", span, active=active, at=at, said=told | dict(said), **more)


def request(ledger, *traces, session="s1", at=0.0, **said):
    said = {f"tokentrace.attribution.{name}": value for name, value in said.items()} | {"session.id": session}
    for trace in traces:
        ledger.call(trace, "a", at=at, role="answer", tokens=CALL, said=said)


def shares(ledger):
    """Amount and seconds by trace; of no trace is the session's."""
    rows = ledger.store.query(
        "SELECT trace_id, sum(amount) AS amount, sum(quantity) AS seconds FROM capacity_lines FINAL"
        " WHERE kind = 'review_share' GROUP BY trace_id ORDER BY trace_id"
    )
    return {row["trace_id"]: (row["amount"], int(row["seconds"])) for row in rows}


def figures(ledger, trace):
    row = ledger.trace(trace)
    names = ("human_review", "direct", "allocated", "reviews", "review_seconds", "reviews_covered", "reviews_total")
    return tuple(row[name] for name in names)


def traces(ledger):
    return [row["trace_id"] for row in ledger.store.query("SELECT trace_id FROM tcoai_by_trace FINAL ORDER BY trace_id")]


def verified(ledger):
    return ledger.rollup.verify().verified["differences"]


@pytest.fixture
def books(ledger):
    return ledger.priced_by(BOOK)


def test_a_review_of_a_session_is_one_line_that_is_shared_by_items(books):
    """Two minutes at 45 an hour, three parts to one: 1.125 and 0.375, beside what each request caused."""
    request(books, "one", "two")
    reviewed(books, of=["one:3", "two:1"])
    books.tick()
    line = books.call_cost("queue-r", "r")
    assert (line["lines.quantity"], line["lines.status"], line["total"]) == ([120], ["shared"], 0)
    assert shares(books) == {"one": (Decimal("1.125"), 90), "two": (Decimal("0.375"), 30)}
    assert figures(books, "one") == (Decimal("1.125"), COST, Decimal("1.125"), 1, 90, 1, 1)
    assert traces(books) == ["one", "two"]
    assert verified(books) == []


def test_without_items_it_is_shared_equally_to_the_last_unit(books):
    """What does not divide goes to the first by their ids; so do the seconds."""
    request(books, "one", "two", "three")
    reviewed(books, of=["two", "three", "one"], active=80)
    books.tick()
    third = Decimal("0.333333333333333333")
    assert shares(books) == {
        "one": (third + Decimal("1e-18"), 27), "three": (third, 27), "two": (third, 26),
    }  # fmt: skip


def test_where_nobody_says_of_which_requests_it_stays_with_the_session(books):
    """And is of no request: not of those of the session, and not of the one that it was recorded in."""
    request(books, "one", "host", team="search")
    reviewed(books, trace="host")
    books.tick()
    assert shares(books) == {"": (Decimal("1.5"), 120)}
    assert figures(books, "host") == figures(books, "one") == (0, COST, 0, 0, 0, 0, 0)
    asked = "SELECT session, team, status, amount FROM cost_lines WHERE amount > 0 AND component = 'human_review'"
    assert books.store.query(asked) == [
        {"session": "s1", "team": "search", "status": "allocated", "amount": Decimal("1.5")}
    ]


def test_a_share_is_for_whom_its_request_is_for_and_dated_by_the_review(books):
    """Whoever tells of the review."""
    request(books, "one", team="legal")
    request(books, "two", team="search")
    reviewed(books, of=["one", "two"], said={"tokentrace.attribution.team": "queue"})
    books.tick()
    asked = (
        "SELECT team, toString(hour) AS hour, sum(allocated) AS allocated FROM tcoai_by_hour FINAL"
        " WHERE component = 'human_review' GROUP BY team, hour HAVING allocated > 0 ORDER BY team"
    )
    hour = "2026-11-21 10:00:00"
    assert [tuple(row.values()) for row in books.store.query(asked)] == [
        ("legal", hour, Decimal("0.75")),
        ("search", hour, Decimal("0.75")),
    ]


def test_the_share_of_a_request_that_has_not_come_is_the_sessions_until_it_comes(books):
    """No other share depends on it, nor on what came first."""
    request(books, "one")
    reviewed(books, of=["one:2", "late:1"])
    books.tick()
    before = shares(books)
    request(books, "late", at=60)
    books.tick()
    assert before == {"": (Decimal("0.5"), 40), "one": (Decimal(1), 80)}
    assert shares(books) == {"late": (Decimal("0.5"), 40), "one": (Decimal(1), 80)}
    assert (books.trace("late")["total"], verified(books)) == (COST + Decimal("0.5"), [])


def test_a_request_without_calls_costs_its_share(books):
    """An answer from a cache is looked at like any other."""
    books.span("cached", "root", seconds=1, name="request")
    reviewed(books, of=["cached"])
    books.tick()
    row = books.trace("cached")
    assert (row["root_name"], row["total"], row["coverage"], row["currency"]) == ("request", Decimal("1.5"), 1, "USD")
    assert verified(books) == []


def test_a_review_that_is_told_again_is_shared_as_it_is_told_last(books):
    """Of another request, or of none, at another time, or as a review of the trace that it is in."""
    request(books, "one", "two")
    reviewed(books, of=["one"], trace="queue")
    books.tick()
    reviewed(books, of=["two"], trace="queue", at=3 * DAY)
    books.tick()
    assert (shares(books), books.trace("one")["total"]) == ({"two": (Decimal("1.5"), 120)}, COST)
    reviewed(books, trace="queue", session="", at=3 * DAY)
    books.tick()
    assert (shares(books), books.trace("two")["total"]) == ({}, COST)
    assert (books.trace("queue")["direct"], verified(books)) == (Decimal("1.5"), [])


def test_attention_that_another_review_has_taken_is_not_shared(books):
    """An earlier review of the same person comes later, and leaves a minute."""
    request(books, "one", "two")
    reviewed(books, of=["one", "two"], by="ann", at=60)
    books.tick()
    books.review("three", "r", active=120, by="ann", at=0)
    books.tick()
    assert shares(books) == {"one": (Decimal("0.375"), 30), "two": (Decimal("0.375"), 30)}
    assert verified(books) == []


def test_a_review_whose_time_nobody_measured_lowers_the_coverage_of_each_request(books):
    """And is no line anywhere, as none of a single request is."""
    request(books, "one", "two")
    reviewed(books, of=["one", "two"], active=None)
    books.tick()
    assert figures(books, "one") == (0, COST, 0, 1, 0, 0, 1)
    assert books.trace("two")["coverage"] == 0
    assert books.store.query("SELECT 1 FROM cost_lines WHERE component IN ('', 'human_review')") == []


def test_without_a_rate_a_share_has_no_price(ledger):
    """Which is not nothing."""
    request(ledger, "one")
    reviewed(ledger, of=["one"])
    ledger.tick()
    (row,) = ledger.store.query("SELECT status, amount, quantity FROM cost_lines WHERE kind = 'review_share'")
    assert (row["status"], row["amount"], row["quantity"]) == ("unpriced", None, 120)
    assert figures(ledger, "one")[-3:] == (120, 0, 1)


def test_another_rate_shares_anew(books):
    """All that a share was of the old one is of the new."""
    request(books, "one", "two")
    reviewed(books, of=["one:3", "two:1", "lost:4"])
    books.tick()
    books.priced_by("version: 1\nhuman_review: {rate_per_hour: 90}")
    books.tick()
    assert shares(books) == {"": (Decimal("1.5"), 60), "one": (Decimal("1.125"), 45), "two": (Decimal("0.375"), 15)}
    assert verified(books) == []
