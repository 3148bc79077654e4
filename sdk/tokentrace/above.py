"""What is above the span of ours that begins next: one of ours, or of somebody else and then one of ours above that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as context_api, trace
from opentelemetry.context import Context

if TYPE_CHECKING:
    from tokentrace.tracing import Opened

KEY = context_api.create_key("tokentrace-above")
"""Where in a context that is kept."""
(_CURRENT,) = trace.set_span_in_context(trace.INVALID_SPAN, Context())
"""Where OpenTelemetry keeps the current span."""


class _Above(NamedTuple):
    """Where ours goes on, kept beside the span that is current for all."""

    opened: Opened
    """The parent, as long as nobody else opens a span in between."""
    besides: int | None
    """Id of the span that is current for all meanwhile, where that is another."""
    around: int | None
    """Id of our innermost span, where the parent is not ours."""

    @property
    def current(self) -> int:
        """Id of the span that is current for all meanwhile."""
        return self.opened.span.get_span_context().span_id if self.besides is None else self.besides

    @property
    def own(self) -> int:
        """Id of our innermost span: the parent, or around it."""
        return self.opened.span.get_span_context().span_id if self.around is None else self.around


def enter(opened: Opened, own: int | None = None) -> Any:
    """Make a span the parent of what follows of ours, and of what follows at all unless it is to be seen by nobody.

    `own` is our span around it, where it is somebody else's; 0 where there is none. Gives the token that undoes it.
    """
    above = context_api.get_current()
    span, is_private, is_hidden = opened
    if is_private or is_hidden:
        return context_api.attach(Context({**above, KEY: _Above(opened, _current().span_id, own)}))
    # Both at once: each by itself would copy all of the context twice.
    return context_api.attach(Context({**above, _CURRENT: span, KEY: _Above(opened, None, own)}))


def parent() -> tuple[Opened | None, int]:
    """The parent that is ours, or was carried here; and the id of our span around it, where it is not ours.

    Without a parent the current span is it.
    """
    if (kept := _kept()) is None:
        return None, 0
    its, current = kept.opened.span.get_span_context(), _current()
    if kept.current != current.span_id and its.trace_id == current.trace_id:
        return None, kept.own
    return kept.opened, 0 if kept.own == its.span_id else kept.own


def own() -> int:
    """Id of our innermost span of the request that runs here; 0 where there is none."""
    kept = _kept()
    return 0 if kept is None else kept.own


def _kept() -> _Above | None:
    kept = context_api.get_current().get(KEY)
    if not isinstance(kept, _Above):
        return None
    here = _current()
    # A library whose tracing goes nowhere makes spans current that are nobody's.
    if here.span_id in (kept.current, 0) or here.trace_id == kept.opened.span.get_span_context().trace_id:
        return kept
    # Who begins another trace inside of ours begins another request, unless there was nothing to be seen of ours.
    return None if kept.current else kept


def _current() -> trace.SpanContext:
    return trace.get_current_span().get_span_context()
