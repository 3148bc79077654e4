"""What was spent, divided by whom, by what and by when: the question, and its answer as JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from tokentrace_collector.reports import population
from tokentrace_collector.reports.answers import component_names
from tokentrace_collector.reports.documents.spending import Population, Share
from tokentrace_collector.reports.figures import multiples
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

DIMENSIONS = (
    "team", "feature", "project", "cost_center", "environment", "provider", "model", "model_family", "role",
    "role_source", "sub_component", "token_class", "customer", "user", "session", "service", "rework", "charge_period",
)  # fmt: skip
"""What costs can be divided by, and chosen by; the last is the month (UTC) of the charge, whichever it is booked in.

`role_source` says what the role of a call rests on: what the application said, or a rule that inferred it. `rework` is
that of runs of a piece of work which was done again later, and empty of all else.
"""
_CLOSELY = frozenset({"customer", "user", "session", "service", "rework", "token_class", "role_source"})
"""What the hourly table does not know, for there are too many of them."""
_UNBOOKED = frozenset({"user", "session", "rework", "role_source"})
"""What closed months do not know."""

_UNCORRECTED = frozenset({"hours", "lines"})
"""What of `charged` takes nothing back."""

_CLOSED = "SELECT 1 FROM closed_months WHERE tenant = {tenant:String} LIMIT 1"

Period = Literal["all", "hour", "day", "week", "month"]
InfraView = Literal["unused", "all"]


class BreakdownError(ValueError):
    """A question that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Which costs are wanted, and how they are to be divided."""

    by: tuple[str, ...] = ()
    """Dimensions; none gives the sum of all."""
    per: Period = "all"
    zone: str = "UTC"
    """Time zone in which days, weeks (from Monday) and months begin."""
    since: datetime | None = None
    """Whole hours: the one in which this moment lies, and those after it."""
    until: datetime | None = None
    only: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values by dimension; an empty one asks for what names none."""
    limit: int = 0
    """The dearest groups of each currency, beside the sum of all others; 0 gives every group."""
    run: str = ""
    """An earlier rating run, as its figures were when other prices followed; empty: the one of the books."""
    infra_view: InfraView = "unused"
    """What of capacity and commitments is infrastructure: what was paid for and served nobody, or `all` of it."""

    def __post_init__(self) -> None:
        if unknown := [name for name in (*self.by, *self.only) if name not in DIMENSIONS]:
            raise BreakdownError(f"The dimension {unknown[0]!r} is unknown. Known: {', '.join(DIMENSIONS)}.")
        if self.per not in get_args(Period):
            raise BreakdownError(f"The period {self.per!r} is unknown. Known: {', '.join(get_args(Period))}.")
        try:
            ZoneInfo(self.zone)
        except (OSError, ValueError, LookupError):
            raise BreakdownError(f"The time zone {self.zone!r} is unknown. Write it like Europe/Berlin.") from None
        if self.infra_view not in get_args(InfraView):
            raise BreakdownError(
                f"The view of infrastructure {self.infra_view!r} is unknown. Known: {', '.join(get_args(InfraView))}."
            )
        if self.run and self.infra_view == "all":
            raise BreakdownError(
                "Of an earlier run only hours are kept, which do not tell used capacity apart. Leave out `infra_view`."
            )
        if self.run and self.reads_lines:
            raise BreakdownError(
                f"Of an earlier run only hours are kept, without {', '.join(sorted(_CLOSELY))}. Divide by others."
            )
        if self.limit < 0:
            raise BreakdownError(f"The limit {self.limit} is negative. Give the number of groups, or 0 for all.")

    @property
    def reads_lines(self) -> bool:
        """Whether the lines have to be read, for the hours do not know enough."""
        return self.infra_view == "all" or not _CLOSELY.isdisjoint((*self.by, *self.only))


def shares(books: Books, wanted: Breakdown) -> list[Share]:
    """One document per period, group and currency, in the order of time, the dearest first."""
    asked = {
        "per": wanted.per,
        "zone": wanted.zone,
        "since": _whole(wanted.since),
        "until": _whole(wanted.until),
        "values": list(wanted.only.values()),
        "limit": wanted.limit,
        "run": wanted.run,
        "infra_view": wanted.infra_view,
    }
    # Only what is read, or it would take longer to understand the question than to answer it.
    source = _source(books, wanted)
    charged = schema.sql(f"reports/charged/{source}")
    sums = schema.sql("reports/breakdown", by=wanted.by, only=wanted.only)
    chosen = sums.partition(",\n    summed AS (")[0]
    if source in _UNCORRECTED and not wanted.limit:
        sums = f"{chosen}\n{schema.sql('reports/sums', by=wanted.by)}"
    rows = books.query(schema.instead(sums, "FROM charged\n", f"FROM (\n{charged}) AS charged\n"), **asked)
    sampled = population.rows(books, chosen, population.unit((*wanted.by, *wanted.only)), by=wanted.by, **asked)
    calls = _calls(sampled, wanted, frozenset((row["currency"], *row["group"]) for row in rows))
    return [_share(row, wanted, calls) for row in rows]


def agents(books: Books, since: datetime | None, limit: int) -> list[Share]:
    """One document per agent and currency, the dearest first; of an agent below another the calls are its own.

    As all is now, also in closed months: agents are not booked, so nothing of them is a correction.
    """
    rows = books.query(schema.sql("reports/agents"), since=_whole(since), limit=limit)
    kept = [population.by_ratio(*row["ratios"]) for row in rows]
    is_sampled = any(each.is_sampled for calls in kept for each in calls)
    told = [
        population.population("lines", calls, Decimal(row["tokens"]), Decimal(row["total"])) if is_sampled else None
        for row, calls in zip(rows, kept, strict=True)
    ]
    return [
        _sums({**row, "corrections": "0"}, None, {"agent": row["agent"]}, each)
        for row, each in zip(rows, told, strict=True)
    ]


def _source(books: Books, wanted: Breakdown) -> str:
    """The cheapest that knows enough: hours, or all lines; and where a month is closed, what is booked of either."""
    now, booked = ("lines", "charges") if wanted.reads_lines else ("hours", "booked")
    is_booked = not wanted.run and _UNBOOKED.isdisjoint((*wanted.by, *wanted.only))
    return booked if is_booked and books.query(_CLOSED) else now


def _whole(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0) if moment else None


_Calls = Mapping[tuple[object, ...], list[population.Kept]]
"""By period, currency and group."""


def _calls(rows: Sequence[Mapping[str, Any]], wanted: Breakdown, shown: frozenset[tuple[str, ...]]) -> _Calls:
    """The calls behind the groups, those that are not shown together under no name; none where none is of a sample."""
    if all(row["numerator"] == row["denominator"] for row in rows):
        return {}
    calls: dict[tuple[object, ...], list[population.Kept]] = {}
    for row in rows:
        named = (row["currency"], *row["values"])
        # By the prices of then, nothing is known of single calls.
        cost = None if wanted.run else row["cost"]
        kept = population.Kept(row["numerator"], row["denominator"], row["counted"], row["tokens"], cost)
        of = named if named in shown or not wanted.limit else named[:1]
        calls.setdefault((row["period"], *of), []).append(kept)
    return calls


def _share(row: Mapping[str, Any], wanted: Breakdown, calls: _Calls) -> Share:
    is_rest = bool(wanted.by) and not row["group"]
    group = None if is_rest else dict(zip(wanted.by, row["group"], strict=True))
    told: Population | None = None
    if calls:
        kept = calls.get((row["period"], row["currency"], *row["group"]), [])
        counted = population.unit((*wanted.by, *wanted.only))
        told = population.population(counted, kept, Decimal(row["tokens"]), Decimal(row["total"]))
    return _sums(row, _period(row["period"], wanted), group, told)


def _sums(
    row: Mapping[str, Any], period: str | None, group: dict[str, str] | None, told: Population | None = None
) -> Share:
    components: dict[str, str] = {name: row[name] for name in component_names()}
    return {
        "period": period,
        "group": group,
        "currency": row["currency"],
        "total": row["total"],
        "components": components,
        "estimated": row["estimated"],
        "allocated": row["allocated"],
        "corrections": row["corrections"],
        "tokens": row["tokens"],
        "lines": {"known": row["lines"] - row["unpriced"], "of": row["lines"]},
        "population": told,
        "ratios": multiples({name: Decimal(amount) for name, amount in components.items()}),
    }


def _period(began: datetime | None, wanted: Breakdown) -> str | None:
    if began is None:
        return None
    local = began.astimezone(ZoneInfo(wanted.zone))
    match wanted.per:
        case "month":
            return f"{local:%Y-%m}"
        case "week":
            return f"{local:%G-W%V}"
        case "day":
            return f"{local:%Y-%m-%d}"
        case _:
            return local.isoformat(timespec="minutes")
