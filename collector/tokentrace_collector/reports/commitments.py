"""How far what was promised is used, by commitment and period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args

from tokentrace_collector.reports.answers import decimal
from tokentrace_collector.reports.documents import Utilisation
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

Per: TypeAlias = Literal["period", "month"]
_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(2106, 1, 1, tzinfo=UTC)


class UtilisationError(ValueError):
    """A question about commitments that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which periods are wanted."""

    per: Per = "period"
    """`period`: as each settles, hours for minutes; `month` (UTC): added up by the month in which they begin."""
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.per not in get_args(Per):
            raise UtilisationError(f"The period {self.per!r} is unknown. Known: {', '.join(get_args(Per))}.")


def utilisation(books: Books, wanted: Question) -> list[Utilisation]:
    """Commitments by name, their periods in order."""
    since, until = wanted.since or _ALWAYS, wanted.until or _NEVER
    rows = books.query(schema.sql("reports/commitments"), per=wanted.per, since=since, until=until)
    return [_utilisation(row) for row in rows]


def _utilisation(row: dict[str, Any]) -> Utilisation:
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
    }
