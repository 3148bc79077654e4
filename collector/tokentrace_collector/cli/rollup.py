"""`tokentrace rollup`: costs recomputed from the stored spans."""

from __future__ import annotations

import click

from tokentrace_collector.cli import options


@click.group("rollup")
def command() -> None:
    """Recompute costs from the stored spans.

    A running collector does this by itself every few seconds; here it is done at once.
    """


@command.command("run")
@options.as_json
@options.store
@options.url
@options.book
def run(as_json: bool, store: str, url: str | None, book: str | None) -> None:
    """Recompute the requests that have changed since the last run."""
    _recompute(store, url, book, as_json=as_json, rebuild=False)


@command.command("rebuild")
@options.as_json
@options.store
@options.url
@options.book
def rebuild(as_json: bool, store: str, url: str | None, book: str | None) -> None:
    """Recompute every request, as after a change of prices or rules."""
    _recompute(store, url, book, as_json=as_json, rebuild=True)


def _recompute(store: str, url: str | None, book: str | None, *, as_json: bool, rebuild: bool) -> None:
    from tokentrace_collector.cli import amounts, source, terminal  # noqa: PLC0415

    with source.opened(store, url, book) as books:
        outcome = books.rollup(rebuild=rebuild)
    if as_json:
        terminal.write_json(outcome)
        return
    terminal.say(f"{amounts.count(outcome['traces'])} requests recomputed in {amounts.duration(outcome['seconds'])}.")
