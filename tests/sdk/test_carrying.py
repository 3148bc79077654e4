"""A section's place in its request, carried in the metadata of a message."""

from __future__ import annotations

import pytest
from opentelemetry import context, trace

import tokentrace
from tokentrace.request.carrying import begin_below, carried
from tokentrace.request.section import begin


def sent(spans):
    """What one process writes, and the span that it is of."""
    section = begin("call", "tool")
    metadata = carried(section)
    section.end()
    (span,) = spans.ours()
    spans.clear()
    return metadata, span.context


def received(spans, metadata):
    """The parent of a section that another process begins with that, and its trace."""
    section = begin_below(metadata, "serve", "tool")
    with section.current(), tokentrace.step("work"):
        pass
    section.end()
    work, serve = spans.ours()
    assert work.parent.span_id == serve.context.span_id
    return serve.parent and (serve.parent.trace_id, serve.parent.span_id)


def test_what_another_process_does_is_below_who_asked_for_it(spans):
    metadata, place = sent(spans)
    assert received(spans, metadata) == (place.trace_id, place.span_id)
    assert metadata["traceparent"].startswith(f"00-{place.trace_id:032x}-{place.span_id:016x}-")


def test_a_library_that_writes_its_own_place_over_ours_does_not_come_in_between(spans):
    metadata, place = sent(spans)
    metadata["traceparent"] = f"00-{place.trace_id:032x}-{place.span_id ^ 1:016x}-01"
    assert received(spans, metadata) == (place.trace_id, place.span_id)


def test_a_process_that_is_not_metered_is_followed_by_the_standard(spans):
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    metadata = {"traceparent": f"00-{trace_id}-{span_id}-01", "tracestate": "vendor=1"}
    assert received(spans, metadata) == (int(trace_id, 16), int(span_id, 16))


def test_a_span_of_the_application_that_follows_the_standard_itself_stays_the_parent(spans):
    metadata = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with spans.tracer.start_as_current_span("served") as served:
        place = served.get_span_context()
        assert received(spans, metadata) == (place.trace_id, place.span_id)


@pytest.mark.parametrize("written", [None, 7, "", "00-0-0-01", "\n", {}])
def test_what_is_no_place_is_none(spans, written):
    assert received(spans, {"traceparent": written, "tokentrace/traceparent": written}) is None


def test_nothing_of_it_is_left(spans):
    metadata, _ = sent(spans)
    before = context.get_current()
    begin_below(metadata, "serve", "tool").end()
    assert context.get_current() == before
    assert not trace.get_current_span().get_span_context().is_valid
