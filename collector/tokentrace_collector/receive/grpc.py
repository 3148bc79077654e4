"""OTLP over gRPC: the Export methods, taking raw bytes, because gRPC's own decoding tells senders the wrong thing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NoReturn, TypeAlias, cast

import grpc

from tokentrace_collector.access import Door, ForbiddenError, Grant, RefusedError
from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.receive import status
from tokentrace_collector.receive.intake import RETRY_SECONDS, Intake
from tokentrace_collector.receive.pace import Pace, TooFastError
from tokentrace_collector.receive.room import FullError
from tokentrace_collector.receive.signals import LOGS, METRICS, NO_METRICS, TRACES, Signal, data_points
from tokentrace_collector.tls import Tls, TlsError

_WORKERS = 8
_STREAMS = 64
"""Requests that one connection may have under way."""

_IDLE_MS = 300_000

Export: TypeAlias = Callable[[bytes, grpc.ServicerContext], bytes]
"""Answers a request."""


class Receiver:
    """The services of OTLP/gRPC."""

    def __init__(self, intake: Intake, door: Door, pace: Pace | None = None) -> None:
        self._intake = intake
        self._door = door
        self._pace = pace or Pace(intake.counters)

    def server(self, calls: int | None = None) -> grpc.Server:
        """A server of them, not yet bound to a port; it lets so many calls wait or be under way."""
        options = [
            # Beyond its limit gRPC answers RESOURCE_EXHAUSTED, which exporters retry in vain; so we refuse before it.
            ("grpc.max_receive_message_length", 2 * self._intake.most),
            ("grpc.max_concurrent_streams", _STREAMS),
            ("grpc.max_connection_idle_ms", _IDLE_MS),
            ("grpc.so_reuseport", 0),
        ]
        workers = ThreadPoolExecutor(_WORKERS, "otlp-grpc")
        made: grpc.Server = grpc.server(workers, options=options, maximum_concurrent_rpcs=calls)
        made.add_generic_rpc_handlers(
            (
                *(_service(signal.service, self._stored(signal)) for signal in (TRACES, LOGS)),
                _service(METRICS.service, self._metrics),
            )
        )
        return made

    def _stored(self, signal: Signal) -> Export:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            grant = self._admitted(context, len(body))
            try:
                with self._held(body):
                    receipt = self._intake.take(signal, body, tenant=grant.tenant)  # Refuses what is too large, too.
                    if receipt.kept:
                        receipt.kept.result()
            except (JournalError, FullError, ValueError) as error:
                _refuse(error, context)
            self._intake.count(receipt)
            return receipt.answer

        return export

    def _metrics(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        self._admitted(context, len(body))
        try:
            with self._held(body):
                count = data_points(body)
        except (FullError, ValueError) as error:
            _refuse(error, context)
        self._intake.counters.add(metrics_not_stored=count)
        return METRICS.answer(count, NO_METRICS)

    @contextmanager
    def _held(self, body: bytes) -> Generator[None]:
        """A body takes up room as long as it is under way."""
        with self._intake.room.claim() as claim:
            try:
                claim.grow(len(body))
            except FullError:
                self._intake.counters.add(requests_refused=1)
                raise
            yield

    def _admitted(self, context: grpc.ServicerContext, size: int) -> Grant:
        """Who sends; else the call ends here, before anything of it is decoded."""
        metadata = {str(key): value for key, value in context.invocation_metadata()}
        authorization, certificate = metadata.get("authorization", ""), _shown(context)
        try:
            grant = self._door.admit("send", authorization if isinstance(authorization, str) else "", certificate)
            self._pace.enter(grant)
        except RefusedError as error:
            is_known = isinstance(error, ForbiddenError)
            code = grpc.StatusCode.PERMISSION_DENIED if is_known else grpc.StatusCode.UNAUTHENTICATED
            context.abort(code, str(error))
        except TooFastError as error:
            _send_away(
                grpc.StatusCode.RESOURCE_EXHAUSTED, status.Code.RESOURCE_EXHAUSTED, str(error), error.seconds, context
            )
        self._pace.spend(grant, size)
        return grant


def _shown(context: grpc.ServicerContext) -> list[str]:
    """The names in the certificate of the connection."""
    told = cast("Mapping[str, Iterable[bytes]]", context.auth_context())
    names = [*told.get("x509_subject_alternative_name", ()), *told.get("x509_common_name", ())]
    return [name.decode("utf-8", "replace") for name in names]


def credentials(tls: Tls) -> grpc.ServerCredentials:
    """The certificate of a server, read again where its files have changed."""
    stamp = tls.stamp

    def renewed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal stamp
        if (now := tls.stamp) == stamp:
            return None
        stamp = now
        try:
            return _configuration(tls)
        except (OSError, TlsError):
            # Half written; the one before goes on until the files change again.
            return None

    # Its types do not know what its documentation says: None where nothing has changed.
    fetch = cast("Callable[[], grpc.ServerCertificateConfiguration]", renewed)
    return grpc.dynamic_ssl_server_credentials(_configuration(tls), fetch, tls.client_ca is not None)


def _configuration(tls: Tls) -> grpc.ServerCertificateConfiguration:
    key, chain, authority = tls.pem()
    return grpc.ssl_server_certificate_configuration([(key, chain)], authority)


def _service(name: str, export: Export) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(name, {"Export": grpc.unary_unary_rpc_method_handler(export)})


def _refuse(error: Exception, context: grpc.ServicerContext) -> NoReturn:
    """End the call with the status that makes an exporter come again, or give up, as it should."""
    message = str(error)
    if isinstance(error, FullError):
        exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED, status.Code.RESOURCE_EXHAUSTED
        _send_away(*exhausted, message, RETRY_SECONDS, context)
    if not isinstance(error, JournalError):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
    _send_away(grpc.StatusCode.UNAVAILABLE, status.Code.UNAVAILABLE, message, RETRY_SECONDS, context)


def _send_away(
    code: grpc.StatusCode, said: status.Code, message: str, seconds: int, context: grpc.ServicerContext
) -> NoReturn:
    """End the call, and say when to come again."""
    # Some exporters read the one, some the other.
    context.set_trailing_metadata(
        (
            ("google.rpc.retryinfo-bin", status.retry_info(seconds)),
            (
                "grpc-status-details-bin",
                status.encoded(said, message, retry_seconds=seconds),
            ),
        )
    )
    context.abort(code, message)
