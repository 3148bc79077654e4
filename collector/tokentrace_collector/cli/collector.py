"""`tokentrace collector`: receive, keep, account, until told to stop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.serve import Addresses


def _port(name: str, default: int, what: str) -> Callable[[options.Decorated], options.Decorated]:
    return click.option(
        f"--{name}",
        f"{name}_port",
        type=click.IntRange(0, 65_535),
        default=default,
        envvar=f"TOKENTRACE_{name.upper()}_PORT",
        show_default=True,
        metavar="PORT",
        help=f"{what}; 0 takes any that is free.",
    )


@click.command("collector")
@options.store
@_port("http", 4318, "Port of OTLP/HTTP")
@_port("grpc", 4317, "Port of OTLP/gRPC")
@_port("api", 4319, "Port of queries, health and metrics, on 127.0.0.1 alone")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address on which to receive spans.")
@click.option("--insecure", is_flag=True, help="Receive from other machines, although nothing asks who they are.")
@options.book
@click.option(
    "--rollup-every",
    "rollup_seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
)
def command(book: str | None, **settings: Any) -> None:
    """Receive OpenTelemetry traces and keep the books, until interrupted.

    Spans come over OTLP/HTTP and OTLP/gRPC, are on disk before the sender hears so, and are rolled up into costs
    every few seconds.
    """
    from tokentrace_collector import assembly, serve  # noqa: PLC0415
    from tokentrace_collector.cli import faults  # noqa: PLC0415
    from tokentrace_collector.config import Config  # noqa: PLC0415

    with faults.told():
        collector = assembly.collector(Config(book=Path(book) if book else None, **settings))
        serve.run(collector, tell=_announce)


def _announce(addresses: Addresses) -> None:
    sys.stderr.write(
        f"OTLP/HTTP  {addresses.otlp_http}\nOTLP/gRPC  {addresses.otlp_grpc}\nqueries    {addresses.api}\n"
        "Ctrl-C stops the collector; what it has accepted it keeps.\n"
    )
    sys.stderr.flush()
