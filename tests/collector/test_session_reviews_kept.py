"""What requests bear of shared reviews where spans expire, months are closed, and requests are deleted."""

import csv
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tokentrace_collector.reports.breakdown import Breakdown, shares as divided
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Closing
from tokentrace_collector.tenants import Books

DAY = 86_400.0
THEN = -30 * DAY
CALL = {"input_text": 1_000, "output_text": 100}
COST = Decimal("0.003")
BOOK = "version: 1\nhuman_review: {{rate_per_hour: {}}}"
TEAM = "tokentrace.attribution.team"


def unheard(_traces):
    """Nothing is kept beside the database."""


def reviewed(ledger, span, *of, at, active=120):
    said = {
        "tokentrace.review.session": "s1",
        "tokentrace.review.traces": json.dumps(of),
        "tokentrace.report": "review",
    }
    ledger.review(f"of {span}", span, active=active, at=at, said=said)


def shares(ledger):
    rows = ledger.store.query("SELECT * FROM capacity_lines FINAL WHERE kind = 'review_share' ORDER BY ALL")
    return {(row["review_span_id"], row["trace_id"]): row["amount"] for row in rows}


def differences(ledger):
    return ledger.rollup.verify().verified["differences"]


def summed(ledger):
    """By hour, and by trace with what is of none."""
    run = "(SELECT value FROM rollup_state FINAL WHERE name = 'rating_run')"
    asked = (
        f"SELECT sum(amount) AS amount FROM tcoai_by_hour FINAL WHERE rating_run IN {run}",
        "SELECT sum(total) + (SELECT sum(amount) FROM capacity_lines FINAL WHERE trace_id = '') AS amount FROM tcoai_by_trace FINAL",
    )
    return [ledger.store.query(each)[0]["amount"] for each in asked]


@pytest.fixture
def books(ledger):
    """A review of two requests, one of which has not come; all of it arrived ten days ago."""
    ledger.priced_by(BOOK.format(45))
    ledger.call("a", "call", at=THEN, tokens=CALL, said={TEAM: "red"})
    reviewed(ledger, "r", "a:2", "late:1", at=THEN + DAY)
    ledger.arrive(ago=10)
    ledger.tick()
    assert shares(ledger) == {("r", "a"): 1, ("r", ""): Decimal("0.5")}
    return ledger


@pytest.fixture
def old(books):
    """Spans are kept for seven days, and have expired."""
    books.kept(calls=7)
    books.tick()
    for table in ("otel_traces", "llm_calls"):
        books.store.run(f"OPTIMIZE TABLE {table} FINAL", settings={"mutations_sync": 2})
    assert books.store.query("SELECT count() AS spans FROM llm_calls") == [{"spans": 0}]
    return books


def test_shares_stay_when_their_review_expires(old):
    """By other prices, and when a request comes that it named: what is closed, nothing changes."""
    before = shares(old)
    assert (differences(old), shares(old)) == ([], before)
    old.priced_by(BOOK.format(90))
    old.call("late", "call", at=60, tokens=CALL)
    old.tick()
    assert (shares(old), old.trace("late")["total"]) == (before, COST)
    assert summed(old) == [COST * 2 + Decimal("1.5")] * 2
    assert differences(old) == []


def test_a_review_that_comes_when_its_request_has_expired_is_shared_all_the_same(old):
    """Whose the request is, its sums still tell."""
    reviewed(old, "later", "a:1", "unknown:1", at=10)
    old.tick()
    assert shares(old) == {
        ("r", "a"): 1, ("r", ""): Decimal("0.5"), ("later", "a"): Decimal("0.75"), ("later", ""): Decimal("0.75"),
    }  # fmt: skip
    row = old.trace("a")
    assert (row["direct"], row["allocated"], row["reviews"]) == (COST, Decimal("1.75"), 2)
    teams = old.store.query("SELECT team FROM capacity_lines FINAL WHERE (review_span_id, trace_id) = ('later', 'a')")
    assert (teams, differences(old)) == ([{"team": "red"}], [])
    assert summed(old) == [COST + 3] * 2


def test_what_is_deleted_has_no_share_and_the_session_bears_it(books):
    """A review that is deleted takes its shares with it, of whichever request they are."""
    books.rollup.delete(Wanted("default", "trace", "a"), unheard)
    assert (shares(books), summed(books)[0]) == ({("r", ""): Decimal("1.5")}, Decimal("1.5"))
    assert books.store.query("SELECT 1 FROM tcoai_by_trace FINAL") == []
    books.call("a", "call", at=THEN, tokens=CALL)
    books.tick()
    assert shares(books) == {("r", "a"): 1, ("r", ""): Decimal("0.5")}
    books.rollup.delete(Wanted("default", "trace", "of r"), unheard)
    left = books.store.query("SELECT count() AS rows FROM capacity_lines")[0]["rows"]
    left += books.store.query("SELECT count() AS rows FROM reviewed")[0]["rows"]
    assert (left, books.trace("a")["total"], differences(books)) == (0, COST, [])


def test_of_a_closed_review_the_share_goes_with_the_request(old):
    """What is closed is not divided anew."""
    old.rollup.delete(Wanted("default", "trace", "a"), unheard)
    assert (shares(old), differences(old)) == ({("r", ""): Decimal("0.5")}, [])
    assert summed(old)[0] == Decimal("0.5")


def test_a_review_of_a_closed_month_that_comes_late_is_a_correction(books):
    """For whom its requests are for; and a month that is closed stays what it was, also when one of them comes."""

    def month(number):
        asked = Breakdown(
            by=("team",), since=datetime(2026, number, 1, tzinfo=UTC), until=datetime(2026, number + 1, 1, tzinfo=UTC)
        )
        return {
            each["group"]["team"]: (each["total"], each["corrections"]) for each in divided(Books(books.store), asked)
        }

    books.rollup.close(Closing(date(2026, 10, 1), datetime(2027, 1, 1, tzinfo=UTC), "default"))
    october = month(10)
    assert october == {"red": ("1.003", "0"), "": ("0.5", "0")}
    reviewed(books, "again", "a", at=THEN + 2 * DAY, active=60)
    books.call("late", "call", at=60, tokens=CALL, said={TEAM: "blue"})
    books.tick()
    assert month(10) == october
    assert month(11) == {"red": ("0.75", "0.75"), "blue": ("0.503", "0.5"), "": ("-0.5", "-0.5")}
    assert differences(books) == []


def test_focus_bills_each_share_and_no_review_twice(books):
    """To the same sum as the hours."""
    books.call("late", "call", at=60, tokens=CALL, said={TEAM: "blue"})
    books.tick()
    period = {"since": datetime(2026, 10, 1, tzinfo=UTC), "until": datetime(2026, 11, 1, tzinfo=UTC)}
    text = written(Books(books.store), Export(**period, profile="chargeback"))
    rows = list(csv.DictReader(text.decode().splitlines()))
    assert sorted((row["SubAccountId"], Decimal(row["BilledCost"])) for row in rows if row["x_Component"] == "human_review") == [
        ("blue", Decimal("0.5")), ("red", Decimal(1)),
    ]  # fmt: skip
