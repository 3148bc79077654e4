"""`tokentrace commitments`: how far what was promised to providers is used."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.reports.commitments import Per
    from tokentrace_collector.reports.documents import Utilisation


@click.command("commitments")
@click.option("--per", type=click.Choice(["period", "month"]), default="month", show_default=True)
@click.option("--since", type=options.Moment(), help="30d, or a date or time (UTC).")
@click.option("--until", type=options.Moment())
@options.as_json_lines
@options.store
@options.url
def command(
    *, per: Per, since: datetime | None, until: datetime | None, as_json: bool, store: str, url: str | None
) -> None:
    """Say how far commitments are used, what stands idle, and from which use on they pay off."""
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.commitments import Question  # noqa: PLC0415

    with source.opened(store, url) as books:
        found = books.commitments(Question(per, since, until))
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        _draw(found)
    else:
        terminal.say("No commitment has had a period yet. Are there `commitments` in the price book?")


def _draw(found: list[Utilisation]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    screen = terminal.console()
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim")
    for name in ("commitment", "since"):
        table.add_column(name, no_wrap=True)
    for name in ("fee", "used", "unused", "at risk", "beyond", "use", "pays from", "saving"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        money = (each["fee"], each["used"], each["unused"], each["at_risk"])
        # Of what has no price, neither what it cost beyond nor what it would have cost is known.
        least = f"{terminal.glyphs(screen).at_least} " if each["unpriced"] else ""
        table.add_row(
            terminal.plain(each["commitment"]),
            each["since"][:16].replace("T", " "),
            *(amounts.figure(Decimal(amount)) for amount in money),
            least + amounts.figure(Decimal(each["overflow"])),
            amounts.use(each["utilisation"]),
            amounts.use(each["break_even"]),
            least + amounts.figure(Decimal(each["saving"])),
        )
    screen.print(table)
