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
from tokentrace_collector.reports import figures, population
from tokentrace_collector.reports.breakdown import Breakdown, Period
from tokentrace_collector.reports.documents.spending import Population, Share

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
_POPULATION = (
    "sampling_unit", "sampling_observed", "estimated_population_count", "estimated_population_tokens",
    "estimated_population_total",
)  # fmt: skip
_WHOLE = "capacity"
"""Infrastructure, where it is used capacity as well."""
REST = "all others"
NAMELESS = "(none)"
POPULATION = "est. population"
"""The title of what all calls cost, where a sampler kept some of them."""


def title(component: str, wanted: Breakdown) -> str:
    """The short name of a component, as it is meant in an answer."""
    if component == "infrastructure" and wanted.infra_view == "all":
        return _WHOLE
    return TITLES.get(component, component.replace("_", " "))


def known(each: Share) -> float | None:
    """How much of it is known: the smallest of its coverages; None where there is nothing to be known."""
    lines, told = each["lines"], each["population"]
    # Corrections may change what lines cost without there being one line more.
    covered = [lines["known"] / lines["of"]] if lines["of"] else []
    if told and (covered or told["observed"]):
        covered.append(told["coverage"])
    return min(covered, default=None)


def is_bound(each: Share) -> bool:
    """Whether the total is a lower bound."""
    return each["lines"]["known"] < each["lines"]["of"] or bool(each["population"] and each["population"]["sampled"])


def sampled(whole: Share, about: str) -> str:
    """What stands for how many calls; empty where everything stands for itself. `about` stands before an estimate."""
    told = whole["population"]
    if not told or told["estimated_count"] is None or told["estimated_tokens"] is None:
        return ""
    kept = amounts.count(sum(each["observed"] for each in told["sampled"]))
    there_were = [f"{about}{amounts.whole(Decimal(told['estimated_count']))} {told['unit']}"]
    there_were.append(f"{about}{amounts.whole(Decimal(told['estimated_tokens']))} tokens")
    if told["estimated_total"] is not None:
        total = Decimal(told["estimated_total"])
        there_were.append(about + amounts.money(total, whole["currency"], amounts.places(total)))
    of = f"{kept} of {amounts.count(told['observed'])} {told['unit']}"
    return f"{of} stand for more than themselves, as a sampler kept them: {', '.join(there_were)} in all"


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
    all_there_were = [POPULATION] if any(each["population"] for each in found) else []
    for name in (*(title(each, wanted) for each in components), *corrected, "total", *all_there_were, "share", "known"):
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
        for more in (multiples(together, wanted, signs.about), sampled(together, signs.about)):
            if more:
                screen.print(Text(more, style="dim"))


def multiples(whole: Share, wanted: Breakdown, about: str) -> str:
    """What comes with a unit of money of visible tokens; empty where not all of that is known, or not meant.

    `about` stands before what rests on an estimate.
    """
    ratios = whole["ratios"]
    if is_bound(whole) or wanted.infra_view == "all":
        return ""
    mark = about if Decimal(whole["estimated"]) else ""
    return amounts.multiples(ratios["token_multiplier"], ratios["tco_multiplier"], whole["currency"], mark)


def write_csv(found: Sequence[Share], by: Sequence[str], per: Period) -> None:
    """A header and a row for each group, with every digit."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    components = list(found[0]["components"]) if found else []
    period = [] if per == "all" else ["period"]
    money = ["total", *components, "estimated", "allocated", "corrections"]
    writer.writerow([*period, *by, "currency", *money, "tokens", "lines_priced", "lines", *_RATIOS, *_POPULATION])
    for each in found:
        labels = [] if per == "all" else [each["period"]]
        group = each["group"]
        labels += [REST if group is None else inert(group[name]) for name in by]
        parts = [each["components"][name] for name in components]
        lines = each["lines"]
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
        writer.writerow([*row, each["tokens"], lines["known"], lines["of"], *ratios, *_told(each["population"])])


def _told(all_there_were: Population | None) -> Iterator[str | int | None]:
    for name in ("unit", "observed", "estimated_count", "estimated_tokens", "estimated_total"):
        yield all_there_were[name] if all_there_were else None


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
    bound = f"{signs.at_least} " if is_bound(each) else ""
    # A sum is an estimate as soon as a part of it is.
    bound += signs.about if Decimal(each["estimated"]) else ""
    if is_corrected:
        corrections = Decimal(each["corrections"])
        yield Text(amounts.money(corrections, currency, decimals) if corrections else "")
    yield Text(bound + amounts.money(total, currency, decimals), style="bold")
    if each["population"]:
        estimate = each["population"]["estimated_total"]
        yield Text(signs.about + amounts.money(Decimal(estimate), currency, decimals) if estimate else "")
    yield Text(amounts.share(total, whole))
    covered = known(each)
    yield Text("" if covered is None else amounts.coverage(covered), style="bold" if is_bound(each) else "dim")


def _sum(found: Sequence[Share], currency: str) -> Decimal:
    return amounts.total([Decimal(each["total"]) for each in found if each["currency"] == currency])


def added(shares: Sequence[Share]) -> Share:
    """The sum of groups of one currency."""

    def summed(amounts_of: Iterator[str]) -> str:
        return str(amounts.total([Decimal(amount) for amount in amounts_of]))

    components = {
        name: amounts.total([Decimal(each["components"][name]) for each in shares]) for name in shares[0]["components"]
    }
    total, tokens = summed(each["total"] for each in shares), summed(each["tokens"] for each in shares)
    return {
        "period": None,
        "group": {},
        "currency": shares[0]["currency"],
        "total": total,
        "components": {name: str(amount) for name, amount in components.items()},
        "estimated": summed(each["estimated"] for each in shares),
        "allocated": summed(each["allocated"] for each in shares),
        "corrections": summed(each["corrections"] for each in shares),
        "tokens": tokens,
        "population": population.together([each["population"] for each in shares], Decimal(tokens), Decimal(total)),
        "lines": {
            "known": sum(each["lines"]["known"] for each in shares),
            "of": sum(each["lines"]["of"] for each in shares),
        },
        "ratios": figures.multiples(components),
    }
