"""`tokentrace prices`: what calls are rated with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options, price_check, price_sources

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.prices import Price, PriceCell, UnitPrice

_WIDE = 100
_ALWAYS = "1970-01-01"
_MILLION = 1_000_000
_SHOWN = {
    "input": ("input_text",),
    "cached": ("cache_read",),
    "written": ("cache_write_5m", "cache_write_30m"),
    "output": ("output_text",),
}
"""Columns of prices, and the units of which the first that has a price is shown."""
_TOKENS = ("input_", "output_", "cache_", "tool_use_")


@click.group("prices")
def command() -> None:
    """Show, compare and check the prices that calls are rated with."""


command.add_command(price_sources.diff)
command.add_command(price_sources.update)
command.add_command(price_sources.bring)
command.add_command(price_check.doctor)


@command.command("show")
@click.argument("provider", default="")
@click.argument("model", default="")
@options.as_json_lines
@options.store
@options.url
@click.pass_context
def show(context: click.Context, *, provider: str, model: str, as_json: bool, store: str, url: str | None) -> None:
    """Show the price lists that hold now, of all providers or of one, of all models or of one."""
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415

    with source.opened(store, url) as books:
        found = books.prices(provider, model)
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        _draw(found)
    if not found:
        wanted = " ".join(terminal.plain(word) for word in (provider, model) if word)
        terminal.say(f"No price list is known{f' for {wanted}' if wanted else ''}.")
        context.exit(1)


def _draw(found: list[Price]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    screen = terminal.console()
    wide = screen.width >= _WIDE
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("model", ratio=3, overflow="fold")
    table.add_column("since", no_wrap=True)
    for name in _SHOWN:
        table.add_column(name, justify="right", no_wrap=True)
    if wide:
        table.add_column("also", ratio=3)
    for price in found:
        name = " ".join(terminal.plain(price[each]) for each in ("provider", "model", "context")).strip()
        since = Text("" if price["valid_from"].startswith(_ALWAYS) else price["valid_from"][:10], style="dim")
        for cell in price["cells"]:
            also = [Text(_rest(cell), style="dim")] if wide else []
            usual = (_told(cell["prices"], units) for units in _SHOWN.values())
            table.add_row(Text(name).append(_condition(cell), style="dim"), since, *usual, *also)
        if not price["cells"]:
            table.add_row(Text(name).append(", no prices", style="dim"), since)
    screen.print(table)
    currencies = ", ".join(sorted({terminal.plain(price["currency"]) for price in found}))
    more = "all prices and every digit" if wide else "all prices"
    screen.print(Text(f"{currencies} per million tokens. `--json` has {more}.", style="dim"))


def _told(prices: Mapping[str, UnitPrice], units: Sequence[str]) -> str:
    return next((_amount(unit, prices[unit]) for unit in units if unit in prices), "")


def _rest(cell: PriceCell) -> str:
    """Prices that have no column of their own and say something new."""
    prices, spoken = cell["prices"], {unit for units in _SHOWN.values() for unit in units}
    same = prices.get("output_reasoning") == prices.get("output_text")
    rest = (unit for unit in prices if unit not in spoken and not (same and unit == "output_reasoning"))
    return ", ".join(f"{unit} {_amount(unit, prices[unit])}" for unit in rest)


def _condition(cell: PriceCell) -> str:
    conditions = [f"over {cell['above_tokens'] / 1000:g}k"] if cell["above_tokens"] else []
    if cell["from_second"]:
        conditions.append(f"from {cell['from_second'] // 3600:02}:{cell['from_second'] // 60 % 60:02} UTC")
    return "".join(f", {each}" for each in conditions)


def _amount(unit: str, price: UnitPrice) -> str:
    amount = Decimal(price["amount"])
    # A token costs so little that only a million of them reads well; a search or a page speaks for itself.
    if unit.startswith(_TOKENS):
        return f"{(amount * _MILLION).normalize():f}"
    return f"{amount.normalize():f} " + ("each" if price["per"] == 1 else f"per {price['per']:,}")
