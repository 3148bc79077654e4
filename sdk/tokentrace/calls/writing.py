"""Writes on a span what is known to be plain, without having each attribute looked at once more."""

from __future__ import annotations

from collections.abc import Mapping
from types import FunctionType
from typing import Any, cast

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as sdk
from opentelemetry.trace import Span

_PLAIN = frozenset({str, int, float, bool, tuple})
_SETS = sdk.Span.set_attributes
_IS_USUAL = type(_SETS) is FunctionType and _SETS.__globals__["__name__"] == sdk.__name__
"""Whether OpenTelemetry sets its attributes: who has spans of a class of its own, or has patched these, does."""


def write(span: Span, found: Mapping[str, Any]) -> None:
    """Set attributes that are numbers, texts, or tuples of texts.

    OpenTelemetry asks each for what it is and copies it twice, which takes as long as all else that a span does.
    """
    if (
        _IS_USUAL
        and type(span).set_attributes is _SETS
        and _PLAIN.issuperset(map(type, found.values()))
        and span.is_recording()
    ):
        kept: Any = getattr(span, "_attributes", None)
        own: Any = getattr(kept, "_dict", None)
        if type(kept) is BoundedAttributes and isinstance(own, dict) and kept.maxlen is kept.max_value_len is None:
            cast("dict[str, Any]", own).update(found)
            return
    span.set_attributes(found)
