"""How far what was promised is used, by commitment and period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from tokentrace_collector.reports.documents.capacity import Utilisation
from tokentrace_collector.reports.figures import decimal, rate
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

Per: TypeAlias = Literal["period", "month"]


@dataclass(frozen=True, slots=True)
class Question(Listing):
    """Which periods are wanted."""

    known: ClassVar[tuple[str, ...]] = get_args(Per)
    per: Per = "period"
    """`period`: as each settles, hours for minutes; `month` (UTC): added up by the month in which they begin."""


def utilisation(books: Books, wanted: Question) -> list[Utilisation]:
    """Commitments by name, their periods in order."""
    rows = books.query(schema.sql("reports/commitments"), **wanted.asked)
    return [_utilisation(row) for row in rows]


def _utilisation(row: dict[str, Any]) -> Utilisation:
    # Units of spending are money at the prices that hold without it.
    is_spend = row["kind"] == "spend"
    covered = row["covered_cost"] if is_spend else row["covered"]
    full = rate(row["used"], covered) if is_spend else rate(row["fee"], row["promised"])
    return {
        "commitment": row["commitment"],
        "kind": row["kind"],
        "since": row["began"].isoformat(),
        "until": row["ended"].isoformat(),
        "settled": bool(row["settled"]),
        "utilisation": row["utilisation"],
        "break_even": row["break_even"],
        "unpriced": row["unpriced"],
        "fee": decimal(row["fee"]),
        "promised": decimal(row["promised"]),
        "covered": decimal(row["covered"]),
        "beyond": decimal(row["beyond"]),
        "used": decimal(row["used"]),
        "unused": decimal(row["unused"]),
        "at_risk": decimal(row["at_risk"]),
        "overflow": decimal(row["overflow"]),
        "covered_cost": decimal(row["covered_cost"]),
        "rate_full": full,
        "rate_effective": rate(row["paid"], covered),
        "saving": decimal(row["saving"]),
    }
