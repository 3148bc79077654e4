"""What capacity that is paid by the hour cost, how far it was used, and what energy it took, by pool and period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from tokentrace_collector.reports.documents.capacity import Capacity, Drawn
from tokentrace_collector.reports.figures import decimal, rate
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

_MILLION = 1_000_000

Per: TypeAlias = Literal["hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class Question(Listing):
    """Which periods are wanted."""

    known: ClassVar[tuple[str, ...]] = get_args(Per)
    per: Per = "month"
    """Hours, days and months are of UTC; bounds are of whole hours."""


def capacity(books: Books, wanted: Question) -> list[Capacity]:
    """Pools by name, their periods in order."""
    rows = books.query(schema.sql("reports/capacity_periods"), **wanted.asked)
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
        "served": decimal(row["served"]),
        "rate_full": rate(row["used"], row["served"], _MILLION),
        "rate_effective": rate(row["cost"], row["served"], _MILLION),
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
