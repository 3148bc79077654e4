"""Human review: the time of people that a request costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Literal, Self, get_args

from opentelemetry.trace import SpanKind

from tokentrace import attributes as name, context
from tokentrace.guard import quietly
from tokentrace.request.reporting import NANOSECONDS, apart, located, moment, remote, report
from tokentrace.tracing import Opened

Kind = Literal["approval", "correction", "annotation", "escalation", "audit"]
Decision = Literal["approved", "edited", "rejected", "deferred"]


class review:  # noqa: N801  (reads as a statement: `with review(kind="approval") as work:`)
    """A person looks at a result.

    Only attention costs. It is what the caller reports with `active(seconds)` or marks with `resume()` and `pause()`;
    the rest of the time inside is waiting. Without either, the time spent is unknown, which is not zero.
    """

    __slots__ = ("_active", "_attributes", "_began", "_opened", "_resumed", "decision")

    def __init__(
        self,
        *,
        kind: Kind = "approval",
        reviewer_role: str | None = None,
        decision: Decision | None = None,
        reviewer: str | None = None,
    ) -> None:
        self._attributes = _described(kind, reviewer_role, reviewer)
        self._active: float | None = None
        self._resumed: float | None = None
        self._opened: Opened | None = None
        self.decision: Decision | None = decision
        """What the person decided; may be set inside."""

    def active(self, seconds: float) -> None:
        """Add reported seconds of attention."""
        _check("active time", seconds)
        self._active = (self._active or 0.0) + seconds

    def resume(self) -> None:
        """The person begins, or goes on."""
        if self._resumed is None:
            self._resumed = time.monotonic()

    def pause(self) -> None:
        """The person turns to something else."""
        if self._resumed is not None:
            self.active(time.monotonic() - self._resumed)
            self._resumed = None

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        with quietly("opening a review"):
            if (tracing := context.tracing) is not None:
                title = f"review {self._attributes[name.REVIEW_KIND]}"
                self._opened = tracing.start(title, SpanKind.INTERNAL, self._attributes)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.pause()
        if self._opened is None:
            return
        with quietly("closing a review"):
            span = self._opened.span
            if self.decision is not None:
                span.set_attribute(name.REVIEW_DECISION, self.decision)
            if self._active is not None:
                span.set_attribute(name.REVIEW_ACTIVE, self._active)
            waited = time.monotonic() - self._began - (self._active or 0.0)
            span.set_attribute(name.REVIEW_WAIT, max(waited, 0.0))
            span.end()


def record_review(
    *,
    trace_id: str | Sequence[str] | Mapping[str, int] | None = None,
    session: str | None = None,
    active_time: float | None = None,
    wait_time: float | None = None,
    kind: Kind = "approval",
    decision: Decision | None = None,
    reviewer_role: str | None = None,
    reviewer: str | None = None,
    at: datetime | None = None,
) -> None:
    """A review that has taken place elsewhere, such as in a queue or a ticket, perhaps days after the request.

    One review of several requests is split between them in whole seconds: by items, where `trace_id` maps each request
    to its number of them, else equally. Without `trace_id` it belongs to the session, or to the request that runs.

    Args:
        trace_id: Of the request, as `trace_id()` told it then; or of several.
        session: The session that was reviewed as a whole.
        active_time: Seconds of attention; without them the time is unknown, which is not zero.
        wait_time: Seconds that each request waited for it.
        kind: `approval`, `correction`, `annotation`, `escalation` or `audit`.
        decision: `approved`, `edited`, `rejected` or `deferred`.
        reviewer_role: Role in the rate card of the price book.
        reviewer: Who; one person pays attention to one thing at a time.
        at: When the work ended, default now.

    Raises:
        ValueError: An argument makes no sense; the message names it.

    """
    said: dict[str, str | float | None] = {**_described(kind, reviewer_role, reviewer), name.REVIEW_DECISION: decision}
    if decision is not None and decision not in get_args(Decision):
        raise ValueError(f"The decision {decision!r} is unknown. Use one of {', '.join(get_args(Decision))}.")
    _check("active time", active_time)
    _check("wait time", wait_time)
    said[name.REVIEW_WAIT] = wait_time
    title, ended = f"review {kind}", moment(at)
    if trace_id is None or isinstance(trace_id, str):
        is_of_session = trace_id is None and session is not None
        place = apart({"session": session}) if is_of_session else located(trace_id, "record_review")
        said[name.REVIEW_ACTIVE] = active_time
        report("review", title, said, place, at=ended, seconds=active_time or 0)
        return
    shares = _shares(trace_id, active_time)
    for place, share in [(remote(each), share) for each, share in shares.items()]:
        report("review", title, {**said, name.REVIEW_ACTIVE: share}, place, at=ended, seconds=share or 0)
        # One after the other, for it is one person at one time.
        ended -= (share or 0) * NANOSECONDS


def _shares(traces: Sequence[str] | Mapping[str, int], active_time: float | None) -> dict[str, int | None]:
    """The whole seconds of each trace, largest remainder first."""
    items = dict(traces) if isinstance(traces, Mapping) else dict.fromkeys(traces, 1)
    if not items or any(count < 0 for count in items.values()) or not (total := sum(items.values())):
        raise ValueError("A review needs at least one request with something that was reviewed.")
    if active_time is None:
        return dict.fromkeys(items)
    seconds = round(active_time)
    shares = {trace: seconds * count // total for trace, count in items.items()}
    left = seconds - sum(shares.values())
    by_remainder = sorted(items, key=lambda trace: (-(seconds * items[trace] % total), trace))
    return {trace: share + (trace in by_remainder[:left]) for trace, share in shares.items()}


def _described(kind: Kind, reviewer_role: str | None, reviewer: str | None) -> dict[str, str]:
    if kind not in get_args(Kind):
        raise ValueError(f"The kind of review {kind!r} is unknown. Use one of {', '.join(get_args(Kind))}.")
    said = {name.REVIEW_KIND: kind, name.REVIEWER_ROLE: reviewer_role, name.REVIEWER_ID: reviewer}
    return {key: value for key, value in said.items() if value is not None}


def _check(what: str, seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise ValueError(f"The {what} {seconds!r} is negative or no number. Give seconds.")
