"""`tokentrace commitments`: how far what was promised to providers is used."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.cli.terminal import Glyphs
    from tokentrace_collector.reports.commitments import Per
    from tokentrace_collector.reports.documents.capacity import Utilisation

_SPARE = ("used", "fee", "saving", "pays from")
"""What a small screen does without; others can be worked out of the rest, or asked for as JSON."""


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
    from tokentrace_collector.cli import columns, terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    rows = [
        {
            "commitment": terminal.plain(each["commitment"]),
            "since": amounts.moment(each["since"]),
            "fee": _money(each["fee"]),
            "used": _money(each["used"]),
            "unused": _money(each["unused"]),
            "at risk": _money(each["at_risk"]) if Decimal(each["at_risk"]) else "",
            "beyond": _known(each, "overflow", signs) if Decimal(each["overflow"]) else "",
            "use": amounts.use(each["utilisation"]),
            "pays from": amounts.use(each["break_even"]),
            "saving": _known(each, "saving", signs),
        }
        for each in found
    ]
    screen.print(columns.table(screen, rows, names={"commitment", "since"}, spare=_SPARE))


def _money(amount: str) -> str:
    return amounts.figure(Decimal(amount))


def _known(each: Utilisation, what: Literal["overflow", "saving"], signs: Glyphs) -> str:
    """An amount that is a lower bound where something has no price: what is beyond, or would have been without."""
    return (f"{signs.at_least} " if each["unpriced"] else "") + _money(each[what])
