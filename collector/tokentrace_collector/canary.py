"""A trace of our own that takes the whole way, again and again: in at the door of OTLP, and out of the books."""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector.access import Door, Grant, Right
from tokentrace_collector.store.database import Store, StoreError
from tokentrace_collector.tenants import CANARY
from tokentrace_collector.tls import Tls

MEANINGS: Mapping[str, tuple[str, str]] = {
    "successes_total": ("counter", "Canaries that came out of the books."),
    "failures_total": ("counter", "Canaries that were not taken, or did not come out in time."),
    "last_success_age_seconds": ("gauge", "Since one came out; since the start where none has yet."),
    "latency_seconds": ("gauge", "From sending the last one that came out to reading it."),
}
"""Every figure there is, and what it tells; its name is preceded by `tokentrace_canary_`."""

_LOOKS_EVERY = 0.1
_OUT = """
SELECT 1
FROM tcoai_by_trace
WHERE tenant = {tenant:String} AND day >= today() - 1 AND trace_id = {trace:String}
LIMIT 1
"""
_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "tokentrace",
    "gen_ai.response.model": "canary",
    "tokentrace.usage.scope": "call",
    "tokentrace.usage.source": "reported",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What has become of the canaries so far."""

    successes: int = 0
    failures: int = 0
    came_at: float | None = None
    """When the last one came out, by the monotonic clock."""
    latency: float | None = None
    trouble: str = ""
    """Why the last one failed; empty if it did not."""


class Canary:
    """Sends the canaries, one after the other, and looks out for them."""

    def __init__(self, seconds: float, tls: Tls | None) -> None:
        """One every so many seconds; it has failed when the next one is due."""
        self._seconds = seconds
        self._tls = tls
        self._token = secrets.token_urlsafe(32)
        self._began = time.monotonic()
        self._state = State()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def let_in_by(self, door: Door) -> Door:
        """A door that also lets in the canaries, and nobody else as their tenant."""
        return _CanaryDoor(door, f"Bearer {self._token}")

    def start(self, endpoint: str, store: Store) -> None:
        """Begin: where OTLP/HTTP is answered, and a handle that is ours from now on."""
        self._thread = threading.Thread(target=self._run, args=(endpoint, store), name="canary", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more; one that is under way is left alone."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    @property
    def trouble(self) -> str:
        """Why the last one failed; empty if it did not."""
        return self._state.trouble

    def figures(self) -> dict[str, float]:
        """The figures of `MEANINGS` now; the latency only once there is one."""
        state = self._state
        since = self._began if state.came_at is None else state.came_at
        told: dict[str, float] = {"successes_total": state.successes, "failures_total": state.failures}
        told["last_success_age_seconds"] = time.monotonic() - since
        return told if state.latency is None else told | {"latency_seconds": state.latency}

    def _run(self, endpoint: str, store: Store) -> None:
        with closing(store):
            while not self._stopping.is_set():
                began = time.monotonic()
                try:
                    out = self._fly(endpoint, store, began + self._seconds)
                except (OSError, HTTPException, StoreError) as error:
                    self._fail(f"The canary failed: {error}")
                else:
                    self._conclude(began, is_out=out)
                self._stopping.wait(max(0.0, began + self._seconds - time.monotonic()))

    def _fly(self, endpoint: str, store: Store, until: float) -> bool:
        trace_id = secrets.token_bytes(16)
        _send(endpoint, _request(trace_id), self._token, self._tls)
        while not store.query(_OUT, tenant=CANARY, trace=trace_id.hex()):
            if time.monotonic() > until or self._stopping.wait(_LOOKS_EVERY):
                return False
        return True

    def _conclude(self, began: float, *, is_out: bool) -> None:
        now = time.monotonic()
        if is_out:
            self._state = replace(
                self._state, successes=self._state.successes + 1, came_at=now, latency=now - began, trouble=""
            )
        elif not self._stopping.is_set():
            self._fail(f"A canary was accepted and did not come out of the books within {self._seconds:g} s.")

    def _fail(self, trouble: str) -> None:
        self._state = replace(self._state, failures=self._state.failures + 1, trouble=trouble)
        _log.warning("%s", trouble)


class _CanaryDoor:
    """Lets in canaries, by a secret that never leaves this process, and whom the door behind it does."""

    def __init__(self, door: Door, authorization: str) -> None:
        self._door = door
        self._authorization = authorization
        self._grant = Grant("canary", CANARY, frozenset({"send"}))

    def admit(self, right: Right, authorization: str, certificate: Sequence[str]) -> Grant:
        if right == "send" and secrets.compare_digest(authorization.encode(), self._authorization.encode()):
            return self._grant
        return self._door.admit(right, authorization, certificate)

    @property
    def asks(self) -> bool:
        """As the door behind it."""
        return self._door.asks

    @property
    def trouble(self) -> str:
        return self._door.trouble


def _request(trace_id: bytes) -> bytes:
    """A call of one token in and one out, which cost nothing: priced, so that no figure says otherwise."""
    now = time.time_ns()
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    scope.scope.name = "tokentrace"
    span = scope.spans.add(trace_id=trace_id, span_id=secrets.token_bytes(8), name="canary", kind=Span.SPAN_KIND_CLIENT)
    span.start_time_unix_nano = span.end_time_unix_nano = now
    for name, text in _CALL.items():
        span.attributes.add(key=name).value.string_value = text
    for bucket in ("input", "output"):
        span.attributes.add(key=f"tokentrace.usage.{bucket}").value.int_value = 1
    span.attributes.add(key="tokentrace.cost.reported").value.string_value = "0"
    return request.SerializeToString()


def _send(endpoint: str, body: bytes, token: str, tls: Tls | None) -> None:
    where = urlsplit(endpoint)
    headers = {"Content-Type": "application/x-protobuf", "Authorization": f"Bearer {token}"}
    with closing(_connection(where.hostname or "", where.port or 0, tls)) as connection:
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        answer.read()
    if answer.status != HTTPStatus.OK:
        raise HTTPException(f"{endpoint} answered {answer.status} {answer.reason}")


def _connection(host: str, port: int, tls: Tls | None) -> HTTPConnection:
    if tls is None:
        return HTTPConnection(host, port, timeout=10)
    # Whoever has the key of this very certificate is the collector, by whatever name others reach it.
    context = ssl.create_default_context(cafile=tls.certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return HTTPSConnection(host, port, timeout=10, context=context)
