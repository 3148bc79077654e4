"""The collector as a whole: receivers, journal, drain, rollup and query API, from start to a graceful stop."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from tokentrace_collector.access import Counted, Credentials, Door, Everybody
from tokentrace_collector.canary import Canary
from tokentrace_collector.config import Config, is_loopback
from tokentrace_collector.counters import Counters
from tokentrace_collector.deletion import Deletion, counted
from tokentrace_collector.health import Health
from tokentrace_collector.ingest.drain import Drain
from tokentrace_collector.journal.deadletters import DEAD_LETTERS, DeadLetters
from tokentrace_collector.journal.entries import JOURNAL, Journal
from tokentrace_collector.listener import LateApplication, Listener, PortError, port_trouble
from tokentrace_collector.otlp import privacy
from tokentrace_collector.otlp.privacy import Privacy
from tokentrace_collector.receive import grpc, http
from tokentrace_collector.receive.intake import Intake
from tokentrace_collector.receive.pace import Pace
from tokentrace_collector.receive.room import Room
from tokentrace_collector.reports.documents.upkeep import Deleted, RollupOutcome
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Order
from tokentrace_collector.rollup.rolling import Roll, Rolling
from tokentrace_collector.sql.asking import Questions
from tokentrace_collector.sql.http import Endpoint
from tokentrace_collector.sql.scopes import Scopes
from tokentrace_collector.store import dsn, schema
from tokentrace_collector.store.database import Store, StoreError
from tokentrace_collector.store.reading import Reader
from tokentrace_collector.tls import Tls

_ASK_THE_SERVER = (
    "This collector stores in a ClickHouse server: ask that one, with a user and row policies of its own; "
    "see deploy/README.md."
)

ADDRESS_FILE = "collector.json"
"""Beside the store while a collector holds it: where it answers."""


class Api(Protocol):
    """Makes the query API: over a store, a rollup on demand, for whom a door lets in, deletions, and more routes."""

    def __call__(
        self,
        store: Store,
        rollup: Roll,
        door: Door,
        *,
        delete: Callable[[Wanted, bool], Deleted],
        more: list[BaseRoute],
    ) -> ASGIApp: ...


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running collector answers."""

    api: str
    otlp_http: str
    otlp_grpc: str


class Collector:
    """A collector over one store; nothing runs before `start`."""

    def __init__(
        self, config: Config, *, rollup: Callable[[Store], Roll] | None = None, api: Api | None = None
    ) -> None:
        self.config = config
        self.counters = Counters()
        self._address = dsn.parse(config.store)
        self._api = api
        self._rolling = Rolling(rollup, self.counters, seconds=config.rollup_seconds) if rollup else None
        self._canary = Canary(config.canary_seconds, config.tls) if config.canary_seconds else None
        door = Credentials(config.access) if config.access else Everybody(config.tenant)
        self._door = Counted(door, self.counters)
        patterns = privacy.read(config.redact) if config.redact else ()
        self._privacy = Privacy(drops_content=config.drop_content, patterns=patterns)
        self._closing = ExitStack()
        self._is_open = False

    @property
    def directory(self) -> Path:
        """Where the journal, the dead letters and `collector.json` are."""
        return self._address.directory

    def start(self) -> Self:
        """Take the store and the ports, and begin to receive."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as undo:
            self._journal = Journal(self.directory / JOURNAL, self.config.journal)
            undo.callback(self._journal.close)
            self._bind(undo)
            undo.pop_all()
        self._drain.start()
        self._grpc.start()
        self._otlp.start()
        self._operations.start()
        self._publish()
        return self

    def _bind(self, undo: ExitStack) -> None:
        config, host = self.config, self.config.host
        letters = self._letters = DeadLetters(self.directory / DEAD_LETTERS)
        self._drain = Drain(
            self._journal,
            self._open_store,
            letters,
            self.counters,
            spans=config.batch_spans,
            seconds=config.batch_seconds,
        )
        intake = Intake(
            self._journal,
            letters,
            self.counters,
            most=config.request_bytes,
            privacy=self._privacy,
            room=Room(config.in_flight_bytes),
        )
        self._drain.on_slow = intake.flatten
        door = self._canary.let_in_by(self._door) if self._canary else self._door
        pace = Pace(self.counters, config.requests_per_second, config.bytes_per_second)
        receiver = http.Receiver(intake, door, body_seconds=config.body_seconds, pace=pace)
        most = config.connections
        self._otlp = Listener("OTLP/HTTP", receiver.application(), host, config.http_port, config.tls, most=most)
        undo.callback(self._otlp.stop)
        self._grpc = grpc.Receiver(intake, door, pace).server(most)
        undo.callback(self._grpc.stop, None)
        named = _named(host)
        grpc_port = self._bind_grpc(f"{named}:{config.grpc_port}")
        health = Health(self.counters, self._journal.backlog, self._troubles, self._faults, self._canary)
        self._health = health
        self._late = LateApplication(
            Starlette(routes=[*health.routes, Route("/{rest:path}", _not_yet, methods=["GET", "POST"])])
        )
        # The commands on this machine need no certificate for a port that nobody else reaches.
        asked = None if is_loopback(config.api_host) else config.tls
        self._operations = Listener("queries", self._late, config.api_host, config.api_port, asked, most=most)
        self.addresses = Addresses(
            api=f"{_scheme(asked)}://{_named(config.api_host)}:{self._operations.port}",
            otlp_http=f"{_scheme(config.tls)}://{named}:{self._otlp.port}",
            otlp_grpc=f"{named}:{grpc_port}",
        )

    def _bind_grpc(self, address: str) -> int:
        tls = self.config.tls
        try:
            if tls is not None:
                return self._grpc.add_secure_port(address, grpc.credentials(tls))
            return self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            config = self.config
            raise PortError(0, port_trouble("OTLP/gRPC", config.host, config.grpc_port, "it is taken")) from error

    def flush(self, timeout: float) -> bool:
        """Have everything accepted so far stored; False if that took too long."""
        return self._journal.flush(timeout)

    def rollup(self, what: Order = "run") -> RollupOutcome:
        """Store what has been accepted, and recompute what it touches."""
        if self._rolling is None:
            raise StoreError("This collector has no rollup.")
        self.flush(self.config.grace_seconds)
        return self._rolling.now(what)

    def delete(self, wanted: Wanted, is_dry: bool = False) -> Deleted:
        """Delete what is kept of a trace, a user or a tenant; only count it where the run is dry."""
        if self._rolling is None:
            raise StoreError("This collector has no rollup, and cannot delete.")
        if is_dry:
            return counted(wanted, self._rolling.count(wanted), self._letters)
        deletion = Deletion(self._journal, self._drain, self._letters, self.config.grace_seconds)
        return deletion.run(wanted, self._rolling.delete)

    def stop(self) -> None:
        """Receive no more, store what was accepted as far as grace allows, and leave the store to others."""
        grace = self.config.grace_seconds
        if self._canary:
            self._canary.stop()
        self._otlp.stop()
        self._grpc.stop(grace=1).wait()
        self._journal.flush(grace)
        self._drain.stop(grace)
        if self._rolling:
            self._rolling.stop(grace)
        self._operations.stop()
        self._closing.close()
        (self.directory / ADDRESS_FILE).unlink(missing_ok=True)
        self._journal.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open_store(self) -> Store:
        """The drain's handle; with it the tables exist, and those who ask can be answered."""
        store = Store.open(self._address)
        try:
            schema.apply(store)
        except BaseException:
            store.close()
            raise
        if self._api:
            asked = self._closing.enter_context(closing(store.sibling()))
            more = [*self._health.routes, *self._sql(store).routes]
            self._late.become(self._api(asked, self.rollup, self._door, delete=self.delete, more=more))
        if self._rolling:
            self._rolling.start(store.sibling())
        if self._canary:
            self._canary.start(self.addresses.otlp_http, store.sibling())
        self._is_open = True
        return store

    def _sql(self, store: Store) -> Endpoint:
        if not self._address.embedded:
            return Endpoint(_ASK_THE_SERVER, self._door)
        reader = Reader(self._address)
        scopes = Scopes(self._closing.enter_context(closing(store.sibling())), reader)
        self._closing.callback(scopes.close)
        return Endpoint(Questions(reader, scopes, self.config.allowance), self._door)

    def _troubles(self) -> list[str]:
        """What an operator should look at, though nothing accepted is lost."""
        troubles = [] if self._is_open else ["The store is not open yet."]
        troubles += [trouble for trouble in (self._door.trouble, self._drain.trouble) if trouble]
        return troubles + ([self._rolling.trouble] if self._rolling and self._rolling.trouble else [])

    def _faults(self) -> list[str]:
        """What only a restart can heal."""
        workers = {
            "the journal's writer": self._journal.is_alive,
            "the journal's drain": self._drain.is_alive,
            "OTLP/HTTP": self._otlp.is_alive,
        }
        return [f"A worker has died: {name}." for name, is_alive in workers.items() if not is_alive]

    def _publish(self) -> None:
        """Tell other processes on this machine where to ask."""
        draft = self.directory / f"{ADDRESS_FILE}.new"
        draft.write_text(json.dumps({"pid": os.getpid(), **asdict(self.addresses)}))
        draft.replace(self.directory / ADDRESS_FILE)


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _scheme(tls: Tls | None) -> str:
    return "https" if tls else "http"


def _not_yet(_request: Request) -> Response:
    """The answer to every question until the store is open."""
    return JSONResponse({"error": "The store is being opened. Ask again."}, 503, {"retry-after": "1"})


def run(collector: Collector, *, tell: Callable[[Addresses], None]) -> None:
    """Keep a collector running until the process is told to stop; `tell` hears where it answers."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    previous = {one: signal.signal(one, stop) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        with collector:
            tell(collector.addresses)
            stopping.wait()
    finally:
        for one, handler in previous.items():
            signal.signal(one, handler)
