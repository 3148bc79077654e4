"""`tokentrace energy`: what models behind an API took of energy and carbon, as a library estimates it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents import Energy, Range
    from tokentrace_collector.reports.energy import Per

_NOT_KNOWN = "unknown"


@click.command("energy")
@click.option("--per", type=click.Choice(["all", "day", "month"]), default="all", show_default=True)
@click.option("--since", type=options.Moment(), help="30d, or a date or time (UTC).")
@click.option("--until", type=options.Moment())
@click.option(
    "--zone",
    metavar="CODE",
    help="Electricity mix: a country, such as USA or FRA, or WOR, the world. Default: as each provider has.",
)
@options.as_json_lines
@options.store
@options.url
def command(
    *,
    per: Per,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    as_json: bool,
    store: str,
    url: str | None,
) -> None:
    """Estimate the energy and carbon of models behind an API, by what they wrote.

    Nobody measured it, and no provider says it: ecologits reckons it from what is known or guessed of a model. Energy
    of your own machines is in `tokentrace capacity`.
    """
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.energy import Question  # noqa: PLC0415
    from tokentrace_collector.reports.footprint import MissingError, ZoneError  # noqa: PLC0415

    try:
        with source.opened(store, url) as books:
            found = books.energy(Question(per, since, until, zone))
    except (MissingError, ZoneError) as error:
        raise terminal.Trouble(str(error)) from None
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        _draw(found)
    else:
        terminal.say("No call is in the books yet, of this time.")


def _draw(found: list[Energy]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim")
    for name in ("since", "provider", "model"):
        table.add_column(name, no_wrap=True)
    for name in ("calls", "output tokens", "kWh", "g CO2e", "g CO2e hardware"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        since = (each["period"] or "")[:10]
        for model in each["models"]:
            figures = (model["kwh"], model["co2e_grams"], model["hardware_co2e_grams"])
            table.add_row(
                since,
                *_called(model["provider"], model["model"]),
                *_used(model["calls"], model["tokens"]),
                *map(_range, figures),
            )
        for other in each["unknown"]:
            table.add_row(
                since,
                *_called(other["provider"], other["model"]),
                *_used(other["calls"], other["tokens"]),
                *[_NOT_KNOWN] * 3,
            )
        is_whole = all(part["known"] == part["of"] for part in (each["tokens"], each["calls"]))
        mark = "" if is_whole else f"{signs.at_least} "
        totals = (each["kwh"], each["co2e_grams"], each["hardware_co2e_grams"])
        table.add_row(
            since,
            "all",
            "",
            *_used(each["calls"]["of"], each["tokens"]["of"]),
            *(mark + _range(one) for one in totals),
            style="bold",
        )
    screen.print(table)
    _explain(found)


def _explain(found: list[Energy]) -> None:
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    terminal.say(f"An estimate of ecologits {found[0]['version']} by output tokens; nobody measured it.")
    known, whole = (sum(each["tokens"][part] for each in found) for part in ("known", "of"))
    if known < whole:
        terminal.say(f"It knows the models of {amounts.coverage(known / whole)} of the tokens.")
    if uncounted := sum(each["uncounted_calls"] for one in found for each in (*one["models"], *one["unknown"])):
        terminal.say(f"Calls of which nobody says how much they wrote: {amounts.count(uncounted)}.")
    if pooled := sum(each["pools"]["calls"] for each in found):
        terminal.say(f"Calls that your own capacity served: {amounts.count(pooled)}; see `tokentrace capacity`.")


def _called(provider: str, model: str) -> tuple[str, str]:
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    return terminal.plain(provider), terminal.plain(model)


def _used(calls: int, tokens: int) -> tuple[str, str]:
    return amounts.count(calls), amounts.count(tokens)


def _range(one: Range) -> str:
    least, most = (amounts.rough(Decimal(end)) for end in (one["min"], one["max"]))
    return least if least == most else f"{least} - {most}"
