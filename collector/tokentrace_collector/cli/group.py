"""The command group; a command's module is imported when the command is asked for, never to list it."""

from __future__ import annotations

import importlib
from typing import Any

import click

_COMMANDS = {
    "demo": "A small agent without keys or network, and what its request cost.",
    "run": "Run a program, and tell what its calls to models cost.",
    "collector": "Receive OpenTelemetry traces and keep the books, until interrupted.",
    "traces": "List requests and what they cost.",
    "trace": "Draw one request: its spans, its tokens, its six components of cost.",
    "report": "Say what was spent, by team, model, customer, day, …",
    "top": "Watch what costs most: features, models, customers, teams, agents or errors.",
    "export": "Write what was spent as a FOCUS file, for FinOps tools.",
    "journal": "Look at what waits for the database, and at what could not be stored.",
    "access": "Say who may send and ask, and for which tenant.",
    "rollup": "Recompute costs from the stored spans.",
    "delete": "Delete what is kept of a trace, a user or a tenant.",
    "reprice": "Say what other prices would change, and adopt them.",
    "close": "Close a month, and say what was corrected since.",
    "commitments": "Say how far commitments are used, and from which use on they pay off.",
    "outcomes": "Say what work achieved, and what a success costs.",
    "payments": "Say what invoices in other currencies came to when they were paid.",
    "capacity": "Say what your own capacity cost, how far it was used, and what energy it took.",
    "energy": "Estimate the energy and carbon of models behind an API, by what they wrote.",
    "prices": "Show, compare, update and check the prices that calls are rated with.",
    "fetch-tokenizers": "Bring the rank files that estimates count by to this machine.",
    "doctor": "Check clients, delivery, store, collector and ports.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and first sentence alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(
            f"tokentrace_collector.cli.{cmd_name.replace('-', '_')}"
        ).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: Any) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version  # noqa: PLC0415 - 20 ms that only --version needs

    click.echo(f"tokentrace {version('tokentrace')}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: tokentrace demo",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def tokentrace() -> None:
    """What an AI request really costs.

    Visible tokens, hidden reasoning, agent orchestration, errors, human review and infrastructure, request by request.
    """
