"""What an application may have set up of OpenTelemetry itself."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

NAMES = ("complete", "streamed", "429, 429, 200, with `Retry-After`", "`break`, then collected")
"""The scenarios that are played in each of them."""

SMALL = SpanLimits(max_span_attributes=3, max_events=1, max_event_attributes=1, max_span_attribute_length=2)
OWN = {
    "sampled out": lambda: TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False),
    "small limits": lambda: TracerProvider(span_limits=SMALL, shutdown_on_exit=False),
    "of another kind": trace.NoOpTracerProvider,
    "none": lambda: None,
}
