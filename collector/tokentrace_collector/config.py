"""What an operator may set."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from tokentrace_collector.allowance import NAMES, Allowance
from tokentrace_collector.journal.entries import Limits
from tokentrace_collector.retention import Retention
from tokentrace_collector.tenants import CANARY, EVERYBODY
from tokentrace_collector.tls import Tls


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
    api_host: str = "127.0.0.1"
    api_port: int = 4319
    """Each port may be 0: any that is free, told in `collector.json`."""
    access: Path | None = None
    """Who may send and ask, and for which tenant; without it everybody may who reaches the port."""
    tls: Tls | None = None
    insecure: bool = False
    """Whether others than this machine may send, although nothing asks who they are."""
    tenant: str = EVERYBODY
    """Whose spans they are where no credential says so."""
    drop_content: bool = False
    """Whether texts of prompts and answers are taken out before anything is written (schemas/content.yaml)."""
    redact: Path | None = None
    """Patterns of what is taken out of all other texts."""
    requests_per_second: float | None = None
    bytes_per_second: float | None = None
    """How much each credential may send; without them, as much as there is room for."""
    queries: int = 4
    query_seconds: float = 30.0
    query_memory_bytes: int = 1 << 30
    query_rows: int = 1_000_000
    query_result_bytes: int = 256 << 20
    """What the SQL of each credential may take: questions at once, and of each the time, memory, rows and bytes.

    A credential may have other limits in the file of credentials.
    """
    connections: int = 512
    """What each receiver, and the query API, has open at once."""
    rollup_seconds: float = 5.0
    """The pause between two runs of the rollup."""
    retention: Retention | None = None
    """How long spans and costs are kept from now on; None: as long as they are so far."""
    canary_seconds: float | None = None
    """The pause between two canaries, traces of our own that show whether spans reach the books; None sends none."""
    batch_spans: int = 20_000
    """Spans that make an insert worth its cost."""
    batch_seconds: float = 1.0
    """How long a span waits for others at most."""
    request_bytes: int = 64 << 20
    """The largest request, after decompression."""
    in_flight_bytes: int = 256 << 20
    """What all requests under way may hold in memory, as sent and decompressed, over HTTP and gRPC together."""
    body_seconds: float = 30.0
    """How long a sender may take over a body."""
    grace_seconds: float = 10.0
    """How long a stopping collector works off its journal; what is left it finds again when it starts."""
    journal: Limits = field(default_factory=Limits)

    @property
    def allowance(self) -> Allowance:
        """What a credential may take that has no limits of its own."""
        return Allowance(**{name: getattr(self, name) for name in NAMES})

    def __post_init__(self) -> None:
        knows_senders = self.access is not None or (self.tls is not None and self.tls.client_ca is not None)
        if not (self.insecure or knows_senders or is_loopback(self.host)):
            raise ConfigError(
                f"The host {self.host!r} can be reached by others, and the collector asks no one who they are. "
                "Give it credentials (access) or the authority of senders' certificates (tls), put an authenticating "
                "proxy or an OpenTelemetry Collector in front, or set insecure."
            )
        if self.tenant == CANARY:
            raise ConfigError(f"The tenant {CANARY!r} is the collector's own. Choose another.")
        if self.canary_seconds is not None and self.tls is not None and self.tls.client_ca is not None:
            raise ConfigError(
                "A canary has no certificate to show, and senders need one (tls). "
                "Send no canaries, or let senders show tokens."
            )
        if not (self.access or is_loopback(self.api_host)):
            raise ConfigError(
                f"The host of queries {self.api_host!r} can be reached by others, and nothing asks who they are. "
                "Give the collector credentials (access), or leave queries on 127.0.0.1."
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
