"""`tokentrace trace`: one request, drawn."""

from __future__ import annotations

import click

from tokentrace_collector.cli import options


@click.command("trace")
@click.argument("trace_id", default="")
@options.as_json
@options.store
@options.url
@click.pass_context
def command(context: click.Context, *, trace_id: str, as_json: bool, store: str, url: str | None) -> None:
    """Draw one request: its spans, its tokens, its six components of cost.

    TRACE_ID may be cut short; without it, the latest request is drawn.
    """
    from tokentrace_collector.cli import drawing, source, terminal  # noqa: PLC0415

    with source.opened(store, url) as books:
        report = books.request(trace_id)
    if report is None:
        wanted = f"trace {terminal.plain(trace_id)!r}" if trace_id else "trace"
        terminal.say(f"There is no {wanted} in the books yet. `tokentrace traces` lists what is there.")
        context.exit(1)
    if as_json:
        terminal.write_json(report)
        return
    drawing.request(terminal.console(), report)
