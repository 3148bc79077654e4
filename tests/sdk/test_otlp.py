"""A span that was kept on disk is sent as it would have been sent at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from tokentrace.delivery import otlp

VALUES = st.one_of(
    st.text(max_size=8), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False),
    st.lists(st.text(max_size=4), min_size=1, max_size=3), st.lists(st.integers(0, 9), min_size=1, max_size=3),
)  # fmt: skip
ATTRIBUTES = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=6)
CONTEXTS = st.builds(
    SpanContext, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans(),
    st.just(TraceFlags(1)), st.sampled_from([None, TraceState([("vendor", "x=1"), ("b", "2")])]),
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=8), ATTRIBUTES, CONTEXTS, st.none() | CONTEXTS), min_size=1, max_size=4),
    ATTRIBUTES,
    st.sampled_from(SpanKind),
    st.sampled_from([Status(StatusCode.UNSET), Status(StatusCode.OK), Status(StatusCode.ERROR, "why")]),
)
def test_the_bytes_are_those_of_the_span(described, resource, kind, status):
    exporter = InMemorySpanExporter()
    # Limits, so that what was cut is told too.
    limits = SpanLimits(max_span_attributes=4, max_events=1, max_links=1, max_event_attributes=2)
    provider = TracerProvider(resource=Resource(resource, "https://s"), span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for scope, (name, attributes, linked, parent) in enumerate(described):
        tracer = provider.get_tracer(f"scope {scope}", "1", "https://t", {"a": 1} if scope else None)
        within = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None
        with tracer.start_as_current_span(name, within, kind, attributes, [Link(linked, attributes)] * 2) as span:
            span.add_event("first", attributes)
            span.add_event("second", attributes)
            span.set_status(status)
    request = otlp.encode(exporter.get_finished_spans())
    assert otlp.encode(otlp.decode(request)) == request


def test_what_is_no_request_is_refused():
    with pytest.raises(Exception, match="pars"):
        otlp.decode(b"\xff\xff\xff")
