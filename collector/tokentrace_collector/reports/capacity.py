"""What capacity that is paid by the hour cost, how far it was used, and what energy it took, by pool and period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from tokentrace_collector.reports.answers import decimal
from tokentrace_collector.reports.documents import Capacity, Drawn
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

Per: TypeAlias = Literal["hour", "day", "month"]
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(2106, 1, 1, tzinfo=UTC)


class CapacityError(ValueError):
    """A question about capacity that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which hours are wanted, and how they are added up."""

    per: Per = "month"
    """Hours, days and months are of UTC."""
    since: datetime | None = None
    """Whole hours: the one in which this moment lies, and those after it."""
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.per not in get_args(Per):
            raise CapacityError(f"The period {self.per!r} is unknown. Known: {', '.join(get_args(Per))}.")


def capacity(books: Books, wanted: Question) -> list[Capacity]:
    """Pools by name, their periods in order."""
    since, until = wanted.since or _ALWAYS, wanted.until or _NEVER
    rows = books.query(schema.sql("reports/capacity_periods"), per=wanted.per, since=since, until=until)
    return [_capacity(row) for row in rows]


def _capacity(row: Mapping[str, Any]) -> Capacity:
    return {
        "pool": row["pool"],
        "since": row["period"].isoformat(),
        "until": row["ended"].isoformat(),
        "seconds": row["seconds"],
        "cost": decimal(row["cost"]),
        "used": decimal(row["used"]),
        "idle": decimal(row["idle"]),
        "unallocated": decimal(row["unallocated"]),
        "utilisation": row["utilisation"],
        "overloaded_hours": row["overloaded"],
        "kwh": _drawn(row, "kwh"),
        "co2e_grams": _drawn(row, "co2e"),
    }


def _drawn(row: Mapping[str, Any], what: str) -> Drawn | None:
    total, used = row[what], row[f"{what}_used"]
    if total is None:
        return None
    return {
        "total": decimal(total),
        "used": decimal(used),
        "idle": decimal(total - used),
        "basis": "stated_power",
        "hours": {"known": row[f"{what}_hours"], "of": row["hours"]},
    }
