"""Writes on a span what is known to be plain, at its start and at its end, without having each attribute looked at."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import export, sampling
from opentelemetry.trace import Span, SpanKind, Tracer

_PLAIN = frozenset({str, int, float, bool, tuple})


def _is_own(function: object) -> bool:
    """Whether OpenTelemetry does it: who has classes of its own, or has patched these, does."""
    return type(function) is FunctionType and function.__globals__["__name__"].startswith(sdk.__name__)


_SETS = sdk.Span.set_attributes
_IS_USUAL = _is_own(_SETS) and vars(BoundedAttributes()).keys() >= {"_dict", "_immutable", "maxlen", "max_value_len"}


def write(span: Span, found: Mapping[str, Any]) -> None:
    """Set attributes that are numbers, texts, or tuples of texts.

    OpenTelemetry asks each for what it is and copies it twice, which takes as long as all else that a span does.
    """
    if _IS_USUAL and type(span).set_attributes is _SETS and _PLAIN.issuperset(map(type, found.values())):
        kept: Any = getattr(span, "_attributes", None)
        # They are immutable from the end of the span on.
        if BoundedAttributes is type(kept) and not kept._immutable and kept.maxlen is kept.max_value_len is None:  # noqa: SLF001
            cast("dict[str, Any]", kept._dict).update(found)  # noqa: SLF001
            return
    span.set_attributes(found)


_STARTS = sdk.Tracer.start_span if _is_own(sdk.Tracer.start_span) else None
_OVERLOOKS = frozenset(
    filter(
        _is_own,
        (sdk.SpanProcessor.on_start, export.BatchSpanProcessor.on_start, export.SimpleSpanProcessor.on_start),
    )
)
"""What processors do when a span starts, and is nothing."""


class Starter:
    """A tracer; where nobody looks at attributes when a span starts, they are written right after."""

    __slots__ = ("_known", "_tracer")

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._known: tuple[object, object, bool] = (None, None, False)
        """A sampler, processors, and whether they all overlook attributes; in one, for other threads ask too."""

    def start(
        self, title: str, within: Context, kind: SpanKind, attributes: Mapping[str, Any], began: int | None
    ) -> Span:
        """A span with attributes as `write` takes them."""
        tracer = self._tracer
        if type(tracer) is sdk.Tracer and self._is_unseen(tracer):
            span = tracer.start_span(title, context=within, kind=kind, start_time=began)
            write(span, attributes)
            return span
        return tracer.start_span(title, context=within, kind=kind, attributes=attributes, start_time=began)

    def _is_unseen(self, tracer: sdk.Tracer) -> bool:
        """Whether nobody looks."""
        # Both may be others at any time; a provider that gets one more processor makes another tuple of them.
        processors: tuple[sdk.SpanProcessor, ...] | None = getattr(tracer.span_processor, "_span_processors", None)
        sampler, before, is_unseen = self._known
        if sampler is not tracer.sampler or before is not processors:
            sampler = tracer.sampler
            is_unseen = (
                type(tracer.span_processor) is sdk.SynchronousMultiSpanProcessor
                and processors is not None
                and all(getattr(each.on_start, "__func__", None) in _OVERLOOKS for each in processors)
                and _hands_on(sampler)
            )
            self._known = sampler, processors, is_unseen
        return is_unseen and sdk.Tracer.start_span is _STARTS and _IS_USUAL


def _hands_on(sampler: object) -> bool:
    """Whether a sampler does nothing with attributes but hand them on to the span."""
    if type(sampler) is sampling.ParentBased:
        return all(map(_hands_on, vars(sampler).values()))
    return type(sampler) in (sampling.StaticSampler, sampling.TraceIdRatioBased)
