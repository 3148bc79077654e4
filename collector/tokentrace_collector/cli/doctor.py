"""`tokentrace doctor`: what could keep figures from being right."""

from __future__ import annotations

import click

from tokentrace_collector.cli import options


@click.command("doctor")
@options.as_json
@options.store
@options.url
@options.book
@click.pass_context
def command(context: click.Context, *, as_json: bool, store: str, url: str | None, book: str | None) -> None:
    """Check installation, store, collector and ports.

    The exit status is 1 when a check failed.
    """
    from tokentrace_collector.cli import examination, terminal  # noqa: PLC0415

    findings = examination.findings(store, url, book)
    if as_json:
        terminal.write_json({"healthy": examination.healthy(findings), "checks": [each.document for each in findings]})
    else:
        examination.draw(findings)
    context.exit(0 if examination.healthy(findings) else 1)
