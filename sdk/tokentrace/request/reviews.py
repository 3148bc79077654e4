"""Human review: the time of people that a request costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, get_args

from opentelemetry.trace import SpanKind

from tokentrace import attributes as name, context
from tokentrace.guard import quietly
from tokentrace.request.reporting import Place, apart, located, moment, remote, report
from tokentrace.tracing import Opened

Kind = Literal["approval", "correction", "annotation", "escalation", "audit"]
Decision = Literal["approved", "edited", "rejected", "deferred"]
Reviewed = str | Sequence[str] | Mapping[str, int]
"""A request by its trace id; several, equally; or each with the number of its items."""


class review:  # noqa: N801  (reads as a statement: `with review(kind="approval") as work:`)
    """A person looks at a result.

    Only attention costs. It is what the caller reports with `active(seconds)` or marks with `resume()` and `pause()`;
    the rest of the time inside is waiting. Without either, the time spent is unknown, which is not zero.

    It is of the request that runs, else of what `trace_id` and `session` name, as those of `record_review` do.
    """

    __slots__ = ("_active", "_attributes", "_began", "_opened", "_place", "_resumed", "decision")

    def __init__(
        self,
        *,
        kind: Kind = "approval",
        reviewer_role: str | None = None,
        decision: Decision | None = None,
        reviewer: str | None = None,
        trace_id: Reviewed | None = None,
        session: str | None = None,
    ) -> None:
        self._place, of = _reviewed(trace_id, session)
        self._attributes = {**_described(kind, reviewer_role, reviewer), **of}
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
                place = self._place or Place()
                self._opened = tracing.start(
                    title, SpanKind.INTERNAL, self._attributes, parent=place.parent, attribution=place.attribution
                )
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
    trace_id: Reviewed | None = None,
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

    One review of several requests is one line, which they share: by items, where `trace_id` maps each request to its
    number of them, else equally. So is one of a session, where it is known of which requests; else it stays with the
    session, and is of none. Without either it is of the request that runs.

    Args:
        trace_id: Of the request, as `trace_id()` told it then; or of several.
        session: The session that was reviewed as a whole.
        active_time: Seconds of attention; without them the time is unknown, which is not zero.
        wait_time: Seconds that the requests waited for it.
        kind: `approval`, `correction`, `annotation`, `escalation` or `audit`.
        decision: `approved`, `edited`, `rejected` or `deferred`.
        reviewer_role: Role in the rate card of the price book.
        reviewer: Who; one person pays attention to one thing at a time.
        at: When the work ended, default now.

    Raises:
        ValueError: An argument makes no sense; the message names it.

    """
    place, of = _reviewed(trace_id, session)
    said: dict[str, Any] = {**_described(kind, reviewer_role, reviewer), **of, name.REVIEW_DECISION: decision}
    if decision is not None and decision not in get_args(Decision):
        raise ValueError(f"The decision {decision!r} is unknown. Use one of {', '.join(get_args(Decision))}.")
    _check("active time", active_time)
    _check("wait time", wait_time)
    said |= {name.REVIEW_ACTIVE: active_time, name.REVIEW_WAIT: wait_time}
    place = place or located(None, "record_review")
    report("review", f"review {kind}", said, place, at=moment(at), seconds=active_time or 0)


def _reviewed(trace_id: Reviewed | None, session: str | None) -> tuple[Place | None, dict[str, Any]]:
    """Where a review belongs, None for what runs; and what it says of it. Raises ValueError for what is no request."""
    if trace_id is None:
        return (apart({"session": session}), _shared([], session)) if session else (None, {})
    given = [trace_id] if isinstance(trace_id, str) else trace_id
    items = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, 1)
    for count in items.values():
        # Whoever does not check types may give anything.
        if count < 0 or count != int(count):
            raise ValueError(f"{count!r} is no number of items. Give whole numbers, of which 0 leaves a request out.")
    if not any(items.values()):
        raise ValueError("A review needs at least one request with something that was reviewed.")
    places = {trace: remote(trace) for trace, count in items.items() if count}
    if len(places) == 1 and not session:
        # What is only told of a request makes it no longer.
        return next(iter(places.values())), {name.REPORT: "review"}
    is_counted = isinstance(given, Mapping)
    named = [f"{trace}:{int(items[trace])}" if is_counted else trace for trace in places]
    return apart({"session": session} if session else {}), _shared(named, session)


def _shared(traces: Sequence[str], session: str | None) -> dict[str, Any]:
    said = {name.REPORT: "review", name.REVIEW_SESSION: session or None, name.REVIEW_TRACES: traces or None}
    return {key: value for key, value in said.items() if value is not None}


def _described(kind: Kind, reviewer_role: str | None, reviewer: str | None) -> dict[str, str]:
    if kind not in get_args(Kind):
        raise ValueError(f"The kind of review {kind!r} is unknown. Use one of {', '.join(get_args(Kind))}.")
    said = {name.REVIEW_KIND: kind, name.REVIEWER_ROLE: reviewer_role, name.REVIEWER_ID: reviewer}
    return {key: value for key, value in said.items() if value is not None}


def _check(what: str, seconds: float | None) -> None:
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise ValueError(f"The {what} {seconds!r} is negative or no number. Give seconds.")
