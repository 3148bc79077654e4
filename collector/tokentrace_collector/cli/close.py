"""`tokentrace close`: what a month holds is final; what changes later is a correction in an open one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.spending import Booking, Month


@click.command("close")
@click.argument("month", required=False, metavar="[YYYY-MM]")
@click.option("--list", "is_list", is_flag=True, help="Only say which months are closed, and what is to be corrected.")
@options.as_json
@options.store
@options.url
@options.book
def command(*, month: str | None, is_list: bool, as_json: bool, store: str, url: str | None, book: str | None) -> None:
    """Close a month (UTC) that has ended: what it holds is booked, and never changes any more.

    \b
      tokentrace close 2026-10
      tokentrace close --list

    Months are closed in order. What comes or changes for one later - late spans, other prices - is a correction, booked
    in the first month that is open.
    """
    from tokentrace_collector.cli import faults, source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports import months  # noqa: PLC0415
    from tokentrace_collector.rollup.closing import ClosingError  # noqa: PLC0415
    from tokentrace_collector.rollup.orders import Closing  # noqa: PLC0415

    if (month is None) != is_list:
        raise click.UsageError("Say which month to close, like 2026-10; or --list.")
    try:
        wanted = Closing(months.read(month), datetime.now(UTC)) if month else None
        with faults.told(), source.opened(store, url, book) as books:
            found = books.close(wanted).get("months", []) if wanted else books.months()
    except (months.PeriodError, ClosingError) as error:
        raise terminal.Trouble(str(error)) from None
    if as_json:
        terminal.write_json({"months": found})
    elif found:
        _draw(found)
    else:
        terminal.say("No month is closed yet.")


def _draw(found: list[Month]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    for name in ("month", "closed", "of"):
        table.add_column(name, no_wrap=True)
    table.add_column("booked", justify="right", no_wrap=True)
    for month in found:
        closed = (month["closed_at"] or "open")[:10]
        rows = [(each, "") for each in month["charges"]]
        rows += [(each, f"correction of {each['charge_period']}") for each in month["corrections"]]
        for each, title in rows:
            table.add_row(month["booking_period"], closed, title, _amount(each))
        if not rows:
            table.add_row(month["booking_period"], closed, "", "")
    terminal.console().print(table)


def _amount(booking: Booking) -> str:
    from tokentrace_collector.cli import amounts  # noqa: PLC0415

    amount = Decimal(booking["amount"])
    return amounts.money(amount, booking["currency"], amounts.places(amount))
