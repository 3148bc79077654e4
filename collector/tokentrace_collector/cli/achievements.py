"""What work achieved, drawn as a table, and written as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from rich.console import Console

from tokentrace_collector.cli import amounts, columns, terminal
from tokentrace_collector.cli.spending import NAMELESS, inert
from tokentrace_collector.reports import figures
from tokentrace_collector.reports.documents.outcomes import Achieved, Bounds, Money, Outcomes
from tokentrace_collector.reports.documents.requests import Coverage
from tokentrace_collector.reports.outcomes import Question

_SPARE = ("value per 1M", "failed", "rework", "pays from", "value", "ROI", "succeeded", "unknown", "success")
"""What a small screen does without; it can be asked for as JSON."""
_PIECES: tuple[Literal["all", "succeeded", "failed", "unknown"], ...] = ("all", "succeeded", "failed", "unknown")
_AMOUNTS: tuple[Literal["total", "estimated", "rework"], ...] = ("total", "estimated", "rework")
_RANGES: tuple[Literal["success_rate", "cost_per_outcome", "cost_with_fallback", "roi"], ...] = (
    "success_rate", "cost_per_outcome", "cost_with_fallback", "roi",
)  # fmt: skip
_ENDS: tuple[Literal["low", "high"], ...] = ("low", "high")
_SINGLE: tuple[Literal["break_even_success_rate", "value_per_million_tokens"], ...] = (
    "break_even_success_rate", "value_per_million_tokens",
)  # fmt: skip


def draw(screen: Console, found: Sequence[Outcomes], wanted: Question) -> None:
    """A line for each group of which something is matured, and below what is not in them."""
    signs = terminal.glyphs(screen)
    matured = [each for each in found if each["matured"]["pieces"]["all"]]
    rows = [_labels(each) | _cells(each["matured"], each["currency"], signs) for each in matured]
    if rows:
        names = {"since", *map(title, wanted.by)}
        screen.print(columns.table(screen, rows, names=names, spare=_SPARE))
    for told in _beside(found, wanted):
        terminal.say(told)


def write_csv(found: Sequence[Outcomes], wanted: Question) -> None:
    """A header and a row for each group, with every digit, of what is matured."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    period = [] if wanted.per == "all" else ["period"]
    ends = [f"{name}_{end}" for name in _RANGES for end in _ENDS]
    counts = [*_PIECES, *_AMOUNTS, "tokens", "costs_known", *ends, "value", "values_known", *_SINGLE, "not_matured"]
    writer.writerow([*period, *wanted.by, "currency", *counts])
    for each in found:
        one = each["matured"]
        labels = [] if wanted.per == "all" else [each["period"]]
        labels += [inert(each["group"][name]) for name in wanted.by]
        bounds: list[Bounds | Money | None] = [one[name] for name in _RANGES]
        row = [*(one["pieces"][name] for name in _PIECES), *(one[name] for name in _AMOUNTS)]
        row += [one["tokens"], one["costs"]["known"], *(pair and pair[end] for pair in bounds for end in _ENDS)]
        row += [one["value"], one["values"]["known"], *(one[name] for name in _SINGLE), _young(each)]
        writer.writerow([*labels, each["currency"], *row])


def title(dimension: str) -> str:
    """What stands above the values of a dimension."""
    return dimension.replace("_", " ")


def _labels(each: Outcomes) -> dict[str, str]:
    named = {title(name): terminal.plain(value) or NAMELESS for name, value in each["group"].items()}
    return {"since": (each["period"] or "")[:10]} | named


def _cells(one: Achieved, currency: str, signs: terminal.Glyphs) -> dict[str, str]:
    is_whole = _is_known(one["costs"])
    about = signs.about if Decimal(one["estimated"]) else ""
    mark = ("" if is_whole else f"{signs.at_least} ") + about
    worth = "" if _is_known(one["values"]) else f"{signs.at_least} "
    value, rework, pieces = Decimal(one["value"]), Decimal(one["rework"]), one["pieces"]
    is_valued = bool(value or one["values"]["known"])
    # What comes back, of a cost that is a lower bound, would be an upper one.
    is_returned = is_valued and is_whole
    return {
        "work": amounts.count(pieces["all"]),
        "succeeded": amounts.count(pieces["succeeded"]),
        "failed": amounts.count(pieces["failed"]),
        "unknown": amounts.count(pieces["unknown"]),
        "cost": mark + _money(one["total"], currency),
        "rework": mark + _money(one["rework"], currency) if rework else "",
        "success": _between(_percents(one["success_rate"]), "", signs),
        "per success": _between(_prices(one["cost_per_outcome"], currency), mark, signs),
        "with people": _between(_prices(one["cost_with_fallback"], currency), mark, signs),
        "value": worth + _money(one["value"], currency) if is_valued else "",
        "ROI": _between(_ratios(one["roi"]), worth + about, signs) if is_returned else "",
        "pays from": mark + amounts.use(needed) if (needed := one["break_even_success_rate"]) is not None else "",
        "value per 1M": worth + _price(one["value_per_million_tokens"], currency) if is_returned else "",
    }


def _is_known(part: Coverage) -> bool:
    return part["known"] == part["of"]


def _between(ends: tuple[str, str], mark: str, signs: terminal.Glyphs) -> str:
    """A range; of one without an upper end the lower, and nothing where there is neither."""
    low, high = ends
    if not low:
        return ""
    if not high:
        return f"{signs.at_least} {mark.removeprefix(f'{signs.at_least} ')}{low}"
    return mark + (low if low == high else f"{low} - {high}")


def _percents(bounds: Bounds) -> tuple[str, str]:
    return amounts.use(bounds["low"]), amounts.use(bounds["high"])


def _ratios(bounds: Bounds) -> tuple[str, str]:
    low, high = ("" if end is None else f"{end:.2f}" for end in (bounds["low"], bounds["high"]))
    return low, high


def _prices(bounds: Money | None, currency: str) -> tuple[str, str]:
    return ("", "") if bounds is None else (_price(bounds["low"], currency), _price(bounds["high"], currency))


def _price(amount: str | None, currency: str) -> str:
    return "" if amount is None else _money(amount, currency)


def _money(amount: str, currency: str) -> str:
    return amounts.money(Decimal(amount), currency, amounts.places(Decimal(amount)))


def _young(each: Outcomes) -> int:
    return each["everything"]["pieces"]["all"] - each["matured"]["pieces"]["all"]


def _beside(found: Sequence[Outcomes], wanted: Question) -> Iterator[str]:
    """What is in none of the figures, and why."""
    if young := sum(map(_young, found)):
        since = found[0]["matured_before"]
        yield (
            f"Not among them, for outcomes may still come: {amounts.count(young)} that began on {since} or later. "
            f"--mature {wanted.mature} waits so many days; 0 waits for none."
        )
    others = [(each["currency"], each["matured"]["other_values"]) for each in found]
    for currency in sorted({currency for currency, values in others if values}):
        values = [one for own, one in others if own == currency]
        names = sorted({name for one in values for name in one})
        sums = {name: amounts.total([Decimal(one[name]) for one in values if name in one]) for name in names}
        told = ", ".join(
            f"{figures.decimal(amount)} {terminal.plain(name) or '(no currency)'}" for name, amount in sums.items()
        )
        yield f"In no value: {told}. Nobody says what that was in {currency}; write rates under `fx` in the price book."
