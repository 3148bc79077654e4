"""`tokentrace energy`: what models behind an API took of energy and carbon, as a library estimates it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import amounts, options

if TYPE_CHECKING:
    from tokentrace_collector.cli.terminal import Glyphs
    from tokentrace_collector.reports.documents.energy import Energy, Range, UnknownEnergy
    from tokentrace_collector.reports.energy import Per

_NOT_KNOWN = "unknown"
_FIGURES = ("kWh", "g CO2e", "g CO2e hardware")
_SPARE = ("g CO2e hardware", "calls", "provider", "output tokens")
"""What a small screen does without; it can be asked for as JSON."""


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
    from tokentrace_collector.cli import columns, terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    rows: list[dict[str, str]] = []
    totals: list[int] = []
    for each in found:
        since = (each["period"] or "")[:10]
        for model in each["models"]:
            figures = (model["kwh"], model["co2e_grams"], model["hardware_co2e_grams"])
            rows.append(_row(since, model, [_range(one) for one in figures]))
        rows += [_row(since, other, [_NOT_KNOWN] * 3) for other in each["unknown"]]
        totals.append(len(rows))
        rows.append(_total(since, each, signs))
    table = columns.table(screen, rows, names={"since", "provider", "model"}, spare=_SPARE)
    for place in totals:
        table.rows[place].style = "bold"
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


def _row(since: str, used: UnknownEnergy, figures: Sequence[str]) -> dict[str, str]:
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    names = {"since": since, "provider": terminal.plain(used["provider"]), "model": terminal.plain(used["model"])}
    return names | _counts(used["calls"], used["tokens"]) | dict(zip(_FIGURES, figures, strict=True))


def _total(since: str, each: Energy, signs: Glyphs) -> dict[str, str]:
    is_whole = all(part["known"] == part["of"] for part in (each["tokens"], each["calls"]))
    mark = "" if is_whole else f"{signs.at_least} "
    figures = [mark + _range(one) for one in (each["kwh"], each["co2e_grams"], each["hardware_co2e_grams"])]
    counts = _counts(each["calls"]["of"], each["tokens"]["of"])
    return {"since": since, "provider": "all", "model": ""} | counts | dict(zip(_FIGURES, figures, strict=True))


def _counts(calls: int, tokens: int) -> dict[str, str]:
    return {"calls": amounts.count(calls), "output tokens": amounts.count(tokens)}


def _range(one: Range) -> str:
    least, most = (amounts.rough(Decimal(end)) for end in (one["min"], one["max"]))
    return least if least == most else f"{least} - {most}"
