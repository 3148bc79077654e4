"""What the tables answer, as documents: exact, sorted, and silent about what is not known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tokentrace_collector.reports import answers
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.tenants import Books

BEGAN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ENDED = BEGAN + timedelta(seconds=3)
TRACE = "a" * 32


def insert(store, table, *rows):
    names = list(rows[0])
    store.insert(table, names, [[row[name] for row in rows] for name in names])


def trace(trace_id, **more):
    return {
        "tenant": "default",
        "day": BEGAN.date(),
        "trace_id": trace_id,
        "started_at": BEGAN,
        "ended_at": ENDED,
        "root_name": "brief",
        "service": "agent",
        "team": "",
        "customer": "",
        "currency": "USD",
        "visible": Decimal("0.000000000000000001"),
        "errors": Decimal(0),
        "infrastructure": Decimal(0),
        "total": Decimal("0.000000000000000001"),
        "spans": 1,
        "tokens": {},
        "coverage": 1.0,
        "version": 1,
        "is_deleted": 0,
    } | more


def span(span_id, **more):
    return {
        "trace_id": TRACE,
        "span_id": span_id,
        "part": 0,
        "parent_span_id": "",
        "started_at": BEGAN,
        "ended_at": ENDED,
        "name": span_id,
        "scope": "",
        "step": "",
        "review_kind": "",
        "review_seconds": None,
        "failed": 0,
        "tokens": {},
    } | more


def cost(span_id, **more):
    return {
        "tenant": "default",
        "hour": BEGAN,
        "trace_id": TRACE,
        "span_id": span_id,
        "part": 0,
        "kind": "call",
        "role": "answer",
        "bearing": 1,
        "borne_by": "",
        "waste": "",
        "tokens": {},
        "visible": Decimal(0),
        "errors": Decimal(0),
        "total": Decimal(0),
        "version": 1,
    } | more


def share(span_id, component, amount):
    return {
        "tenant": "default",
        "hour": BEGAN,
        "trace_id": TRACE,
        "span_id": span_id,
        "kind": "idle",
        "component": component,
        "amount": Decimal(amount),
        "version": 1,
        "is_deleted": 0,
    }


def ids(store, **wanted):
    return [each["trace_id"] for each in answers.requests(Books(store), Filter(**wanted))]


def spans_of(store, *found):
    insert(store, "tcoai_by_trace", trace(TRACE, spans=len(found)))
    insert(store, "llm_calls", *found)
    return answers.request(Books(store), TRACE)["spans"]


def test_money_keeps_every_digit(store):
    insert(store, "tcoai_by_trace", trace(TRACE))
    found = answers.requests(Books(store), Filter())[0]
    assert (found["total"], found["components"]["visible"]) == ("0.000000000000000001", "0.000000000000000001")


def test_components_stand_in_the_order_they_are_shown(store):
    insert(store, "tcoai_by_trace", trace(TRACE))
    assert list(answers.requests(Books(store), Filter())[0]["components"]) == [
        "visible", "hidden_reasoning", "orchestration", "errors", "human_review", "infrastructure"
    ]  # fmt: skip


def test_attribution_names_only_what_is_known(store):
    insert(store, "tcoai_by_trace", trace(TRACE, team="search", tags={"tier": "gold"}))
    assert answers.requests(Books(store), Filter())[0]["attribution"] == {"team": "search", "tier": "gold"}


def test_the_latest_comes_first(store):
    insert(store, "tcoai_by_trace", trace("a"), trace("b", started_at=BEGAN + timedelta(seconds=1)))
    assert ids(store) == ["b", "a"]


def test_the_dearest_comes_first_when_asked(store):
    insert(store, "tcoai_by_trace", trace("a", total=Decimal(2)), trace("b", total=Decimal(1)))
    assert ids(store, by_cost=True) == ["a", "b"]


def test_a_recomputed_trace_is_listed_once(store):
    insert(store, "tcoai_by_trace", trace("a"))
    insert(store, "tcoai_by_trace", trace("a", total=Decimal(7), version=2))
    assert [each["total"] for each in answers.requests(Books(store), Filter())] == ["7"]


def test_a_deleted_trace_is_gone(store):
    insert(store, "tcoai_by_trace", trace("a"))
    insert(store, "tcoai_by_trace", trace("a", version=2, is_deleted=1))
    assert ids(store) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"team": "search"},
        {"customer": "acme"},
        {"trace_id": "bb"},
        {"min_cost": Decimal("0.5")},
        {"since": BEGAN + timedelta(minutes=1)},
        {"errors": True},
        {"model": "gpt-6"},
    ],
)
def test_a_filter_keeps_what_it_names(store, wanted):
    later = BEGAN + timedelta(hours=1)
    insert(
        store,
        "tcoai_by_trace",
        trace("aa", team="'; DROP TABLE tcoai_by_trace --"),
        trace("bb", team="search", customer="acme", total=Decimal(1), started_at=later, errors=Decimal("0.1")),
    )
    insert(store, "call_costs", cost("s", trace_id="bb", model="gpt-6"), cost("s", trace_id="aa", model="gpt-5"))
    assert ids(store, **wanted) == ["bb"]


def test_until_is_exclusive(store):
    insert(store, "tcoai_by_trace", trace("a"))
    assert (ids(store, until=BEGAN), ids(store, until=ENDED)) == ([], ["a"])


def test_moments_that_no_day_is_kept_for_leave_out_nothing(store):
    insert(store, "tcoai_by_trace", trace("a"))
    assert ids(store, since=datetime(1900, 1, 1, tzinfo=UTC), until=datetime(2299, 12, 31, tzinfo=UTC)) == ["a"]


def test_an_unknown_trace_is_nothing(store):
    assert answers.request(Books(store), TRACE) is None


def test_a_span_costs_its_lines_and_its_share_of_capacity(store):
    insert(store, "call_costs", cost("s", visible=Decimal("0.5"), total=Decimal("0.5")))
    insert(store, "capacity_lines", share("s", "infrastructure", "0.25"), share("s", "visible", "0.125"))
    found = spans_of(store, span("s", scope="call"))[0]
    assert (found["cost"], found["components"]) == ("0.875", {"visible": "0.625", "infrastructure": "0.25"})


def test_a_step_costs_nothing_which_is_not_zero(store):
    assert spans_of(store, span("s", step="plan"))[0]["cost"] is None


def test_parts_of_an_answer_add_up(store):
    rows = [cost("s", part=n, visible=Decimal(1), total=Decimal(1), tokens={"output_text": 5}) for n in (1, 2)]
    insert(store, "call_costs", cost("s", bearing=0, borne_by="parts", tokens={"output_text": 10}), *rows)
    found = spans_of(store, span("s", scope="call"))[0]
    assert (found["cost"], found["tokens"]) == ("2", {"output_text": 10})


def test_attempts_are_told_in_order(store):
    attempt = {"tokentrace.attempt.number": "1", "http.response.status_code": "429"}
    events = {
        "Events.Timestamp": [BEGAN] * 3,
        "Events.Name": ["exception", "tokentrace.attempt", "tokentrace.attempt"],
        "Events.Attributes": [{}, attempt, {"tokentrace.attempt.number": "2", "error.type": "ReadTimeout"}],
    }
    insert(store, "otel_traces", {"Timestamp": BEGAN, "TraceId": TRACE, "SpanId": "s", **events})
    store.run("TRUNCATE TABLE llm_calls")
    assert spans_of(store, span("s", scope="call"))[0]["attempts"] == [
        {"number": 1, "status": 429, "error": None},
        {"number": 2, "status": None, "error": "ReadTimeout"},
    ]


def test_per_call_counts_what_was_answered(store):
    insert(
        store,
        "call_costs",
        cost("a", visible=Decimal(1), total=Decimal(1)),
        cost("b", errors=Decimal(2), total=Decimal(2), waste="failed"),
        cost("c", kind="review", total=Decimal(4)),
        cost("d", bearing=0, borne_by="aggregate"),
    )
    insert(store, "tcoai_by_trace", trace(TRACE))
    assert answers.request(Books(store), TRACE)["per_call"] == {"calls": 1, "total": "1"}


def test_spans_beyond_the_most_are_counted(store, monkeypatch):
    monkeypatch.setattr(answers, "MOST_SPANS", 1)
    insert(store, "tcoai_by_trace", trace(TRACE, spans=2))
    insert(store, "llm_calls", span("a"), span("b"))
    found = answers.request(Books(store), TRACE)
    assert (len(found["spans"]), found["spans_left_out"]) == (1, 1)
