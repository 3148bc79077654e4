"""Human review: the time of people that a request costs."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Literal, Self, get_args

from opentelemetry.trace import SpanKind

from tokentrace import attributes as name, context
from tokentrace.guard import quietly
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
        if kind not in get_args(Kind):
            raise ValueError(f"The kind of review {kind!r} is unknown. Use one of {', '.join(get_args(Kind))}.")
        said = {name.REVIEW_KIND: kind, name.REVIEWER_ROLE: reviewer_role, name.REVIEWER_ID: reviewer}
        self._attributes = {key: value for key, value in said.items() if value is not None}
        self._active: float | None = None
        self._resumed: float | None = None
        self._opened: Opened | None = None
        self.decision: Decision | None = decision
        """What the person decided; may be set inside."""

    def active(self, seconds: float) -> None:
        """Add reported seconds of attention."""
        if seconds < 0:
            raise ValueError(f"The active time {seconds!r} is negative. Give the seconds of attention spent.")
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
