"""`tokentrace rollup`: costs recomputed from the stored spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.upkeep import Difference, Task, Verified


@click.command("rollup")
@click.argument("what", type=click.Choice(["run", "rebuild", "verify"]), default="run")
@options.as_json
@options.store
@options.url
@options.book
@click.pass_context
def command(
    context: click.Context, *, what: Task, as_json: bool, store: str, url: str | None, book: str | None
) -> None:
    """Recompute costs from the stored spans: `run` what has changed, `rebuild` everything.

    A running collector does the first by itself every few seconds, and the second after a change of prices.
    `verify` rebuilds, and says of each row whether it was what it ought to be, to the last digit; exit status 1 if not.
    """
    from tokentrace_collector.cli import amounts, source, terminal  # noqa: PLC0415

    with source.opened(store, url, book) as books:
        outcome = books.rollup(what)
    if as_json:
        terminal.write_json(outcome)
    else:
        terminal.say(
            f"{amounts.count(outcome['traces'])} requests recomputed in {amounts.duration(outcome['seconds'])}."
        )
    if verified := outcome["verified"]:
        if not as_json:
            terminal.say("\n".join(_told(verified)))
        if verified["differences"]:
            context.exit(1)


def _told(verified: Verified) -> list[str]:
    from tokentrace_collector.cli import amounts  # noqa: PLC0415

    rows, closed = f"{amounts.count(verified['rows'])} rows", amounts.count(verified["closed"])
    kept = (
        [f"{closed} requests keep their figures: their spans have expired, or are about to."]
        if verified["closed"]
        else []
    )
    if not (found := verified["differences"]):
        return [f"{rows} of the tables of cost were equal to it, to the last digit.", *kept]
    told = [f"Of {rows} of the tables of cost these were not equal to it. They are now."]
    told += [_difference(each) for each in found]
    if verified["is_disturbed"]:
        told.append("Spans came while they were compared, and may be why. Ask again when fewer come.")
    return told + kept


def _difference(found: Difference) -> str:
    stored, recomputed = (found[side] or "no such row" for side in ("stored", "recomputed"))
    return f"  {found['table']} {found['key']}: {stored}, recomputed {recomputed}"
