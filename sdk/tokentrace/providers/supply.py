"""How much more a provider will serve: what the rate-limit headers of its answers say. No other header is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from tokentrace import attributes as name

_SHAPES = (
    "x-ratelimit-{side}-{kind}",
    "x-ratelimit-{side}-{kind}-{period}",
    "anthropic-ratelimit-{kind}-{side}",
)
_SIDES = ("limit", "remaining", "reset")
_KINDS = {
    "requests": "requests",
    "req": "requests",
    "tokens": "tokens",
    "input-tokens": "input_tokens",
    "output-tokens": "output_tokens",
}
_PERIODS = ("minute", "hour", "day")

_OTHERS = {
    "x-ratelimit-limit": "limit.requests",
    "x-ratelimit-remaining": "remaining.requests",
    "x-ratelimit-reset": "reset.requests",
    "x-tokenlimit-limit": "limit.tokens",
    "x-tokenlimit-remaining": "remaining.tokens",
}
"""Of Together and OpenRouter."""

_QUEUE = "x-queue-time"
"""Milliseconds that a request waited at a text-generation server."""

_RETRY = {"retry-after": 1.0, "retry-after-ms": 1000.0}
"""By header: its units in a second."""

ALLOWED: Mapping[str, str] = {
    **{
        shape.format(side=side, kind=kind, period=period): f"{side}.{named}"
        for shape in _SHAPES
        for side in _SIDES
        for kind, named in _KINDS.items()
        for period in _PERIODS
    },
    **_OTHERS,
}
"""By header: side and kind of the limit it tells. The only headers that are looked at, with those of waits."""

_LIMITS = {header: (name.RATE_LIMIT + limit, limit.startswith("reset")) for header, limit in ALLOWED.items()}
"""By header: its attribute, and whether that is a time."""

_WAITS = (_QUEUE, *_RETRY)
_WANTED = {key: header for header in (*ALLOWED, *_WAITS) for key in (header, header.encode())}
"""Header names as libraries have them, in lower case: text or bytes."""

_SPAN = re.compile(r"(?P<count>\d+(?:\.\d+)?)(?P<unit>ms|us|µs|ns|s|m|h|d)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e12
"""From where on a plain number is a moment, and not a length of time."""


def stated(headers: Any) -> dict[str, int | float]:
    """The limits that the headers of an answer state, by attribute: counts, and seconds until they are reset."""
    found: dict[str, int | float] = {}
    for raw, value in _raw(headers):
        if (header := _WANTED.get(raw.lower())) is None:
            continue
        told = _text(value)
        if header == _QUEUE:
            if (waited := _number(told)) is not None:
                found[name.QUEUE_WAIT] = waited / 1000
        elif (limit := _LIMITS.get(header)) is not None:
            key, is_reset = limit
            if (number := _seconds(told) if is_reset else _number(told)) is not None:
                found[key] = number if is_reset else int(number)
    return found


def retry_after(headers: Any) -> float | None:
    """The seconds for which an answer asks to be left alone."""
    waits = {header: _text(told) for raw, told in _raw(headers) if (header := _WANTED.get(raw.lower())) in _RETRY}
    for header, units in reversed(_RETRY.items()):
        if header in waits and (told := _number(waits[header])) is not None:
            return told / units
    return None


def pairs(headers: Any) -> Iterator[tuple[str, str]]:
    """Headers by name in small letters, of a library of whatever make."""
    for header, told in _raw(headers):
        yield _text(header).lower(), _text(told)


def _raw(headers: Any) -> Iterable[tuple[Any, Any]]:
    # Of httpx the raw list: to ask for each name would look through all of them each time.
    return getattr(headers, "raw", None) or (headers.items() if headers else ())


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _number(told: str) -> float | None:
    try:
        number = float(told)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _seconds(told: str) -> float | None:
    """A length of time from now on, of a number, of units such as `1m30s`, or of a moment."""
    if (length := _length(told)) is not None:
        return length
    if (number := _number(told)) is not None:
        if number >= _EPOCH_MILLISECONDS:
            return max(0.0, number / 1000 - time.time())
        return max(0.0, number - time.time()) if number >= _EPOCH_SECONDS else number
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


@lru_cache(maxsize=1024)
def _length(told: str) -> float | None:
    """A length of time in units: a provider tells few of them, and again with each answer."""
    parts = list(_SPAN.finditer(told))
    if parts and "".join(part[0] for part in parts) == told:
        return sum(float(part["count"]) * _UNITS[part["unit"]] for part in parts)
    return None
