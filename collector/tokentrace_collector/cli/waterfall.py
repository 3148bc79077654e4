"""The TCOAI waterfall of one request: six bars that climb to the total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts
from tokentrace_collector.cli.terminal import Glyphs, glyphs
from tokentrace_collector.reports.documents.requests import RequestReport

_COLOURS = {
    "visible": "green",
    "hidden_reasoning": "magenta",
    "orchestration": "blue",
    "errors": "red",
    "human_review": "yellow",
    "infrastructure": "cyan",
}
_COVERED = {
    "usage": "calls with usage",
    "tokens": "tokens priced",
    "rates": "lines at a price of their own",
    "roles": "roles known",
    "reviews": "reviews with time",
}
_FIXED = 17 + 2 + 12 + 2 + 2 + 7
_WIDEST_BAR = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One component: what it adds, and what stood before it."""

    name: str
    colour: str
    before: Decimal
    amount: Decimal


def bars(components: Mapping[str, str]) -> Iterator[Bar]:
    """The components in order of display, each starting where the last one ended."""
    before = Decimal(0)
    for name, amount in components.items():
        yield Bar(name.replace("_", " "), _COLOURS.get(name, "white"), before, Decimal(amount))
        before = amounts.total([before, Decimal(amount)])


def draw(screen: Console, request: RequestReport) -> None:
    """Print the waterfall, its total, and how far the total can be trusted."""
    signs, total, currency = glyphs(screen), Decimal(request["total"]), request["currency"]
    width = max(10, min(_WIDEST_BAR, screen.width - _FIXED))
    decimals = amounts.places(total)
    rows = list(bars(request["components"]))
    shown = amounts.rounded([row.amount for row in rows], decimals)
    table = Table.grid(padding=(0, 1), pad_edge=False)
    table.add_column(width=17, no_wrap=True)
    table.add_column(width=12, justify="right", no_wrap=True)
    table.add_column(width=width + 1, no_wrap=True)
    table.add_column(width=7, justify="right", no_wrap=True)
    for row, amount in zip(rows, shown, strict=True):
        value = amounts.money(amount or row.amount, currency, decimals)
        name = Text(row.name, style=row.colour if row.amount else "dim")
        table.add_row(name, value, _bar(row, total, width, signs), amounts.share(row.amount, total))
    bound = f"{signs.at_least} " if request["coverage"] < 1 else ""
    table.add_row(*(Text(signs.rule * size, style="dim") for size in (17, 12, width, 7)))
    sum_of_all = Text(bound + amounts.money(total, currency, decimals), style="bold")
    whole = Text(signs.cells[-1] * width if total else "", style="bold")
    table.add_row(Text("total", style="bold"), sum_of_all, whole, "100 %" if total else "")
    screen.print(table)
    for line in _trust(request, decimals, signs):
        screen.print(Text(line, style="dim"))


def _bar(row: Bar, total: Decimal, width: int, signs: Glyphs) -> Text:
    if not total or row.amount <= 0:
        return Text("")
    start = int(row.before / total * width)
    eighths = round(((row.before + row.amount) / total * width - start) * len(signs.cells))
    full, part = divmod(max(1, eighths), len(signs.cells))
    cells = signs.cells[-1] * full + (signs.cells[part - 1] if part else "")
    return Text(" " * start).append(cells[: width - start + 1], style=row.colour)


def _trust(request: RequestReport, decimals: int, signs: Glyphs) -> Iterator[str]:
    """What of the total was measured, what was allocated, and what is not known."""
    currency = request["currency"]

    def shown(name: str) -> str:
        return amounts.money(Decimal(name), currency, decimals)

    if Decimal(request["estimated"]):
        yield f"measured {shown(request['measured'])} + {signs.about}{shown(request['estimated'])} estimated"
    if unsettled := request["unknown_attempts"]:
        yield f"{amounts.count(unsettled)} attempt{'s' * (unsettled > 1)} got no answer and may have been billed"
    if others := request["told_by_others"]:
        told = f"{amounts.count(others)} of {amounts.count(request['calls'])} calls told by other instrumentations"
        yield f"{told}: attempts unknown; reasoning they do not count is in visible"
    if sampled := request["sampled"]:
        kept = f"{amounts.count(sum(each['calls'] for each in sampled))} of {amounts.count(request['calls'])} calls"
        yield f"{kept} were kept by a sampler, and stand for {amounts.weights(sampled)} calls each"
    if Decimal(request["allocated"]):
        reviews = amounts.total([Decimal(each["cost"] or 0) for each in request["review_shares"]])
        capacity = amounts.total([Decimal(request["allocated"]), reviews.copy_negate()])
        allocated = f" + {shown(str(capacity))} allocated from shared capacity" if capacity else ""
        allocated += f" + {shown(str(reviews))} of shared reviews" if reviews else ""
        yield f"direct {shown(request['direct'])}{allocated}"
    ratios = request["ratios"]
    mark = signs.about if Decimal(request["estimated"]) else ""
    more = amounts.multiples(ratios["token_multiplier"], ratios["tco_multiplier"], currency, mark)
    if more and request["coverage"] == 1:
        yield more
    if request["coverage"] < 1:
        gaps = [
            f"{_COVERED.get(name, name)} {amounts.count(each['known'])} of {amounts.count(each['of'])}"
            for name, each in request["covered"].items()
            if each["known"] < each["of"]
        ]
        yield f"coverage {amounts.coverage(request['coverage'])}: {', '.join(gaps)}"
    else:
        yield "coverage 100 %: every call, token, role and review is accounted for"
