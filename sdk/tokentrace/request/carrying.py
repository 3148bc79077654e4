"""A section's place in its request, carried to another process in the metadata of a message, by W3C Trace Context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import context as context_api, trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tokentrace.kinds import Kind
from tokentrace.request.section import Section, begin

_STANDARD = "traceparent"
_OWN = "tokentrace/traceparent"
"""A library that traces itself writes the place of its own span into the other one, and that span never gets to us."""

_propagator = TraceContextTextMapPropagator()


def carried(section: Section) -> dict[str, str]:
    """What to write into the metadata."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, trace.set_span_in_context(section.span.opened.span, Context()))
    return carrier | {_OWN: carrier[_STANDARD]} if _STANDARD in carrier else carrier


def begin_below(metadata: Mapping[str, Any], title: str, kind: Kind) -> Section | None:
    """A section below the one that the metadata tells of; below what is current where it tells of none."""
    above = _told(metadata, _OWN)
    if above is None and not trace.get_current_span().get_span_context().is_valid:
        above = _told(metadata, _STANDARD)
    if above is None:
        return begin(title, kind)
    token = context_api.attach(above)
    try:
        return begin(title, kind)
    finally:
        context_api.detach(token)


def _told(metadata: Mapping[str, Any], key: str) -> Context | None:
    written = metadata.get(key)
    if not isinstance(written, str):
        return None
    state = metadata.get("tracestate")
    told = {_STANDARD: written} | ({"tracestate": state} if isinstance(state, str) else {})
    found = _propagator.extract(told, Context())
    return found if trace.get_current_span(found).get_span_context().is_valid else None
