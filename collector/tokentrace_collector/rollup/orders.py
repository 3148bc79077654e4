"""What a rollup can be told to do, beside its daily work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tokentrace_collector.prices.book import Book
from tokentrace_collector.reports.documents.upkeep import Task
from tokentrace_collector.tenants import EVERYBODY


@dataclass(frozen=True, slots=True)
class Repricing:
    """Rate everything by other prices, and say what that changes."""

    book: Book | None = None
    """None: the one in use, with the catalogue that is installed."""
    since: datetime | None = None
    until: datetime | None = None
    adopt: bool = False
    """Go on with these prices."""
    tenant: str = EVERYBODY
    """Whose costs are compared."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Close a month: what it holds stays as it is from then on."""

    month: date
    """Its first day."""
    at: datetime
    """When that is wanted: a month has to have ended."""
    tenant: str = EVERYBODY
    """Whose month it is."""


Order = Task | Repricing | Closing
"""What a rollup is told."""
