"""`tokentrace prices`: what calls are rated with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.documents import Price, PriceCell, UnitPrice

_MILLION = 1_000_000
_TOKENS = ("input_", "output_", "cache_", "tool_use_")


@click.group("prices")
def command() -> None:
    """Show the prices that calls are rated with."""


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
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("provider", no_wrap=True)
    table.add_column("model", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("prices (tokens: per million)", ratio=1)
    for price in found:
        name = f"{terminal.plain(price['model'])} {terminal.plain(price['context'])}".strip()
        for cell in price["cells"]:
            table.add_row(
                Text(terminal.plain(price["provider"])),
                Text(name),
                Text(price["valid_from"][:10], style="dim"),
                Text(_cell(cell, terminal.plain(price["currency"]))),
            )
    screen.print(table)


def _cell(cell: PriceCell, currency: str) -> str:
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    prices = ", ".join(f"{terminal.plain(unit)} {_amount(unit, each)}" for unit, each in cell["prices"].items())
    conditions = [f"over {cell['above_tokens']:,} tokens"] if cell["above_tokens"] else []
    if cell["from_second"]:
        conditions.append(f"from {cell['from_second'] // 3600:02}:{cell['from_second'] // 60 % 60:02} UTC")
    return f"{currency} {prices}" + (f" ({', '.join(conditions)})" if conditions else "")


def _amount(unit: str, price: UnitPrice) -> str:
    amount = Decimal(price["amount"])
    # A token costs so little that only a million of them reads well; a search or a page speaks for itself.
    if unit.startswith(_TOKENS):
        return f"{(amount * _MILLION).normalize():f}"
    return f"{amount.normalize():f} " + ("each" if price["per"] == 1 else f"per {price['per']:,}")
