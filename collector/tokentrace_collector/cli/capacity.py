"""`tokentrace capacity`: what pools of capacity cost, how far they were used, and what energy they took."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.cli.terminal import Glyphs
    from tokentrace_collector.reports.capacity import Per
    from tokentrace_collector.reports.documents.capacity import Capacity, Drawn

_SPARE = ("idle kWh", "1M in full use", "used", "kg CO2e", "kWh", "1M came to")
"""What a small screen does without; others can be worked out of the rest, or asked for as JSON.

The rate in full use never stands alone: held against an API, it would leave out what stood idle.
"""
_KILO = 1000


@click.command("capacity")
@click.option("--per", type=click.Choice(["hour", "day", "month"]), default="month", show_default=True)
@click.option("--since", type=options.Moment(), help="30d, or a date or time (UTC); whole hours.")
@click.option("--until", type=options.Moment())
@options.as_json_lines
@options.store
@options.url
def command(
    *, per: Per, since: datetime | None, until: datetime | None, as_json: bool, store: str, url: str | None
) -> None:
    """Say what your own capacity cost, how far it was used, and what energy it took.

    What a million weighted tokens came to, idle time included, is the rate to hold against an API; what they take of
    an hour in full use stands beside it.

    Energy is that of the power which the price book states, whether a pool worked or waited; nobody measured it.
    """
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.capacity import Question  # noqa: PLC0415

    with source.opened(store, url) as books:
        found = books.capacity(Question(per, since, until))
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        _draw(found)
    else:
        terminal.say("No hour of capacity is booked. Are there `gpu_pools` in the price book?")


def _draw(found: list[Capacity]) -> None:
    from tokentrace_collector.cli import columns, terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    rows = [
        {
            "pool": terminal.plain(each["pool"]),
            "since": amounts.moment(each["since"]),
            "cost": amounts.figure(Decimal(each["cost"])),
            "used": amounts.figure(Decimal(each["used"])),
            "idle": amounts.figure(Decimal(each["idle"])),
            "use": amounts.use(each["utilisation"]),
            "1M came to": _rate(each["rate_effective"]),
            "1M in full use": _rate(each["rate_full"]),
            "kWh": _amount(each["kwh"], "total", signs),
            "idle kWh": _amount(each["kwh"], "idle", signs),
            "kg CO2e": _amount(each["co2e_grams"], "total", signs, _KILO),
        }
        for each in found
    ]
    screen.print(columns.table(screen, rows, names={"pool", "since"}, spare=_SPARE))


def _rate(rate: str | None) -> str:
    return amounts.figure(Decimal(rate)) if rate else ""


def _amount(drawn: Drawn | None, part: Literal["total", "idle"], signs: Glyphs, per: int = 1) -> str:
    """A figure, marked where it is a lower bound; nothing where it is not known."""
    if drawn is None:
        return ""
    is_whole = drawn["hours"]["known"] == drawn["hours"]["of"]
    return ("" if is_whole else f"{signs.at_least} ") + amounts.figure(Decimal(drawn[part]) / per)
