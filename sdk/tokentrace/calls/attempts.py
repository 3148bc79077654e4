"""The HTTP requests of one call: how each ended, and whether the provider bills them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import wrapt
from opentelemetry.trace import Span

from tokentrace import attributes as name
from tokentrace.integration import EVERY
from tokentrace.providers import supply as limits
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, dig

FIRST_ERROR = 400

_THROTTLED = frozenset({429, 503, 529})
"""Answers of a provider that has too much to do, or thinks that we ask too much."""

_UNSENT = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ClientConnectorError",
        "ClientConnectorDNSError",
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ProxyConnectionError",
        "ServiceRequestTimeoutError",
    }
)
"""Errors of httpx, aiohttp, botocore and azure-core that come before anything was sent."""


@dataclass(slots=True)
class Attempt:
    """One HTTP request of a call. Times are nanoseconds since the epoch."""

    started: int
    ended: int = 0
    status: int | None = None
    error: str | None = None
    headers: Any = None
    """Of the answer, where there was one; looked at when the call is over."""

    @property
    def billable(self) -> str:
        """Whether the provider bills it: an HTTP error is free, a connection that broke on the way may not be."""
        if self.status is None:
            return "false" if self.error in _UNSENT else "unknown"
        return "true" if self.status < FIRST_ERROR else "false"

    def begin_again(self) -> None:
        """It stands for the request that follows."""
        self.started, self.ended = time.time_ns(), 0
        self.status = self.error = self.headers = None

    def answered(self, response: Any) -> None:
        """The request was answered."""
        self.ended = time.time_ns()
        status = getattr(response, "status_code", None)
        if not isinstance(status, int):
            # A library that raises for errors, and hands back something without a status, was answered well.
            status = status if isinstance(status := getattr(response, "status", None), int) else 200
        self.status = status
        self.headers = getattr(response, "headers", None)

    def broke(self, error: BaseException) -> None:
        """The request got no answer, or one that the library raised as an error."""
        self.ended = time.time_ns()
        self.error = type(error).__qualname__
        codes = (getattr(error, key, None) for key in ("status_code", "code"))
        self.status = next((code for code in codes if isinstance(code, int)), None)
        self.headers = dig(error, "response", "headers")


def outcome(
    attempts: Sequence[Attempt], http: object, error: BaseException | None
) -> tuple[str, str | None, int | None]:
    """Of a call that took these attempts through the client `http`; without one, as its answer says.

    Whether the provider bills it; why it failed, or None where nothing of them says so; how the attempt was answered
    that the counts of the call are of.
    """
    # Most calls take one attempt that goes well.
    if error is None and len(attempts) == 1 and (answered := attempts[0].status) and answered < FIRST_ERROR:
        return "true", None, answered
    return (
        "true" if http is None else _owed(attempts, http, error),
        _failure(attempts, error),
        _status(attempts) if attempts else None,
    )


def _owed(attempts: Sequence[Attempt], http: object, error: BaseException | None) -> str:
    if attempts and attempts[-1].billable == "true":
        return "true"
    billable = {attempt.billable for attempt in attempts}
    if "true" in billable:
        return "true"
    if "unknown" in billable:
        return "unknown"
    if http is EVERY and error is None and not attempts:
        # Answered by means that we do not see: the answer says what it says.
        return "true"
    # An HTTP client of the application's own making may send past the method that we wrap.
    send = getattr(cast("object", type(http)), "send", None)
    unseen = error is None and not attempts and send is not None and not isinstance(send, wrapt.BaseObjectProxy)
    return "unknown" if unseen else "false"


def unsettled(attempts: Sequence[Attempt]) -> tuple[int, ...]:
    """The numbers of those that may have been billed; without the last, which the counts of the call are of."""
    owed = [(number, attempt.billable) for number, attempt in enumerate(attempts, 1) if attempt.billable != "false"]
    return tuple(number for number, billable in owed[:-1] if billable == "unknown")


def _status(attempts: Sequence[Attempt]) -> int | None:
    if attempts[-1].billable == "false" and any(attempt.billable == "unknown" for attempt in attempts):
        # Refused at last, but not at first.
        return None
    return attempts[-1].status


def same_request(usage: Usage) -> Mapping[str, Any]:
    """What an attempt asked for whose call reports what it asked for."""
    if (asked := usage.input) is None:
        return NOTHING
    found: dict[str, Any] = {name.ATTEMPT_METHOD: "same_request"}
    read_by_tools = usage.buckets.get("tool_use_prompt", 0)
    if not usage.meters:
        # Where tools ran at the provider, what they found may be counted as well.
        found[name.ATTEMPT_ERROR] = 0.0
    return found | {name.ATTEMPT_INPUT: asked - read_by_tools}


def supply(attempts: Sequence[Attempt]) -> dict[str, int | float]:
    """What the last answer says of the provider's limits, and how long the call waited for them."""
    found = limits.stated(attempts[-1].headers)
    if len(attempts) == 1:
        return found
    waits = (after.started - before.ended for before, after in pairwise(attempts) if before.status in _THROTTLED)
    if waited := sum(waits):
        found[name.THROTTLE_WAIT] = waited / 1e9
    return found


def _failure(attempts: Sequence[Attempt], error: BaseException | None) -> str | None:
    if error is not None:
        return type(error).__qualname__
    # Some libraries look at the status only after the call that we wrap.
    status = attempts[-1].status if attempts else None
    return str(status) if status is not None and status >= FIRST_ERROR else None


def note(attempts: Sequence[Attempt], span: Span, usage: Usage) -> None:
    """One event per HTTP request of a call that took several, or failed, and reports this usage."""
    before = 0
    left_open = unsettled(attempts)
    estimate = same_request(usage) if left_open else NOTHING
    for number, attempt in enumerate(attempts, 1):
        noted: dict[str, Any] = {name.ATTEMPT_NUMBER: number, name.ATTEMPT_BILLABLE: attempt.billable}
        if attempt.status is not None:
            noted[name.HTTP_STATUS] = attempt.status
            if attempt.status >= FIRST_ERROR and (asked := limits.retry_after(attempt.headers)) is not None:
                noted[name.RETRY_AFTER] = asked
        if attempt.error is not None:
            noted[name.ERROR_TYPE] = attempt.error
        if before:
            noted[name.ATTEMPT_WAIT] = (attempt.started - before) / 1e9
        if number in left_open:
            noted.update(estimate)
        before = attempt.ended
        span.add_event(name.ATTEMPT_EVENT, noted, attempt.started)
