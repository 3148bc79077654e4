"""What was done to the books: deleted, recomputed, verified."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from tokentrace_collector.reports.documents.spending import Month, Repriced

Task = Literal["run", "rebuild", "verify"]
"""What a rollup does: recompute what has changed, or everything; or hold everything against what there was."""


class Deleted(TypedDict):
    """What a deletion took out, or would."""

    rows: dict[str, int]
    """By table, and `dead_letters`; a span that a table keeps twice counts twice."""


class RollupOutcome(TypedDict):
    """What a run of the rollup did."""

    traces: int
    seconds: float
    unpriced: int
    """Calls among them that used something of which no price is known."""
    unread: int
    """Spans among theirs that count tokens in a dialect that nobody knows."""
    late: int
    """Calls and reviews that came late to closed requests, and were added to what these cost."""
    undecided: int
    """Calls that came so late and bear no cost: whether another tells of the same is not known any more."""
    verified: Verified | None
    """What the tables were held against, where that was asked."""
    rating_run: NotRequired[str]
    """The prices that were tried, where that was asked."""
    repriced: NotRequired[list[Repriced]]
    """What they change."""
    months: NotRequired[list[Month]]
    """Those that are closed, where one was to be."""


class Verified(TypedDict):
    """The tables of cost, held against a recomputation from all spans."""

    rows: int
    closed: int
    """Requests among them that keep the figures they have, as their spans have expired or are about to."""
    differences: list[Difference]
    """Rows that were not as they ought to be; at most a hundred. They are now."""
    is_disturbed: bool
    """Spans came between: what differs may be theirs."""


class Difference(TypedDict):
    """A row of a table of cost that a recomputation gives otherwise."""

    table: str
    key: str
    """The columns of its sorting key, as a JSON object."""
    stored: str | None
    """Its amount as it was; None where there was no such row."""
    recomputed: str | None
    """Its amount as it is now; None where there is no such row."""
