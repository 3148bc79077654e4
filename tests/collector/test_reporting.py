"""What is said of a trace, then or days later: outcomes, rejections, reviews; and work that is done again."""

from decimal import Decimal

import pytest

from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.tenants import Books

DAYS = 86_400.0
CALL = {"input_text": 1_000, "output_text": 100}
COST = "0.003"
BOOK = "version: 1\nhuman_review: {rate_per_hour: 45}"


@pytest.fixture(scope="module", autouse=True)
def book(shared_ledger):
    shared_ledger.priced_by(BOOK)


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def reject(ledger, trace, span, parent="", *, at, extent="answer", response=""):
    said = {"tokentrace.report": "rejection", "tokentrace.reject.reason": "schema", "tokentrace.reject.extent": extent}
    said |= {"tokentrace.reject.response_id": response} if response else {}
    ledger.span(trace, span, parent, at=at, seconds=0, said=said)


def outcome(ledger, trace, span, status, *, at=10.0, **said):
    said = {f"tokentrace.outcome.{name}": value for name, value in said.items()}
    said |= {"tokentrace.report": "outcome", "tokentrace.outcome.status": status}
    ledger.span(trace, span, "unknown", at=at, seconds=0, said=said)


def wasted(ledger, trace):
    rows = ledger.store.query(
        "SELECT span_id FROM call_costs FINAL WHERE trace_id = {trace:String} AND waste = 'rejected' ORDER BY span_id",
        trace=trace,
    )
    return [row["span_id"] for row in rows]


def told(ledger, trace):
    (row,) = ledger.store.query("SELECT * FROM trace_outcomes WHERE trace_id = {trace:String}", trace=trace)
    return row


def test_the_latest_answer_of_the_section_is_rejected_and_no_other(ledger):
    """An earlier one, one that came later, a check of it and what was called elsewhere stay what they were."""
    ledger.span("answer", "section", seconds=20)
    ledger.call("answer", "earlier", "section", at=0, role="answer", tokens=CALL)
    ledger.call("answer", "rejected", "section", at=2, role="answer", tokens=CALL)
    ledger.call("answer", "check", "section", at=4, role="verify", tokens=CALL)
    ledger.call("answer", "elsewhere", at=4, role="answer", tokens=CALL)
    reject(ledger, "answer", "reject", "section", at=6)
    ledger.call("answer", "later", "section", at=7, role="answer", tokens=CALL)
    ledger.tick()
    assert wasted(ledger, "answer") == ["rejected"]
    assert ledger.components("answer")["errors"] == COST


def test_what_is_remembered_of_an_answer_is_not_what_is_rejected(ledger):
    """A framework may do that before anybody has looked at the answer."""
    ledger.span("memory", "section", seconds=20)
    ledger.call("memory", "answer", "section", at=0, role="answer", tokens=CALL)
    ledger.call("memory", "remembering", "section", at=2, role="memory", tokens=CALL)
    reject(ledger, "memory", "reject", "section", at=6)
    ledger.tick()
    assert wasted(ledger, "memory") == ["answer"]


def test_all_that_was_called_in_a_section_is_rejected_with_it_at_any_depth(ledger):
    """Until then, and there."""
    ledger.span("whole", "section", seconds=20)
    ledger.span("whole", "inner", "section", seconds=5)
    ledger.call("whole", "deep", "inner", at=0, role="plan", tokens=CALL)
    ledger.call("whole", "check", "section", at=2, role="verify", tokens=CALL)
    reject(ledger, "whole", "reject", "section", at=6, extent="section")
    ledger.call("whole", "later", "section", at=7, role="answer", tokens=CALL)
    ledger.call("whole", "elsewhere", at=0, role="answer", tokens=CALL)
    ledger.tick()
    assert wasted(ledger, "whole") == ["check", "deep"]


def test_a_response_that_is_named_is_rejected_whenever(ledger):
    """A reference needs no order."""
    ledger.call("named", "one", at=0, role="answer", tokens=CALL, said={"gen_ai.response.id": "resp-of-a-rejected-one"})
    ledger.call("named", "two", at=2, role="answer", tokens=CALL)
    reject(ledger, "named", "reject", at=6, response="resp-of-a-rejected-one")
    ledger.tick()
    assert wasted(ledger, "named") == ["one"]


def test_a_rejection_that_comes_days_later_finds_the_last_answer_of_the_trace(ledger):
    """Money that was booked as visible moves."""
    ledger.span("late", "root", seconds=5)
    ledger.call("late", "one", "root", at=0, role="answer", tokens=CALL)
    ledger.call("late", "two", "root", at=2, role="answer", tokens=CALL)
    ledger.tick()
    before = ledger.components("late")
    reject(ledger, "late", "reject", "unknown", at=3 * DAYS)
    ledger.tick()
    assert (before, wasted(ledger, "late")) == ({"visible": "0.006"}, ["two"])
    assert ledger.components("late") == {"visible": COST, "errors": COST}


def test_rejecting_changes_no_total(ledger):
    """Only where it counts."""
    for trace in ("as is", "not used"):
        ledger.call(trace, "a", role="plan", tokens=CALL | {"output_reasoning": 50})
    reject(ledger, "not used", "reject", at=2)
    ledger.tick()
    assert ledger.trace("as is")["total"] == ledger.trace("not used")["total"] == ledger.trace("not used")["errors"]


def test_what_is_said_days_later_makes_a_trace_no_longer(ledger):
    """Nor does a review in a queue, which still costs."""
    ledger.span("short", "root", seconds=5, name="request")
    ledger.call("short", "a", "root", role="answer", tokens=CALL, said={"tokentrace.attribution.team": "search"})
    ledger.tick()
    before = ledger.trace("short")
    outcome(ledger, "short", "o", "success", at=2 * DAYS)
    reject(ledger, "short", "x", "unknown", at=2 * DAYS)
    ledger.review("short", "r", "unknown", active=120, at=3 * DAYS, said={"tokentrace.report": "review"})
    ledger.tick()
    after = ledger.trace("short")
    names = ("day", "started_at", "ended_at", "root_name")
    assert [after[name] for name in names] == [before[name] for name in names]
    assert after["human_review"] == Decimal("1.5")


def test_a_review_is_for_whom_its_trace_is_for(ledger):
    """By hour and team too, though the queue knows no team."""
    ledger.call("whose", "a", role="answer", tokens=CALL, said={"tokentrace.attribution.team": "legal"})
    ledger.review("whose", "r", "unknown", active=60, at=DAYS, said={"tokentrace.report": "review"})
    ledger.tick()
    rows = ledger.store.query(
        "SELECT team, sum(amount) AS amount FROM tcoai_by_hour FINAL WHERE component = 'human_review' AND team = 'legal' GROUP BY team"
    )
    assert [(row["team"], row["amount"]) for row in rows] == [("legal", Decimal("0.75"))]


def test_a_trace_of_which_only_a_review_is_known_has_the_times_of_that(ledger):
    """As one of a session as a whole has."""
    ledger.review("session", "r", active=60, at=5, said={"tokentrace.report": "review", "session.id": "s1"})
    ledger.tick()
    row = ledger.trace("session")
    assert ((row["ended_at"] - row["started_at"]).total_seconds(), row["session"], row["total"]) == (
        60,
        "s1",
        Decimal("0.75"),
    )


def test_the_latest_report_of_an_outcome_stands_whatever_comes_first(ledger):
    """As a whole: a correction without a value has none."""
    for trace, order in (("in order", (0, 1)), ("out of order", (1, 0))):
        ledger.call(trace, "a", role="answer", tokens=CALL)
        reports = (
            lambda trace=trace: outcome(
                ledger, trace, "first", "success", at=DAYS, value="12.5", currency="EUR", units=3
            ),
            lambda trace=trace: outcome(ledger, trace, "second", "failure", at=2 * DAYS),
        )
        for place in order:
            reports[place]()
            ledger.tick()
    found = [told(ledger, trace) for trace in ("in order", "out of order")]
    assert [(row["status"], row["value"], row["units"], row["reports"]) for row in found] == [
        ("failure", None, None, 2)
    ] * 2


def test_an_outcome_has_its_value_beside_the_cost(ledger):
    """Each in its currency."""
    ledger.call("valued", "a", role="answer", tokens=CALL)
    outcome(ledger, "valued", "o", "success", value="12.5", currency="EUR", units="2", unit_name="tickets")
    ledger.tick()
    row = told(ledger, "valued")
    assert (row["status"], row["value"], row["value_currency"], row["units"], row["unit_name"], row["total"]) == (
        "success", Decimal("12.5"), "EUR", 2, "tickets", Decimal(COST),
    )  # fmt: skip


def test_what_nobody_reported_on_is_unknown_and_a_failure_costs_what_it_did(ledger):
    """A failed outcome changes no component."""
    for trace in ("unreported", "failure"):
        ledger.call(trace, "a", role="answer", tokens=CALL)
    outcome(ledger, "failure", "o", "failure")
    ledger.tick()
    assert [told(ledger, trace)["status"] for trace in ("unreported", "failure")] == ["unknown", "failure"]
    assert ledger.components("failure") == {"visible": COST}


def test_all_runs_of_a_piece_of_work_but_the_last_are_rework(ledger):
    """The outcome is that of the last."""
    for number, trace in enumerate(("run 1", "run 2", "run 3")):
        ledger.span(trace, "w", at=number * DAYS, said={"tokentrace.work_unit.id": "order 7"})
        ledger.call(trace, "a", "w", at=number * DAYS, role="answer", tokens=CALL)
    outcome(ledger, "run 1", "o", "failure")
    outcome(ledger, "run 3", "o", "success")
    ledger.tick()
    (row,) = ledger.store.query("SELECT * FROM work_units WHERE work_unit = 'order 7'")
    assert (row["runs"], row["last_trace"], row["superseded"], row["status"]) == (
        3,
        "run 3",
        ["run 1", "run 2"],
        "success",
    )
    assert (row["total"], row["rework"]) == (Decimal("0.009"), Decimal("0.006"))


def test_a_trace_that_works_on_two_pieces_is_shared_between_them(ledger):
    """Nothing is counted twice."""
    ledger.span("both", "root", seconds=9)
    for number in (1, 2):
        ledger.span("both", f"w{number}", "root", said={"tokentrace.work_unit.id": f"half {number}"})
    ledger.call("both", "a", "w1", role="answer", tokens=CALL)
    ledger.tick()
    rows = ledger.store.query("SELECT total, rework FROM work_units WHERE startsWith(work_unit, 'half')")
    assert [(row["total"], row["rework"]) for row in rows] == [(Decimal("0.0015"), 0)] * 2


def test_a_trace_in_three_parts_is_shared_to_the_last_place(ledger):
    """What no division gives goes to the first of them."""
    ledger.span("thirds", "root", seconds=9)
    for name in "abc":
        ledger.span("thirds", name, "root", said={"tokentrace.work_unit.id": f"third {name}"})
    ledger.call("thirds", "call", "a", role="answer", tokens={"input_text": 5, "output_text": 0})
    ledger.tick()
    rows = ledger.store.query(
        "SELECT total, tokens FROM work_units WHERE startsWith(work_unit, 'third ') ORDER BY work_unit"
    )
    assert [(decimal(row["total"]), row["tokens"]) for row in rows] == [
        ("0.000003333333333334", 2), ("0.000003333333333333", 2), ("0.000003333333333333", 1),
    ]  # fmt: skip
    assert sum(row["total"] for row in rows) == ledger.trace("thirds")["total"]


def test_what_was_told_before_work_was_done_again_is_not_how_that_went(ledger):
    """But what is told of an earlier run afterwards is; of the last run whenever."""
    cases = {"first failed": ("one", 5.0), "told late": ("one", 2 * DAYS), "told early": ("two", 1.0)}
    for unit, (of, at) in cases.items():
        for number, trace in enumerate(("one", "two")):
            ledger.span(f"{unit} {trace}", "w", at=number * DAYS, said={"tokentrace.work_unit.id": unit})
            ledger.call(f"{unit} {trace}", "a", "w", at=number * DAYS, role="answer", tokens=CALL)
        outcome(ledger, f"{unit} {of}", "o", "failure", at=at)
    ledger.tick()
    rows = ledger.store.query(
        "SELECT work_unit, status FROM work_units WHERE work_unit IN {units:Array(String)}", units=list(cases)
    )
    assert {row["work_unit"]: row["status"] for row in rows} == {
        "first failed": "unknown", "told late": "failure", "told early": "failure",
    }  # fmt: skip


def test_runs_that_were_done_again_are_divided_from_the_others(ledger):
    """A trace of two pieces is rework once both were done again."""
    own = {"tokentrace.attribution.team": "again"}

    def run(trace, day, *pieces):
        ledger.span(trace, "root", at=day * DAYS, seconds=9, said=own)
        for piece in pieces:
            ledger.span(trace, piece, "root", at=day * DAYS, said={"tokentrace.work_unit.id": f"piece {piece}"})
        ledger.call(trace, "a", "root", at=day * DAYS, role="answer", tokens=CALL, said=own)
        ledger.tick()
        found = shares(Books(ledger.store), Breakdown(by=("rework",), only={"team": "again"}))
        return {each["group"]["rework"]: each["total"] for each in found}

    run("two pieces", 10, "x", "y")
    assert run("x again", 11, "x") == {"": "0.006"}
    assert run("y again", 12, "y") == {"rework": COST, "": "0.006"}
    (only,) = shares(Books(ledger.store), Breakdown(only={"team": "again", "rework": "rework"}))
    assert only["total"] == COST
