"""Spans that stand between ours, and may never arrive: who is inside whom all the same."""

import random

import pytest

from tokentrace_collector.reports import answers
from tokentrace_collector.reports.places import placed
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

PLAN = {"gen_ai.operation.name": "invoke_agent"}
TOKENS = {"input_text": 100, "output_text": 50}
TOTALS = {"input_tokens": 100, "output_tokens": 50}
AROUND = "tokentrace.parent.span_id"


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def told(ledger, trace):
    """What the rollup and the report make of a trace: span → role of a call, and the span it is below."""
    roles = {
        row["span_id"]: row["role"]
        for row in ledger.store.query(
            "SELECT span_id, role FROM call_costs FINAL WHERE trace_id = {trace:String} AND borne_by = ''", trace=trace
        )
    }
    document = answers.request(Books(ledger.store), trace)
    assert document is not None
    return roles, {span["span_id"]: span["parent_id"] for span in document["spans"]}


def agent(ledger, trace, name="planner"):
    """An agent of ours, with another one beside it, so that a role has to be inferred."""
    ledger.span(trace, "root", said={"tokentrace.step.name": "brief"}, seconds=30)
    ledger.span(trace, name, "root", said=PLAN, name=name, seconds=20)


def ours(ledger, trace, span, parent, around="", *, at=1.0):
    ledger.call(trace, span, parent, tokens=TOKENS, said={AROUND: around} if around else {}, at=at)


def test_a_call_below_a_span_that_never_arrives_is_below_the_agent_around(ledger):
    agent(ledger, "absent")
    ours(ledger, "absent", "call", "never", "planner")
    ours(ledger, "absent", "next", "root", at=25)
    ledger.tick()
    roles, parents = told(ledger, "absent")
    assert (roles["call"], parents["call"]) == ("plan", "planner")


def test_a_call_below_a_span_that_arrives_stays_below_that(ledger):
    agent(ledger, "present")
    ledger.foreign("present", "theirs", "planner", usage=TOTALS, at=1, seconds=3)
    ours(ledger, "present", "call", "theirs", "planner", at=2)
    ours(ledger, "present", "next", "root", at=25)
    ledger.tick()
    roles, parents = told(ledger, "present")
    assert (roles["call"], parents["call"], parents["theirs"]) == ("plan", "theirs", "planner")
    assert "theirs" not in roles


def test_what_arrives_of_the_spans_between_is_below_the_agent_around(ledger):
    agent(ledger, "some")
    ledger.foreign("some", "upper", "never", usage=TOTALS, at=1, seconds=5)
    ledger.foreign("some", "lower", "upper", usage=TOTALS, at=1, seconds=4)
    ours(ledger, "some", "call", "lower", "planner", at=2)
    ours(ledger, "some", "next", "root", at=25)
    ledger.tick()
    roles, parents = told(ledger, "some")
    assert roles == {"call": "plan", "next": "answer"}
    assert parents == {
        "root": "",
        "planner": "root",
        "upper": "planner",
        "lower": "upper",
        "call": "lower",
        "next": "root",
    }


def test_a_parent_that_arrives_late_is_the_parent(ledger):
    agent(ledger, "late")
    ours(ledger, "late", "call", "theirs", "planner", at=2)
    ledger.tick()
    ledger.span("late", "theirs", "planner", library="other", at=1, seconds=3)
    ledger.tick()
    assert told(ledger, "late")[1]["call"] == "theirs"


@pytest.mark.parametrize("around", ["nobody", "call", "elsewhere", "' OR 1"])
def test_a_span_around_that_is_not_there_is_none(ledger, around):
    trace = f"around {around}"
    ledger.span(f"{trace}, another", "elsewhere")
    agent(ledger, trace)
    ours(ledger, trace, "call", "never", around)
    ours(ledger, trace, "next", "root", at=25)
    ledger.tick()
    roles, parents = told(ledger, trace)
    assert (set(roles), parents["call"]) == ({"call", "next"}, "never")


def test_spans_that_claim_to_enclose_each_other_are_told_once(ledger):
    ledger.span("ring", "one", "two", library="other")
    ledger.span("ring", "two", "one", library="other")
    ours(ledger, "ring", "call", "one", "three")
    ledger.span("ring", "three", "never", said={AROUND: "call"})
    ledger.tick()
    assert told(ledger, "ring")[0].keys() == {"call"}


def test_spans_that_claim_to_be_around_each_other_are_told_once(ledger):
    ours(ledger, "mutual", "one", "never", "two")
    ours(ledger, "mutual", "two", "never", "one")
    ledger.tick()
    assert told(ledger, "mutual")[0].keys() == {"one", "two"}


def test_a_rejection_is_of_the_section_of_ours_around_it(ledger):
    agent(ledger, "rejected")
    ours(ledger, "rejected", "before", "planner")
    ledger.span("rejected", "theirs", "planner", library="other", at=3, seconds=6)
    ours(ledger, "rejected", "call", "theirs", "planner", at=4)
    said = {"tokentrace.reject.reason": "schema", "tokentrace.reject.extent": "section", AROUND: "planner"}
    ledger.span("rejected", "reject", "theirs", said=said | {"tokentrace.report": "rejection"}, at=8, seconds=0)
    ours(ledger, "rejected", "next", "root", at=25)
    ledger.tick()
    found = {span: ledger.call_cost("rejected", span)["waste"] for span in ("before", "call", "next")}
    assert found == {"before": "rejected", "call": "rejected", "next": ""}


BRIDGED = """
SELECT
    child.trace_id AS trace,
    child.span_id AS child,
    parent.span_id AS parent
FROM rollup_bridges AS bridge
INNER JOIN rollup_spans AS child ON child.number = bridge.number
INNER JOIN rollup_spans AS parent ON parent.number = bridge.parent
"""


def test_the_rollup_and_a_report_place_every_span_alike(ledger):
    """Whatever is missing, and whatever is claimed."""
    chance = random.Random(1)
    names = [f"s{number}" for number in range(9)]
    traces = [f"forest {number}" for number in range(40)]
    # The first one of all reads prices, and leaves nothing to look at.
    ledger.tick()
    for trace in traces:
        for span in names:
            around, parent = chance.choice([*names, "", "", "never"]), chance.choice([*names, "", "never", "never"])
            ledger.span(trace, span, parent, said={AROUND: around} if around else {})
    ledger.tick()
    rolled_up = {(row["trace"], row["child"], row["parent"]) for row in ledger.store.query(BRIDGED)}
    shown = set()
    for trace in traces:
        rows = ledger.store.query(schema.sql("reports/spans"), tenant="default", trace_id=trace, limit=len(names))
        both = zip(rows, placed(rows), strict=True)
        shown |= {
            (trace, new["span_id"], new["parent_span_id"])
            for row, new in both
            if new["parent_span_id"] != row["parent_span_id"]
        }
    assert rolled_up == shown
    assert len(shown) > len(traces)
