"""What models behind an API took of energy and carbon, as a library estimates it by what they wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from tokentrace_collector.notation import WIDE
from tokentrace_collector.prices.aliases import Name, known_as
from tokentrace_collector.reports import model_names, pricing
from tokentrace_collector.reports.documents.energy import Energy, ModelEnergy, Range, UnknownEnergy
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.reports.footprint import Footprint, Library, Span
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

Per: TypeAlias = Literal["all", "day", "month"]

_Row: TypeAlias = Mapping[str, Any]
_Known: TypeAlias = Mapping[Name, Footprint | None]


@dataclass(frozen=True, slots=True)
class Question(Listing):
    """Which periods are wanted, and with which electricity."""

    known: ClassVar[tuple[str, ...]] = get_args(Per)
    per: Per = "all"
    """Days and months are of UTC."""
    zone: str | None = None
    """The electricity mix: a country by its ISO 3166-1 alpha-3 code, or WOR, the world; None: each provider's own."""


def energy(books: Books, wanted: Question) -> list[Energy]:
    """Periods in order, of each the models that wrote most first."""
    library = Library(wanted.zone)
    rows = books.query(schema.sql("reports/energy"), **wanted.asked)
    aliases = pricing.book(books).aliases
    names = {_name(row) for row in rows if not row["is_pooled"]}
    known = {name: library.footprint(model_names.candidates(known_as(name, aliases))) for name in names}
    periods = groupby(rows, lambda row: None if wanted.per == "all" else row["period"].isoformat())
    return [_energy(period, list(found), known, library.version) for period, found in periods]


def _energy(period: str | None, rows: Sequence[_Row], known: _Known, version: str) -> Energy:
    called = [row for row in rows if not row["is_pooled"]]
    pooled = [row for row in rows if row["is_pooled"]]
    models = [_model(row, found) for row in called if (found := known[_name(row)])]
    unknown = [_unknown(row) for row in called if known[_name(row)] is None]
    uncounted = sum(each["uncounted_calls"] for each in models)
    return {
        "period": period,
        "basis": "ecologits",
        "version": version,
        "tokens": {"known": _total(models, "tokens"), "of": _total(called, "tokens")},
        "calls": {"known": _total(models, "calls") - uncounted, "of": _total(called, "calls")},
        "kwh": _sum(each["kwh"] for each in models),
        "co2e_grams": _sum(each["co2e_grams"] for each in models),
        "hardware_co2e_grams": _sum(each["hardware_co2e_grams"] for each in models),
        "models": models,
        "unknown": unknown,
        "pools": {"calls": _total(pooled, "calls"), "tokens": _total(pooled, "tokens")},
    }


def _name(row: _Row) -> Name:
    return Name(row["provider"], row["model"])


def _model(row: _Row, found: Footprint) -> ModelEnergy:
    return {
        **_unknown(row),
        "answers": row["answers"],
        "estimated_as": list(found.name),
        "zone": found.zone,
        "kwh": _range(found.kwh, row),
        "co2e_grams": _range(found.grams, row),
        "hardware_co2e_grams": _range(found.hardware_grams, row),
        "warnings": list(found.warnings),
    }


def _unknown(row: _Row) -> UnknownEnergy:
    return {
        "provider": row["provider"],
        "model": row["model"],
        "calls": row["calls"],
        "uncounted_calls": row["uncounted"],
        "tokens": row["tokens"],
    }


def _range(span: Span, row: _Row) -> Range:
    least, most = (decimal(slope.of(row["answers"], row["tokens"])) for slope in span)
    return {"min": least, "max": most}


def _sum(ranges: Iterable[Range]) -> Range:
    least, most = Decimal(0), Decimal(0)
    for each in ranges:
        least, most = WIDE.add(least, Decimal(each["min"])), WIDE.add(most, Decimal(each["max"]))
    return {"min": decimal(least), "max": decimal(most)}


def _total(rows: Iterable[_Row], what: str) -> int:
    return sum(row[what] for row in rows)
