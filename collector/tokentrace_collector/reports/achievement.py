"""What pieces of work cost and achieved, from sums over them: every ratio is of sums, and divided once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from tokentrace_collector.prices.exchange import rounded
from tokentrace_collector.reports.documents.outcomes import Achieved, Bounds, Money
from tokentrace_collector.reports.figures import decimal

Row: TypeAlias = Mapping[str, Any]
"""Sums over pieces of work."""

_MILLION = 10**6
_COUNTS = ("units", "succeeded", "failed", "tokens", "whole", "valued")
_AMOUNTS = ("total", "rework", "estimated", "value", "value_of_successes")


@dataclass(frozen=True, slots=True)
class _Sums:
    """What several rows come to."""

    counts: Mapping[str, int]
    amounts: Mapping[str, Fraction]

    @property
    def unknown(self) -> int:
        """Pieces that nobody has told the outcome of."""
        return self.counts["units"] - self.counts["succeeded"] - self.counts["failed"]

    @property
    def most(self) -> int:
        """Successes, if all that is unknown is one."""
        return self.counts["succeeded"] + self.unknown

    @property
    def most_value(self) -> Fraction | None:
        """The value, if all that is unknown has succeeded and is worth what others were; None: nobody knows."""
        value = self.amounts["value"]
        if not self.unknown:
            return value
        each = _by(self.amounts["value_of_successes"], self.counts["valued"])
        return None if each is None else value + self.unknown * each


def achieved(rows: Iterable[Row], fallback: Decimal | None) -> Achieved:
    """The figures of some rows of one currency; `fallback` is what a person costs where a piece did not succeed."""
    rows = list(rows)
    sums = _added(rows)
    counts, amounts = sums.counts, sums.amounts
    pieces, succeeded, total, value = counts["units"], counts["succeeded"], amounts["total"], amounts["value"]
    needed = _by(total * counts["valued"], pieces * amounts["value_of_successes"])
    return {
        "pieces": {"all": pieces, "succeeded": succeeded, "failed": counts["failed"], "unknown": sums.unknown},
        "total": _money(total),
        "estimated": _money(amounts["estimated"]),
        "rework": _money(amounts["rework"]),
        "tokens": counts["tokens"],
        "costs": {"known": counts["whole"], "of": pieces},
        "success_rate": _bounds(_by(Fraction(succeeded), pieces), _by(Fraction(sums.most), pieces)),
        "cost_per_outcome": _range(_by(total, sums.most), _by(total, succeeded)),
        "cost_with_fallback": None if fallback is None else _with_people(sums, Fraction(fallback)),
        "value": _money(value),
        "values": {"known": counts["valued"], "of": succeeded},
        "other_values": _others(rows),
        # Of costs that may be more it is no lower bound, and of values that may be more no upper one.
        "roi": _bounds(
            _returned(value, total) if counts["whole"] == pieces else None,
            _returned(sums.most_value, total) if counts["valued"] == succeeded else None,
        ),
        "break_even_success_rate": None if needed is None else float(needed),
        "value_per_million_tokens": _text(_by(value * _MILLION, counts["tokens"])),
    }


def _added(rows: Iterable[Row]) -> _Sums:
    counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
    amounts: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        counts.update({name: row[name] for name in _COUNTS})
        for name in _AMOUNTS:
            amounts[name] += Fraction(row[name])
    return _Sums(counts, amounts)


def _others(rows: Iterable[Row]) -> dict[str, str]:
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        for currency, amount in row["others"].items():
            found[currency] += Fraction(amount)
    return {currency: _money(found[currency]) for currency in sorted(found)}


def _with_people(sums: _Sums, cost: Fraction) -> Money:
    total, pieces = sums.amounts["total"], sums.counts["units"]
    return _range(*(_by(total + (pieces - done) * cost, pieces) for done in (sums.most, sums.counts["succeeded"])))


def _returned(value: Fraction | None, total: Fraction) -> Fraction | None:
    return None if value is None else _by(value - total, total)


def _by(part: Fraction, whole: Fraction | int) -> Fraction | None:
    """A ratio; None where there is nothing to divide by."""
    return part / whole if whole else None


def _ordered(low: Fraction | None, high: Fraction | None) -> tuple[Fraction | None, Fraction | None]:
    """The lower one first: of what was given back, successes make less."""
    return (high, low) if low is not None and high is not None and high < low else (low, high)


def _bounds(low: Fraction | None, high: Fraction | None) -> Bounds:
    least, most = _ordered(low, high)
    return {"low": None if least is None else float(least), "high": None if most is None else float(most)}


def _range(low: Fraction | None, high: Fraction | None) -> Money:
    least, most = _ordered(low, high)
    return {"low": _text(least), "high": _text(most)}


def _text(amount: Fraction | None) -> str | None:
    return None if amount is None else _money(amount)


def _money(amount: Fraction) -> str:
    return decimal(rounded(amount))
