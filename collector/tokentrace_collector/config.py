"""What an operator may set."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from tokentrace_collector.journal.entries import Limits


class ConfigError(ValueError):
    """A setting that cannot be."""


@dataclass(frozen=True, slots=True)
class Config:
    """A collector: where it listens, where it keeps, how much it takes."""

    store: str = "chdb://"
    """The address of the store; the embedded one in the user's data directory by default."""
    book: Path | None = None
    """The price book: own prices, rates of people, capacity."""
    host: str = "127.0.0.1"
    http_port: int = 4318
    grpc_port: int = 4317
    api_port: int = 4319
    """Each port may be 0: any that is free, told in `collector.json`."""
    insecure: bool = False
    """Whether others than this machine may send, although nothing asks who they are."""
    tenant: str = "default"
    rollup_seconds: float = 5.0
    """The pause between two runs of the rollup."""
    batch_spans: int = 20_000
    """Spans that make an insert worth its cost."""
    batch_seconds: float = 1.0
    """How long a span waits for others at most."""
    request_bytes: int = 64 << 20
    """The largest request, after decompression."""
    in_flight_bytes: int = 256 << 20
    """What all requests under way may hold in memory."""
    body_seconds: float = 30.0
    """How long a sender may take over a body."""
    grace_seconds: float = 10.0
    """How long a stopping collector works off its journal; what is left it finds again when it starts."""
    journal: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not (self.insecure or _is_loopback(self.host)):
            raise ConfigError(
                f"The host {self.host!r} can be reached by others, and the collector asks no one who they are. "
                "Put an authenticating proxy or an OpenTelemetry Collector in front, or set insecure."
            )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
