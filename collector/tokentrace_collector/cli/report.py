"""`tokentrace report`: what was spent, by team, model, customer, day and so on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.breakdown import Breakdown, InfraView, Period
    from tokentrace_collector.reports.documents.spending import Share

_DIMENSIONS = (
    "team", "feature", "project", "cost-center", "environment", "provider", "model", "model-family", "role",
    "role-source", "sub-component", "token-class", "customer", "user", "session", "service", "rework", "charge-period",
)  # fmt: skip


def _choices(command: Any) -> Any:
    """An option for each dimension that costs can be chosen by."""
    for name in reversed(_DIMENSIONS):
        command = click.option(f"--{name}", help="Costs of this one alone." if name == "team" else None)(command)
    return command


@click.command("report")
@click.option("--by", multiple=True, type=click.Choice(_DIMENSIONS), help="Divide by this; may be given several times.")
@click.option(
    "--per", type=click.Choice(["all", "hour", "day", "week", "month"]), default="all", help="Divide by time as well."
)
@click.option("--zone", default="UTC", show_default=True, help="Time zone in which days, weeks and months begin.")
@click.option("--since", type=options.Moment(), help="30d, or a date or time (UTC); whole hours.")
@click.option("--until", type=options.Moment())
@_choices
@click.option(
    "--limit", type=click.IntRange(0, 10_000), default=0, help="The dearest groups, and the sum of all others."
)
@click.option("--run", default="", help="By the prices of an earlier rating run, as figures were then.")
@click.option(
    "--infra-view",
    type=click.Choice(["unused", "all"]),
    default="unused",
    show_default=True,
    help="All capacity and commitments as infrastructure, or what stood idle alone.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, with every digit.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a page that needs no network.",
)
@options.as_json_lines
@options.store
@options.url
def command(
    *,
    by: tuple[str, ...],
    per: Period,
    zone: str,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    run: str,
    infra_view: InfraView,
    as_csv: bool,
    html: Path | None,
    as_json: bool,
    store: str,
    url: str | None,
    **chosen: str | None,
) -> None:
    """Say what was spent, and on which of the six components.

    \b
      tokentrace report --by team --since 30d
      tokentrace report --by model --by role --per month --zone Europe/Berlin
      tokentrace report --by customer --feature search --limit 10 --csv
      tokentrace report --by team --since 30d --html november.html

    Money without a price is not in the totals; what is known of them is said beside. What a closed month holds stays
    as it was booked; what changed since is a correction in the first open month: --by charge-period says of which.
    By user, session, role source or rework, all is as it is now; `rework` are runs of a piece of work that was done
    again later. --by role --by role-source says what each role rests on: what the application said, or an inference.

    Capacity and commitments that served requests are in the components of what they served, so that they compare with
    an API; --infra-view all has them as infrastructure, like those that served nobody. The totals are the same.
    """
    from tokentrace_collector.cli import source, spending, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.breakdown import Breakdown, BreakdownError  # noqa: PLC0415

    if as_csv + as_json + (html is not None) > 1:
        raise click.UsageError("--csv, --html and --json exclude each other.")
    dimensions = tuple(name.replace("-", "_") for name in by)
    only = {name: value for name, value in chosen.items() if value is not None}
    try:
        wanted = Breakdown(dimensions, per, zone, since, until, only, limit, run, infra_view)
    except BreakdownError as error:
        raise terminal.Trouble(str(error)) from None
    with source.opened(store, url) as books:
        found = books.costs(wanted)
    if html:
        _write(html, found, wanted)
    elif as_json:
        terminal.write_json_lines(found)
    elif as_csv:
        spending.write_csv(found, wanted.by, wanted.per)
    elif found:
        spending.draw(terminal.console(), found, wanted)
    else:
        terminal.say("Nothing was spent that matches. Is the application instrumented, and has a rollup run?")


def _write(file: Path, found: list[Share], wanted: Breakdown) -> None:
    from tokentrace_collector.cli import page, terminal  # noqa: PLC0415

    try:
        file.write_text(page.drawn(found, wanted, datetime.now(UTC)), "utf-8")
    except OSError as error:
        raise terminal.Trouble(f"The file {file} cannot be written: {error}") from None
    terminal.say(f"Written to {file}.")
