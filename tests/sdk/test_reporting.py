"""outcome, reject and record_review: what is said of a request, then or days later."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import tokentrace

AUGUST = datetime(2026, 8, 1, 12, tzinfo=UTC)
TRACE, OTHER = "0123456789abcdef" * 2, "f" * 32


def when(span):
    """Seconds of the span before and after noon of that August day."""
    noon = AUGUST.timestamp()
    return span.start_time / 1e9 - noon, span.end_time / 1e9 - noon


def test_an_outcome_is_told_in_the_request_that_runs(spans):
    with tokentrace.tags(team="search"), tokentrace.workflow("order"):
        tokentrace.outcome("success", value=Decimal("12.50"), currency="EUR", units=3, unit_name="tickets")
    told, order = spans
    assert (told.name, told.parent.span_id, dict(told.attributes)) == (
        "outcome success",
        order.context.span_id,
        {
            "tokentrace.attribution.team": "search",
            "tokentrace.outcome.currency": "EUR",
            "tokentrace.outcome.status": "success",
            "tokentrace.outcome.unit_name": "tickets",
            "tokentrace.outcome.units": "3",
            "tokentrace.outcome.value": "12.50",
            "tokentrace.report": "outcome",
        },
    )


def test_an_outcome_is_told_days_later_in_the_request_it_is_of_and_as_nobodys(spans):
    with tokentrace.tags(team="of who reports"), tokentrace.step("reports"):
        tokentrace.outcome("failure", trace_id=TRACE, at=AUGUST)
    told, _ = spans
    assert (format(told.context.trace_id, "032x"), when(told)) == (TRACE, (0, 0))
    assert dict(told.attributes) == {"tokentrace.outcome.status": "failure", "tokentrace.report": "outcome"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tokentrace.outcome("won"), "'won'"),
        (lambda: tokentrace.outcome("success", value=3), "needs a currency"),
        (lambda: tokentrace.outcome("success", value=3, currency="euro"), "'euro'"),
        (lambda: tokentrace.outcome("success", value="much", currency="EUR"), "'much'"),
        (lambda: tokentrace.outcome("success", units=float("nan")), "nan"),
        (lambda: tokentrace.outcome("success", trace_id="7"), "'7'"),
        (lambda: tokentrace.outcome("success", trace_id="0" * 32), "'000"),
        (lambda: tokentrace.outcome("success", trace_id=TRACE, at=AUGUST.replace(tzinfo=None)), "no time zone"),
        (lambda: tokentrace.accept_partial(trace_id="8"), "'8'"),
        (lambda: tokentrace.record_review(trace_id=TRACE, active_time=-1), "-1"),
        (lambda: tokentrace.record_review(trace_id=TRACE, decision="maybe"), "'maybe'"),
        (lambda: tokentrace.record_review(trace_id=[], active_time=1), "at least one"),
        (lambda: tokentrace.record_review(trace_id={TRACE: 0}, active_time=1), "something that was reviewed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_makes_no_sense_is_refused_with_what_would(spans, make, said):
    with pytest.raises(ValueError, match=said):
        make()
    assert not len(spans)


@pytest.mark.parametrize(
    "tell",
    [lambda: tokentrace.outcome("success"), lambda: tokentrace.reject("schema"), tokentrace.accept_partial],
    ids=["outcome", "reject", "accept"],
)
def test_outside_of_a_request_nothing_is_told_and_that_is_said(spans, tell, caplog):
    with caplog.at_level(logging.WARNING, "tokentrace"):
        tell()
    assert (len(spans), "outside of a request" in caplog.text) == (0, True)


def test_a_rejection_is_below_the_section_whose_output_it_rejects(spans):
    with tokentrace.step("draft"):
        tokentrace.reject("schema")
        tokentrace.reject("judge", whole_section=True, response_id="resp_1")
    first, second, draft = spans
    assert {first.parent.span_id, second.parent.span_id} == {draft.context.span_id}
    assert dict(first.attributes) == {
        "tokentrace.reject.extent": "answer",
        "tokentrace.reject.reason": "schema",
        "tokentrace.report": "rejection",
    }
    assert dict(second.attributes) == {
        "tokentrace.reject.extent": "section",
        "tokentrace.reject.reason": "judge",
        "tokentrace.reject.response_id": "resp_1",
        "tokentrace.report": "rejection",
    }


def test_a_review_of_a_queue_ends_when_the_work_did(spans):
    tokentrace.record_review(
        trace_id=TRACE,
        active_time=90,
        wait_time=3600,
        decision="edited",
        reviewer_role="editor",
        reviewer="ann",
        at=AUGUST,
    )
    (told,) = spans
    assert (format(told.context.trace_id, "032x"), when(told)) == (TRACE, (-90, 0))
    assert dict(told.attributes) == {
        "tokentrace.report": "review",
        "tokentrace.review.active_time": 90,
        "tokentrace.review.decision": "edited",
        "tokentrace.review.kind": "approval",
        "tokentrace.review.reviewer.id": "ann",
        "tokentrace.review.reviewer.role": "editor",
        "tokentrace.review.wait_time": 3600,
    }


def test_a_review_without_a_time_does_not_say_that_it_took_none(spans):
    tokentrace.record_review(trace_id=[TRACE, OTHER])
    assert ["tokentrace.review.active_time" in s.attributes for s in spans] == [False, False]


def test_a_review_of_several_requests_is_split_by_items_in_whole_seconds_one_after_the_other(spans):
    tokentrace.record_review(trace_id={TRACE: 2, OTHER: 1}, active_time=100, at=AUGUST)
    found = [
        (format(s.context.trace_id, "032x"), s.attributes["tokentrace.review.active_time"], when(s)) for s in spans
    ]
    assert found == [(TRACE, 67, (-67, 0)), (OTHER, 33, (-100, -67))]


def test_a_review_of_several_requests_is_split_equally_where_nobody_counted_items(spans):
    tokentrace.record_review(trace_id=[TRACE, OTHER], active_time=61)
    assert sorted(s.attributes["tokentrace.review.active_time"] for s in spans) == [30, 31]


def test_a_review_of_a_session_belongs_to_the_session_and_to_no_request(spans):
    with tokentrace.step("worker"):
        tokentrace.record_review(session="s1", active_time=10)
    told, worker = spans
    assert (told.parent, told.context.trace_id != worker.context.trace_id) == (None, True)
    assert told.attributes["session.id"] == "s1"


def test_a_review_in_the_request_that_runs_has_its_tags(spans):
    with tokentrace.tags(team="search"), tokentrace.step("s"):
        tokentrace.record_review(active_time=5)
    told, step = spans
    assert (told.parent.span_id, told.attributes["tokentrace.attribution.team"]) == (step.context.span_id, "search")


def test_what_is_told_of_a_request_that_the_application_drops_arrives(monkeypatch):
    """Sampling must not lose money."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    theirs, ours = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    tokentrace.instrument(tracer_provider=provider, exporter=ours)
    try:
        with provider.get_tracer("app").start_as_current_span("app"), tokentrace.step("s"):
            trace = tokentrace.trace_id()
            tokentrace.outcome("success")
        tokentrace.outcome("failure", trace_id=trace)
        assert tokentrace.flush()
    finally:
        tokentrace.uninstrument()
    found = ours.get_finished_spans()
    ids = {s.name: s.context.span_id for s in found}
    assert [(s.name, format(s.context.trace_id, "032x")) for s in found] == [
        ("outcome success", trace), ("s", trace), ("outcome failure", trace),
    ]  # fmt: skip
    assert (found[0].parent.span_id, theirs.get_finished_spans()) == (ids["s"], ())


def test_without_instrumentation_nothing_is_told():
    tokentrace.outcome("success", trace_id=TRACE)
    tokentrace.reject("schema")
    tokentrace.record_review(trace_id=[TRACE], active_time=1)
    assert tokentrace.trace_id() is None
