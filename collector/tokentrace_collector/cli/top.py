"""`tokentrace top`: what costs most, watched as it grows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.spending import Share

_PERIOD = timedelta(days=1)
_RANKED = ("feature", "model", "customer", "team", "agent", "error")
_AGENT = "agent"
_ERROR = "error"


@click.command("top")
@click.argument("what", type=click.Choice(_RANKED), default="feature")
@click.option("--since", type=options.Moment(), help="Costs from then on, by whole hours. Default: 24h.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--every", type=click.FloatRange(0.2), default=2.0, show_default=True, help="Seconds between two looks.")
@click.option("--once", is_flag=True, help="Look once and end; so does it where the output is no terminal.")
@click.option("--csv", "as_csv", is_flag=True, help="Look once, and print CSV with every digit.")
@options.as_json_lines
@options.store
@options.url
def command(
    *,
    what: str,
    since: datetime | None,
    limit: int,
    every: float,
    once: bool,
    as_csv: bool,
    as_json: bool,
    store: str,
    url: str | None,
) -> None:
    """Watch what costs most: features, models, customers, teams, agents, or kinds of error.

    \b
      tokentrace top model
      tokentrace top customer --since 7d --once

    An agent bears what the calls below it cost, except below another agent. Of errors, only their own cost counts.
    Ctrl-C ends it.
    """
    from tokentrace_collector.cli import ranking, source, spending, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.breakdown import Breakdown  # noqa: PLC0415

    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    dimension = "sub_component" if what == _ERROR else what

    def asked() -> list[Share]:
        began = since or datetime.now(UTC) - _PERIOD
        # Opened anew each time: a store that is held would keep a collector out.
        with source.opened(store, url) as books:
            if what == _AGENT:
                return books.agents(began, limit)
            # Errors are told apart after the costs have come, so that all of them must come.
            found = books.costs(Breakdown((dimension,), since=began, limit=0 if what == _ERROR else limit))
        return ranking.errors(found, limit) if what == _ERROR else found

    screen = terminal.console()
    if as_json:
        terminal.write_json_lines(asked())
    elif as_csv:
        spending.write_csv(asked(), (dimension,), "all")
    elif once or not screen.is_terminal:
        if found := asked():
            screen.print(ranking.table(screen, found, what))
        else:
            terminal.say("Nothing was spent since then. Is the application instrumented, and has a rollup run?")
    else:
        ranking.watch(screen, lambda: ranking.table(screen, asked(), what), every)
