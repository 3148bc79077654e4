"""`tokentrace outcomes`: what work achieved, and what a success costs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.outcomes import Per

_DIMENSIONS = ("team", "feature", "customer", "project", "cost-center", "environment", "service", "model")


@click.command("outcomes")
@click.option("--by", multiple=True, type=click.Choice(_DIMENSIONS), help="What work is divided by; may come again.")
@click.option("--per", type=click.Choice(["all", "day", "month"]), default="all", show_default=True)
@click.option("--since", type=options.Moment(), help="30d, or a date or time (UTC): of when work began.")
@click.option("--until", type=options.Moment())
@click.option(
    "--mature",
    type=click.IntRange(0, 3650),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="How long an outcome may take; 0 waits for none.",
)
@click.option(
    "--fallback-cost",
    type=options.Amount(),
    metavar="AMOUNT",
    help="What a person costs who does what did not succeed.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with every digit.")
@options.as_json_lines
@options.store
@options.url
def command(
    *,
    by: tuple[str, ...],
    per: Per,
    since: datetime | None,
    until: datetime | None,
    mature: int,
    fallback_cost: Decimal | None,
    as_csv: bool,
    as_json: bool,
    store: str,
    url: str | None,
) -> None:
    """Say what work achieved, and what a success costs.

    \b
      tokentrace outcomes --by feature --since 90d
      tokentrace outcomes --by model --per month --fallback-cost 4

    A piece of work is what a workflow names with `work_unit_id`, with all its runs; else a request. Of work that began
    within the last --mature days outcomes may still be missing, so it is not in the table, whatever is known of it.
    What nobody has told the outcome of is unknown, not failed: figures are ranges, from all of it failed to all of it
    succeeded.
    """
    from tokentrace_collector.cli import achievements, source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.listing import ListingError  # noqa: PLC0415
    from tokentrace_collector.reports.outcomes import Question  # noqa: PLC0415

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    dimensions = tuple(name.replace("-", "_") for name in by)
    try:
        wanted = Question(per, since, until, dimensions, mature, fallback_cost)
    except ListingError as error:
        raise terminal.Trouble(str(error)) from None
    with source.opened(store, url) as books:
        found = books.outcomes(wanted)
    if as_json:
        terminal.write_json_lines(found)
    elif as_csv:
        achievements.write_csv(found, wanted)
    elif found:
        achievements.draw(terminal.console(), found, wanted)
    else:
        terminal.say("No work began in this time. Is the application instrumented, and has a rollup run?")
