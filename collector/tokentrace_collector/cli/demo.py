"""`tokentrace demo`: a whole request without keys or network, and what it cost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options
from tokentrace_collector.demo.story import CAUSES

if TYPE_CHECKING:
    from tokentrace_collector.demo.run import Run
    from tokentrace_collector.reports.documents.requests import RequestReport

_FIGURES = frozenset(
    {
        "trace_id", "currency", "total", "components", "direct", "allocated", "measured", "estimated", "coverage",
        "covered", "calls", "attempts", "failed_attempts", "unknown_attempts", "tokens", "meters", "per_call",
    }
)  # fmt: skip
_NEXT = """\
Next
  tokentrace demo --serve    keep these books, and look around in them
  tokentrace collector       for your application, once it is instrumented"""


@click.command("demo")
@options.as_json
@click.option("--serve", is_flag=True, help="Keep collector and store running afterwards, until Ctrl-C.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(sorted(CAUSES)),
    help="Leave out a cause of cost, to see its component fall to 0; may be repeated.",
)
@click.option(
    "--store",
    metavar="DSN",
    help="Where to keep the books; a temporary directory by default, your data directory with --serve.",
)
@click.option("--resend", is_flag=True, hidden=True, help="Deliver every span twice more, shuffled, before reading.")
@click.pass_context
def command(
    context: click.Context, *, as_json: bool, serve: bool, without: tuple[str, ...], store: str | None, resend: bool
) -> None:
    """Run a small research agent and show what its one request cost.

    Real openai, anthropic and google-genai clients talk to a provider on this machine; their calls are metered,
    sent to a collector, kept in a store, priced and split into the six components.
    """
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415
    from tokentrace_collector.demo import run as demo  # noqa: PLC0415
    from tokentrace_collector.demo.process import AgentError  # noqa: PLC0415

    # The user's own books are touched only where they are meant to be kept.
    where = store or (os.environ.get("TOKENTRACE_STORE", "chdb://") if serve else None)
    try:
        with faults.told(), demo.Run(where, frozenset(without), stays=serve, tell=terminal.say) as run:
            report = run.play()
            settled = not resend or run.resend() == report
            _show(report, as_json=as_json, serve=serve)
            if serve:
                _serve(run, report, store)
    except AgentError as error:
        raise terminal.Trouble(str(error)) from error
    if not settled:
        terminal.say("The figures changed when every span was sent again.")
        context.exit(1)


def _show(report: RequestReport, *, as_json: bool, serve: bool) -> None:
    from tokentrace_collector.cli import comparison, drawing, terminal  # noqa: PLC0415

    if as_json:
        terminal.write_json({name: value for name, value in report.items() if name in _FIGURES})
        return
    screen = terminal.console()
    drawing.request(screen, report)
    screen.print()
    comparison.draw(screen, report)
    if not serve:
        screen.print()
        screen.print(_NEXT)


def _serve(run: Run, report: RequestReport, store: str | None) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    where = f" --store {store}" if store else ""
    terminal.say("\nThe collector keeps running; Ctrl-C stops it.")
    where_else = run.addresses
    terminal.say(
        f"  OTLP/HTTP  {where_else.otlp_http}\n  OTLP/gRPC  {where_else.otlp_grpc}\n  queries    {where_else.api}"
    )
    terminal.say(
        "\nNext, in another terminal:\n"
        f"  tokentrace traces{where}\n"
        f"  tokentrace trace {report['trace_id'][:12]}{where}\n"
        "and in your application:\n"
        "  import tokentrace; tokentrace.instrument()"
    )
    stopped.wait()
