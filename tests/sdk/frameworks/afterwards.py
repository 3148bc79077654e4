"""What has to be as it was, once a run is over."""

from __future__ import annotations

from opentelemetry import trace

from tokentrace import context
from tokentrace.request.section import innermost


def nothing_is_left() -> bool:
    """Whether the code that runs now belongs to no section, span or role, and nothing is still open."""
    tracing = context.tracing
    return (
        innermost() is None
        and context.role.get() is None
        and not trace.get_current_span().get_span_context().is_valid
        and (tracing is None or not tracing.open)
    )
