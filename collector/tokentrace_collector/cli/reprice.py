"""`tokentrace reprice`: what other prices would change."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.spending import Repriced
    from tokentrace_collector.reports.documents.upkeep import RollupOutcome

_TITLES = {"all": "everything", "model": "(no model)", "team": "(no team)"}


@click.command("reprice")
@click.option(
    "--book",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The price book to try. Default: the one in use, with the catalogue that is installed.",
)
@click.option("--from", "since", type=options.Moment(), help="First hour (UTC) that is compared.")
@click.option("--to", "until", type=options.Moment(), help="End of the last hour.")
@click.option("--adopt", is_flag=True, help="Go on with these prices.")
@options.as_json
@options.store
@options.url
def command(
    *,
    book: Path | None,
    since: datetime | None,
    until: datetime | None,
    adopt: bool,
    as_json: bool,
    store: str,
    url: str | None,
) -> None:
    """Rate every call by other prices beside the books, and say what that changes.

    \b
      tokentrace reprice --book next-year.yaml --from 2026-10-01
      tokentrace reprice --book next-year.yaml --adopt

    The books stay as they are without --adopt. A collector that adopts a book uses it until it ends: start it with that
    book from then on. Figures by the earlier prices stay: `tokentrace report --run`.
    """
    from tokentrace_collector.cli import remote, source, terminal  # noqa: PLC0415
    from tokentrace_collector.prices import edition  # noqa: PLC0415
    from tokentrace_collector.prices.book import BookError, read  # noqa: PLC0415
    from tokentrace_collector.rollup.orders import Repricing  # noqa: PLC0415

    try:
        tried = read(book) if book else None
    except BookError as error:
        raise terminal.Trouble(str(error)) from None
    with source.opened(store, url) as books:
        if edition.path() and isinstance(books, remote.Remote):
            terminal.say(f"The collector rates by its own catalogue: {edition.CATALOGUE} counts where it was started.")
        outcome = books.reprice(Repricing(tried, since, until, adopt))
    if as_json:
        terminal.write_json(outcome)
        return
    _draw(outcome.get("repriced", []))
    terminal.say(_told(outcome, is_adopted=adopt))


def _draw(found: list[Repriced]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from tokentrace_collector.cli import amounts, terminal  # noqa: PLC0415

    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("before", "after", "change", "no price before", "after"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        sides = [Decimal(each["before"]), Decimal(each["after"]), Decimal(each["delta"])]
        decimals = amounts.places(max(map(abs, sides)))
        cells = [amounts.money(side, each["currency"], decimals) for side in sides]
        gaps = [amounts.count(each["unpriced_before"]), amounts.count(each["unpriced_after"])]
        title = terminal.plain(each["name"]) or _TITLES[each["by"]]
        table.add_row(Text(title, style="bold" if each["by"] == "all" else ""), *cells, *gaps)
    terminal.console().print(table)


def _told(outcome: RollupOutcome, *, is_adopted: bool) -> str:
    from tokentrace_collector.cli import amounts  # noqa: PLC0415

    done = f"{amounts.count(outcome['traces'])} requests rated in {amounts.duration(outcome['seconds'])}."
    run = outcome.get("rating_run", "")
    return f"{done} " + (f"The books are those of run {run} now." if is_adopted else f"Run {run} is not adopted.")
