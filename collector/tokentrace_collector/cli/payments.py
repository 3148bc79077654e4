"""`tokentrace payments`: what invoices in other currencies came to when they were paid."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.spending import Paid

_SPARE = ("other", "rate", "invoiced")
"""What a small screen does without; it can be asked for as JSON."""


@click.command("payments")
@click.option("--since", type=options.Moment(), help="Months that begin then or later: 90d, or a date or time (UTC).")
@click.option("--until", type=options.Moment())
@options.as_json_lines
@options.store
@options.url
def command(*, since: datetime | None, until: datetime | None, as_json: bool, store: str, url: str | None) -> None:
    """Say what invoices in other currencies came to when they were paid.

    What is charged is converted at the rate of the day of the charge. The price book says under `payments` at which
    rate an invoice was paid; the difference is of its provider and month, and of no request: it is in no report.
    """
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.payments import Question  # noqa: PLC0415

    with source.opened(store, url) as books:
        found = books.payments(Question(since=since, until=until))
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        _draw(found)
    else:
        terminal.say("Nothing says how an invoice was paid. Are there `payments` in the price book?")


def _draw(found: list[Paid]) -> None:
    from tokentrace_collector.cli import columns, terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    rows = [
        {
            "provider": terminal.plain(each["provider"]),
            "month": each["month"],
            "invoiced": _bound(each, signs.at_least) + _money(each, "invoiced", each["currency"]),
            "rate": each["rate"],
            "charged": _bound(each, signs.at_least) + _money(each, "charged", each["charge_currency"]),
            "paid": _bound(each, signs.at_least) + _money(each, "paid", each["charge_currency"]),
            "difference": _money(each, "difference", each["charge_currency"]),
            "other": _money(each, "other", each["charge_currency"]) if Decimal(each["other"]) else "",
        }
        for each in found
    ]
    screen.print(columns.table(screen, rows, names={"provider", "month"}, spare=_SPARE))


def _bound(each: Paid, at_least: str) -> str:
    """What stands before a sum in which something is missing."""
    return "" if each["lines"]["known"] == each["lines"]["of"] else f"{at_least} "


def _money(each: Paid, what: Literal["invoiced", "charged", "paid", "difference", "other"], currency: str) -> str:
    amount = Decimal(each[what])
    return amounts.money(amount, currency, amounts.places(amount))
