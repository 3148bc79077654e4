"""What work achieved, beside what it cost, by whom it was for: the question, and its answer as JSON documents.

The headline is of days that lie back so far that outcomes have come in. Which piece of work is in it depends on when it
began alone, never on whether its outcome is known: successes may take longer to be told than failures. What is still
unknown then stays unknown, and every figure that depends on it is a range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from tokentrace_collector.reports import pricing
from tokentrace_collector.reports.achievement import Row, achieved
from tokentrace_collector.reports.documents.outcomes import Outcomes
from tokentrace_collector.reports.listing import Listing, ListingError
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

DIMENSIONS = ("team", "feature", "customer", "project", "cost_center", "environment", "service", "model")
"""What work can be divided by; by model: all those together that worked on a piece."""
MATURE = 7
"""Days that an outcome may take."""
_LONGEST = 3650

Per: TypeAlias = Literal["all", "day", "month"]


@dataclass(frozen=True, slots=True)
class Question(Listing):
    """Which work is wanted, by the day (UTC) on which it began, and how it is to be divided."""

    known: ClassVar[tuple[str, ...]] = get_args(Per)
    per: Per = "all"
    by: tuple[str, ...] = ()
    mature: int = MATURE
    """Days that an outcome may take; 0: nothing is waited for, and today is in the headline."""
    fallback_cost: Decimal | None = None
    """What a person costs who does a piece of work that did not succeed, in the currency of the figures."""

    def __post_init__(self) -> None:
        Listing.__post_init__(self)
        if unknown := [name for name in self.by if name not in DIMENSIONS]:
            raise ListingError(f"The dimension {unknown[0]!r} is unknown. Known: {', '.join(DIMENSIONS)}.")
        if not 0 <= self.mature <= _LONGEST:
            raise ListingError(f"mature={self.mature} is out of reach. Give from 0 to {_LONGEST} days.")
        if self.fallback_cost is not None and self.fallback_cost < 0:
            raise ListingError(f"The fallback cost {self.fallback_cost} is negative. Give what a person costs.")


def outcomes(books: Books, wanted: Question, at: datetime) -> list[Outcomes]:
    """Periods in order, of each the groups by name, as they are matured at a moment."""
    # A day is over before it can mature.
    day = datetime.combine(at.astimezone(UTC).date() - timedelta(days=wanted.mature), time(), UTC)
    asked = wanted.asked
    asked |= {"mature": day if wanted.mature else asked["until"]}
    money = pricing.book(books).money.parameters()
    rows = books.query(schema.sql("reports/outcomes"), by=list(wanted.by), **asked, **money)
    found = groupby(rows, itemgetter("period", "group", "currency"))
    return [_outcomes(key, list(each), wanted, day) for key, each in found]


def _outcomes(key: tuple[Any, ...], rows: Sequence[Row], wanted: Question, day: datetime) -> Outcomes:
    period, group, currency = key
    return {
        "period": None if wanted.per == "all" else period.isoformat(),
        "group": dict(zip(wanted.by, group, strict=True)),
        "currency": currency,
        "matured_before": day.date().isoformat() if wanted.mature else None,
        "matured": achieved([row for row in rows if row["is_mature"]], wanted.fallback_cost),
        "everything": achieved(rows, wanted.fallback_cost),
    }
