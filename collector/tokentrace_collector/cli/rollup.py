"""`tokentrace rollup`: costs recomputed from the stored spans."""

from __future__ import annotations

import click

from tokentrace_collector.cli import options


@click.command("rollup")
@click.argument("what", type=click.Choice(["run", "rebuild"]), default="run")
@options.as_json
@options.store
@options.url
@options.book
def command(*, what: str, as_json: bool, store: str, url: str | None, book: str | None) -> None:
    """Recompute costs from the stored spans: `run` what has changed, `rebuild` everything.

    A running collector does the first by itself every few seconds, and the second after a change of prices.
    """
    from tokentrace_collector.cli import amounts, source, terminal  # noqa: PLC0415

    with source.opened(store, url, book) as books:
        outcome = books.rollup(rebuild=what == "rebuild")
    if as_json:
        terminal.write_json(outcome)
        return
    terminal.say(f"{amounts.count(outcome['traces'])} requests recomputed in {amounts.duration(outcome['seconds'])}.")
