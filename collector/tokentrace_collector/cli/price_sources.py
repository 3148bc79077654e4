"""`tokentrace prices diff`, `update` and `import`: other prices than those in use, and what they say otherwise."""

from __future__ import annotations

from pathlib import Path

import click

from tokentrace_collector.cli import options

_IN_USE = "catalogue"
_PATIENCE = 30.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("diff")
@click.argument("sources", nargs=-1, required=True, metavar="[BEFORE] AFTER")
@click.option("--provider", default="", help="Prices of this provider alone.")
@click.option("--model", default="", help="Prices of this model alone.")
@click.option("--shared", is_flag=True, help="Only models that both of them price.")
@options.as_json_lines
@click.pass_context
def diff(
    context: click.Context, *, sources: tuple[str, ...], provider: str, model: str, shared: bool, as_json: bool
) -> None:
    """Say where prices differ: by model and unit, before and after, and from when to when.

    \b
      tokentrace prices diff book.yaml
      tokentrace prices diff this-year.yaml next-year.yaml --provider openai
      tokentrace prices diff model_prices_and_context_window.json --shared

    A source is `catalogue` (the one in use, and what is compared with where only one source is named), a price book,
    which lies over it, a catalogue of genai-prices as JSON, or a price file of LiteLLM, which knows no dates: with it,
    prices of now are compared. The exit status is 1 where they differ.
    """
    from tokentrace_collector.cli import price_changes, terminal  # noqa: PLC0415

    if len(sources) > 2:  # noqa: PLR2004
        raise click.UsageError("Two sources are compared. Name one or two.")
    before, after = sources if len(sources) > 1 else (_IN_USE, *sources)
    found = price_changes.between(before, after, shared=shared)
    found = [each for each in found if provider in ("", each["provider"]) and model in ("", each["model"])]
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        price_changes.draw(found)
    terminal.say(price_changes.told(found))
    context.exit(1 if found else 0)


@click.command("update")
@click.option(
    "--file", type=_FILE, help="A catalogue that was brought here, instead of asking the network for the newest."
)
@click.option("--from", "address", metavar="URL", help="Where to ask for it. Default: where genai-prices publishes it.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file to write it to.")
@options.as_json_lines
def update(*, file: Path | None, address: str | None, output: Path | None, as_json: bool) -> None:
    """Say what a newer catalogue would change, and write it to a file.

    \b
      tokentrace prices update
      tokentrace prices update --output catalogue.json
      TOKENTRACE_CATALOGUE=catalogue.json tokentrace reprice

    Nothing is rated by it before TOKENTRACE_CATALOGUE names the file; `tokentrace reprice` then says what it changes in
    your books, and `--adopt` goes on with it. Start the collector with the same variable.
    """
    from tokentrace_collector.cli import price_changes, terminal  # noqa: PLC0415

    if file and address:
        raise click.UsageError("--file and --from exclude each other.")
    content, where = (file.read_bytes(), str(file)) if file else price_changes.fetched(address, _PATIENCE)
    found = price_changes.newer(content, where)
    if as_json:
        terminal.write_json_lines(found)
    elif found:
        price_changes.draw(found)
    terminal.say(price_changes.told(found))
    if output is None:
        terminal.say("Nothing was written. Write it with --output FILE.")
        return
    price_changes.write(output, content)
    terminal.say(
        f"Written to {output}. Nothing is rated by it yet: see what it changes with\n"
        f"  TOKENTRACE_CATALOGUE={output} tokentrace reprice\n"
        "add --adopt to go on with it, and start the collector with the same variable."
    )


@click.command("import")
@click.argument("kind", type=click.Choice(["litellm"]))
@click.argument("file", type=_FILE)
@click.option("--everything", is_flag=True, help="Also models that the catalogue has prices of.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="The price book to write. Default: print it."
)
def bring(*, kind: str, file: Path, everything: bool, output: Path | None) -> None:  # noqa: ARG001 - there is one kind yet
    """Make a price book of the models that a price file of LiteLLM knows and the catalogue does not.

    \b
      tokentrace prices import litellm model_prices_and_context_window.json --output litellm.yaml
      tokentrace reprice --book litellm.yaml

    Read it, and keep what you trust: copy the lines into your own book. Models whose price depends on the size of the
    request are left out, and named.
    """
    from tokentrace_collector.cli import faults, price_changes, terminal  # noqa: PLC0415
    from tokentrace_collector.prices import litellm  # noqa: PLC0415

    with faults.told():
        content = price_changes.text_of(file)
        made = litellm.imported(litellm.read(content, str(file)), content, everything=everything)
    if output:
        price_changes.write(output, made.book.encode())
    else:
        click.echo(made.book, nl=False)
    terminal.say(f"{made.rates} rates.")
    if made.left_out:
        names = ", ".join(map(terminal.plain, made.left_out))
        terminal.say(f"Left out, as their price depends on the size of the request: {names}.")
