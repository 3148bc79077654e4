"""`tokentrace doctor`: what could keep figures from being right."""

from __future__ import annotations

import sys

import click

from tokentrace_collector.cli import options


@click.command("doctor")
@options.as_json
@options.store
@options.url
@options.book
@click.option(
    "--python",
    metavar="PATH",
    default=sys.executable,
    help="Interpreter of the application, where it lives in another environment than this command.",
)
@click.pass_context
def command(
    context: click.Context, *, as_json: bool, store: str, url: str | None, book: str | None, python: str
) -> None:
    """Check what an application here would be metered with, and store, collector and ports.

    Every client that is installed is imported and wrapped, and the endpoint is asked with an empty request, all in a
    process of its own. The exit status is 1 when a check failed.
    """
    from tokentrace_collector.cli import examination, terminal  # noqa: PLC0415

    findings = examination.findings(store, url, book, python)
    if as_json:
        terminal.write_json({"healthy": examination.healthy(findings), "checks": [each.document for each in findings]})
    else:
        examination.draw(findings)
    context.exit(0 if examination.healthy(findings) else 1)
