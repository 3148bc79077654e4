"""What is said of a request, then or days later, as a span in its trace that makes it no longer."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple, get_args

from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
)

from tokentrace import attributes as name, context
from tokentrace.guard import log, quietly
from tokentrace.request.attribution import named
from tokentrace.tracing import Opened

Status = Literal["success", "failure", "partial", "abandoned", "escalated", "unknown"]

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_CURRENCY = re.compile(r"[A-Z]{3}")
NANOSECONDS = 1_000_000_000


class Place(NamedTuple):
    """Where a report belongs."""

    parent: Opened | None = None
    """None for what runs now."""

    attribution: Mapping[str, str] | None = None
    """None for that of what runs now."""


def outcome(
    status: Status,
    /,
    *,
    value: Decimal | float | str | None = None,
    currency: str | None = None,
    units: Decimal | float | str | None = None,
    unit_name: str | None = None,
    trace_id: str | None = None,
    at: datetime | None = None,
) -> None:
    """What a request achieved: this one, or the one that `trace_id` names, perhaps days ago.

    It may be told again: the latest report stands. A request that nobody reports on is unknown, which is not failed.

    Args:
        status: `success`, `failure`, `partial`, `abandoned`, `escalated` or `unknown`.
        value: What it was worth, in `currency`.
        currency: ISO 4217 code of the value.
        units: How many units it brought about, such as the tickets that it closed.
        unit_name: What the units are.
        trace_id: Of the request, as `trace_id()` told it then.
        at: When that was known, default now.

    Raises:
        ValueError: An argument makes no sense; the message names it.

    """
    if status not in get_args(Status):
        raise ValueError(f"The status {status!r} is unknown. Use one of {', '.join(get_args(Status))}.")
    if (value is None) != (currency is None):
        raise ValueError("A value needs a currency, and a currency a value: give both or neither.")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise ValueError(f"The currency {currency!r} is no ISO 4217 code, such as 'USD'.")
    said = {
        name.OUTCOME_STATUS: status,
        name.OUTCOME_VALUE: _number("value", value),
        name.OUTCOME_CURRENCY: currency,
        name.OUTCOME_UNITS: _number("units", units),
        name.OUTCOME_UNIT: unit_name,
    }
    report("outcome", f"outcome {status}", said, located(trace_id, "outcome"), at=moment(at))


def reject(
    reason: str,
    /,
    *,
    whole_section: bool = False,
    response_id: str | None = None,
    trace_id: str | None = None,
) -> None:
    """What came out is not used: what the calls for it cost is errors, in whatever component it was.

    That is the latest answer in the section that runs, checks and memory aside; or all that was called in the section
    until now, with `whole_section`; or the response that `response_id` names. With `trace_id`, the section is all of
    that request.

    Args:
        reason: Why, in a word, such as `schema` or `guardrail`.
        whole_section: Whether all that was called in the section is lost with it.
        response_id: The provider's id of the response.
        trace_id: Of the request, where it is not the one that runs.

    Raises:
        ValueError: An argument makes no sense; the message names it.

    """
    reject_at(located(trace_id, "reject"), reason, whole_section=whole_section, response_id=response_id)


def accept_partial(*, response_id: str | None = None, trace_id: str | None = None) -> None:
    """What had come of an answer is used, though a timeout or an error of the server ended it.

    That is the latest answer that broke in the section that runs, checks and memory aside; or the response that
    `response_id` names. It counts as if its reader had stopped it: what had come is no error. With `trace_id`, the
    section is all of that request.

    Args:
        response_id: The provider's id of the response.
        trace_id: Of the request, where it is not the one that runs.

    Raises:
        ValueError: The trace id is none.

    """
    place = located(trace_id, "accept_partial")
    report("acceptance", "accept partial", {name.ACCEPTED_RESPONSE: response_id}, place, at=time.time_ns())


def reject_at(place: Place | None, reason: str, *, whole_section: bool = False, response_id: str | None = None) -> None:
    """What came out at a place is not used."""
    said = {
        name.REJECT_REASON: reason or "rejected",
        name.REJECT_EXTENT: "section" if whole_section else "answer",
        name.REJECTED_RESPONSE: response_id,
    }
    report("rejection", f"reject {reason}", said, place, at=time.time_ns())


def located(trace_id: str | None, what: str) -> Place | None:
    """The request that `trace_id` names, else the one that runs; None where none runs. Raises ValueError for no id."""
    if trace_id is not None:
        return remote(trace_id)
    if (tracing := context.tracing) is None:
        return None
    with quietly("finding the request"):
        if tracing.here().is_valid:
            return Place()
        log.warning("%s(…) was called outside of a request, and tells nothing: give it a trace_id.", what)
    return None


def remote(trace_id: str) -> Place:
    """A request of which nothing but its id is known. Raises ValueError for what is no id of a trace."""
    if not _TRACE_ID.fullmatch(trace_id):
        raise ValueError(f"The trace id {trace_id!r} is none: give the 32 hexadecimal digits that trace_id() told.")
    number = int(trace_id, 16)
    # Some id has to stand for the span that nobody remembers.
    span_id = number & 0xFFFFFFFFFFFFFFFF or 1
    above = SpanContext(number, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    # It belongs to whom the request belongs to, and not to who reports.
    return Place(Opened(NonRecordingSpan(above), is_private=False), {})


def apart(tags: Mapping[str, object]) -> Place:
    """A trace of its own."""
    return Place(Opened(INVALID_SPAN, is_private=False), {**context.tags(), **named(tags)})


def report(what: str, title: str, said: Mapping[str, Any], place: Place | None, *, at: int, seconds: float = 0) -> None:
    """A span that says something of a request, and took so many seconds up to a moment."""
    with quietly("reporting"):
        if (tracing := context.tracing) is None or place is None:
            return
        told = {key: value for key, value in said.items() if value is not None} | {name.REPORT: what}
        began = at - round(seconds * NANOSECONDS)
        opened = tracing.start(
            title, SpanKind.INTERNAL, told, parent=place.parent, attribution=place.attribution, began=began
        )
        opened.span.end(at)


def moment(at: datetime | None) -> int:
    """A time as OpenTelemetry has it. Raises ValueError for one without a time zone."""
    if at is None:
        return time.time_ns()
    if at.tzinfo is None:
        raise ValueError(f"The time {at.isoformat()} has no time zone: give an aware datetime.")
    return int(at.timestamp()) * NANOSECONDS + at.microsecond * 1_000


def _number(what: str, given: Decimal | float | str | None) -> str | None:
    """A number as a decimal string, exactly as it was written."""
    if given is None:
        return None
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(f"The {what} {given!r} is no number.")
    return format(number, "f")
