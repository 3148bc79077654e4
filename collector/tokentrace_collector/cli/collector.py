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


def _file(name: str, what: str) -> Callable[[options.Decorated], options.Decorated]:
    return click.option(
        f"--{name}",
        envvar=f"TOKENTRACE_{name.upper().replace('-', '_')}",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=what,
    )


def _kept(name: str, what: str, default: str) -> Callable[[options.Decorated], options.Decorated]:
    return click.option(
        f"--retention-{name}",
        envvar=f"TOKENTRACE_RETENTION_{name.upper()}",
        type=options.Duration(),
        help=f"How long to keep {what}; 36h, 30d, 52w or 5y. Default: {default}.",
    )


@click.command("collector")
@options.store
@_port("http", 4318, "Port of OTLP/HTTP")
@_port("grpc", 4317, "Port of OTLP/gRPC")
@_port("api", 4319, "Port of queries, health and metrics")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address on which to receive spans.")
@click.option("--api-host", default="127.0.0.1", show_default=True, help="Address on which to answer queries.")
@_file("access", "Who may send and ask, and for which tenant (YAML); see `tokentrace access`.")
@_file("tls-certificate", "Certificate chain (PEM) to show to senders.")
@_file("tls-key", "Its key (PEM).")
@_file("tls-client-ca", "Authority (PEM) that signs the certificates of senders; without one nobody may send then.")
@click.option("--drop-content", is_flag=True, help="Take texts of prompts and answers out before anything is written.")
@_file("redact", "Patterns (YAML) of what is taken out of all other texts before anything is written.")
@click.option("--insecure", is_flag=True, help="Receive from other machines, although nothing asks who they are.")
@click.option(
    "--requests-per-second", type=click.FloatRange(0, min_open=True), help="How many each credential may send."
)
@click.option("--bytes-per-second", type=click.FloatRange(0, min_open=True), help="What each credential may send.")
@_kept("raw", "spans as received", "as long as calls")
@_kept("calls", "spans as read: so long a span that comes late has its whole request recomputed", "as long as costs")
@_kept("costs", "costs by call and by request; sums by hour stay", "for ever")
@click.option("--queries", type=click.IntRange(1), default=4, show_default=True, help="SQL of each credential at once.")
@click.option("--query-seconds", type=click.FloatRange(0, min_open=True), default=30.0, show_default=True)
@click.option("--query-memory-bytes", type=click.IntRange(1), default=1 << 30, show_default=True)
@click.option("--query-rows", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--query-result-bytes", type=click.IntRange(1), default=256 << 20, show_default=True)
@click.option(
    "--connections", type=click.IntRange(1), default=512, show_default=True, help="What each port has open at once."
)
@click.option(
    "--in-flight-bytes",
    type=click.IntRange(1),
    default=256 << 20,
    show_default=True,
    help="What requests under way may hold in memory together.",
)
@options.book
@click.option(
    "--rollup-every",
    "rollup_seconds",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
)
@click.option(
    "--canary",
    "canary_seconds",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="Send a trace of our own that often, and tell in /metrics whether it came out of the books.",
)
def command(
    book: str | None,
    access: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
    **settings: Any,
) -> None:
    """Receive OpenTelemetry traces and keep the books, until interrupted.

    Spans come over OTLP/HTTP and OTLP/gRPC, are on disk before the sender hears so, and are rolled up into costs
    every few seconds.
    """
    from tokentrace_collector import assembly, serve  # noqa: PLC0415
    from tokentrace_collector.cli import faults  # noqa: PLC0415
    from tokentrace_collector.config import Config  # noqa: PLC0415
    from tokentrace_collector.retention import Retention  # noqa: PLC0415
    from tokentrace_collector.tls import Tls  # noqa: PLC0415

    tls = None
    if tls_certificate and tls_key:
        tls = Tls(tls_certificate, tls_key, tls_client_ca)
    elif tls_certificate or tls_key or tls_client_ca:
        raise click.UsageError("TLS needs both --tls-certificate and --tls-key.")
    with faults.told():
        retention = Retention(**{name: settings.pop(f"retention_{name}") for name in ("raw", "calls", "costs")})
        config = Config(book=Path(book) if book else None, access=access, tls=tls, retention=retention, **settings)
        collector = assembly.collector(config)
        serve.run(collector, tell=_announce)


def _announce(addresses: Addresses) -> None:
    sys.stderr.write(
        f"OTLP/HTTP  {addresses.otlp_http}\nOTLP/gRPC  {addresses.otlp_grpc}\nqueries    {addresses.api}\n"
        "Ctrl-C stops the collector; what it has accepted it keeps.\n"
    )
    sys.stderr.flush()
