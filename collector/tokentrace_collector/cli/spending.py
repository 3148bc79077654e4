"""What was spent, drawn as a table, and written as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts, terminal
from tokentrace_collector.reports import figures
from tokentrace_collector.reports.breakdown import Breakdown, Period
from tokentrace_collector.reports.documents.spending import Share

_WIDE = 110
TITLES = {
    "visible": "visible",
    "hidden_reasoning": "hidden",
    "orchestration": "orchestration",
    "errors": "errors",
    "human_review": "people",
    "infrastructure": "idle",
}
"""Short names of components; one that is not here has its own."""
_RATIOS = ("token_multiplier", "tco_multiplier")
_WHOLE = "capacity"
"""Infrastructure, where it is used capacity as well."""
REST = "all others"
NAMELESS = "(none)"


def title(component: str, wanted: Breakdown) -> str:
    """The short name of a component, as it is meant in an answer."""
    if component == "infrastructure" and wanted.infra_view == "all":
        return _WHOLE
    return TITLES.get(component, component.replace("_", " "))


def draw(screen: Console, found: Sequence[Share], wanted: Breakdown) -> None:
    """A line for each group, with the sum of all of them below where they are several."""
    signs = terminal.glyphs(screen)
    components = list(found[0]["components"]) if screen.width >= _WIDE else []
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    if wanted.per != "all":
        table.add_column(wanted.per, no_wrap=True)
    for name in wanted.by or ("",):
        table.add_column(name.replace("_", " "), ratio=1, no_wrap=True, overflow="ellipsis")
    is_corrected = any(Decimal(each["corrections"]) for each in found)
    corrected = ["corrections"] if is_corrected else []
    for name in (*(title(each, wanted) for each in components), *corrected, "total", "share", "known"):
        table.add_column(name, justify="right", no_wrap=True)
    sums = {currency: _sum(found, currency) for currency in sorted({each["currency"] for each in found})}
    for each in found:
        cells = _cells(each, components, sums[each["currency"]], signs, is_corrected=is_corrected)
        table.add_row(*_labels(each, wanted), *cells)
    if len(found) > 1:
        for currency, whole in sums.items():
            of = [each for each in found if each["currency"] == currency]
            blank = [""] * (len(wanted.by or ("",)) - 1 + (wanted.per != "all"))
            cells = _cells(added(of), components, whole, signs, is_corrected=is_corrected)
            table.add_row("sum", *blank, *cells, style="bold")
    screen.print(table)
    for currency in sums:
        together = added([each for each in found if each["currency"] == currency])
        if more := multiples(together, wanted, signs.about):
            screen.print(Text(more, style="dim"))


def multiples(whole: Share, wanted: Breakdown, about: str) -> str:
    """What comes with a unit of money of visible tokens; empty where not all of that is known, or not meant.

    `about` stands before what rests on an estimate.
    """
    lines, ratios = whole["lines"], whole["ratios"]
    if lines["known"] < lines["of"] or wanted.infra_view == "all":
        return ""
    mark = about if Decimal(whole["estimated"]) else ""
    return amounts.multiples(ratios["token_multiplier"], ratios["tco_multiplier"], whole["currency"], mark)


def write_csv(found: Sequence[Share], by: Sequence[str], per: Period) -> None:
    """A header and a row for each group, with every digit."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    components = list(found[0]["components"]) if found else []
    period = [] if per == "all" else ["period"]
    money = ["total", *components, "estimated", "allocated", "corrections"]
    writer.writerow([*period, *by, "currency", *money, "tokens", "lines_priced", "lines", *_RATIOS])
    for each in found:
        labels = [] if per == "all" else [each["period"]]
        group = each["group"]
        labels += [REST if group is None else inert(group[name]) for name in by]
        parts = [each["components"][name] for name in components]
        known = each["lines"]
        row = [
            *labels,
            each["currency"],
            each["total"],
            *parts,
            each["estimated"],
            each["allocated"],
            each["corrections"],
        ]
        ratios = [each["ratios"]["token_multiplier"], each["ratios"]["tco_multiplier"]]
        writer.writerow([*row, each["tokens"], known["known"], known["of"], *ratios])


def inert(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    plain = terminal.plain(value)
    return f"'{plain}" if plain.startswith(("=", "+", "-", "@")) else plain


def _labels(each: Share, wanted: Breakdown) -> Iterator[Text]:
    if wanted.per != "all":
        yield Text(each["period"] or "")
    group = each["group"]
    if group is None:
        yield Text(REST, style="dim")
        yield from (Text("") for _ in wanted.by[1:])
        return
    if not wanted.by:
        yield Text("everything")
    for value in group.values():
        plain = terminal.plain(value)
        yield Text(plain) if plain else Text(NAMELESS, style="dim")


def _cells(
    each: Share, components: Sequence[str], whole: Decimal, signs: terminal.Glyphs, *, is_corrected: bool
) -> Iterator[Text]:
    total, currency = Decimal(each["total"]), each["currency"]
    decimals = amounts.places(whole)
    names = list(each["components"])
    parts = amounts.rounded([Decimal(each["components"][name]) for name in names], decimals)
    for name, part in zip(names, parts, strict=True):
        if name in components:
            yield Text(amounts.money(part, currency, decimals) if part else "")
    known = each["lines"]
    is_whole = known["known"] == known["of"]
    bound = "" if is_whole else f"{signs.at_least} "
    # A sum is an estimate as soon as a part of it is.
    bound += signs.about if Decimal(each["estimated"]) else ""
    if is_corrected:
        corrections = Decimal(each["corrections"])
        yield Text(amounts.money(corrections, currency, decimals) if corrections else "")
    yield Text(bound + amounts.money(total, currency, decimals), style="bold")
    yield Text(amounts.share(total, whole))
    # Corrections may change what lines cost without there being one line more.
    coverage = amounts.coverage(known["known"] / known["of"]) if known["of"] else ""
    yield Text(coverage, style="dim" if is_whole else "bold")


def _sum(found: Sequence[Share], currency: str) -> Decimal:
    return amounts.total([Decimal(each["total"]) for each in found if each["currency"] == currency])


def added(shares: Sequence[Share]) -> Share:
    """The sum of groups of one currency."""

    def summed(amounts_of: Iterator[str]) -> str:
        return str(amounts.total([Decimal(amount) for amount in amounts_of]))

    components = {
        name: amounts.total([Decimal(each["components"][name]) for each in shares]) for name in shares[0]["components"]
    }
    return {
        "period": None,
        "group": {},
        "currency": shares[0]["currency"],
        "total": summed(each["total"] for each in shares),
        "components": {name: str(amount) for name, amount in components.items()},
        "estimated": summed(each["estimated"] for each in shares),
        "allocated": summed(each["allocated"] for each in shares),
        "corrections": summed(each["corrections"] for each in shares),
        "tokens": summed(each["tokens"] for each in shares),
        "lines": {
            "known": sum(each["lines"]["known"] for each in shares),
            "of": sum(each["lines"]["of"] for each in shares),
        },
        "ratios": figures.multiples(components),
    }
