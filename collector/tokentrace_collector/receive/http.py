"""OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics, in protobuf or JSON, plain or compressed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from tokentrace_collector.access import Door, ForbiddenError, RefusedError
from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.listener import CERTIFICATE
from tokentrace_collector.otlp import compression
from tokentrace_collector.receive.intake import RETRY_SECONDS, Intake, Receipt
from tokentrace_collector.receive.pace import Pace, TooFastError
from tokentrace_collector.receive.room import Claim, FullError
from tokentrace_collector.receive.signals import (
    LOGS,
    METRICS,
    NO_METRICS,
    TRACES,
    Signal,
    data_points,
    data_points_json,
)
from tokentrace_collector.receive.status import Code, encoded

PROTOBUF, JSON = "application/x-protobuf", "application/json"

_INLINE = 256 << 10
"""Bodies up to this size are judged on the event loop; a larger one would hold up the others."""

_INLINE_COMPRESSED = _INLINE // 8
_AT_ONCE = 2
"""Large bodies that are judged at the same time; each may take many times its size."""

_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": str(RETRY_SECONDS)},
    503: {"Retry-After": str(RETRY_SECONDS)},
}

_ANSWERS: Mapping[type[Exception], tuple[int, Code]] = {
    ForbiddenError: (403, Code.PERMISSION_DENIED),
    RefusedError: (401, Code.UNAUTHENTICATED),
    TooFastError: (429, Code.RESOURCE_EXHAUSTED),
    FullError: (429, Code.RESOURCE_EXHAUSTED),
    JournalError: (503, Code.UNAVAILABLE),
    compression.TooLargeError: (413, Code.INVALID_ARGUMENT),
    Exception: (400, Code.INVALID_ARGUMENT),
}
"""What an error is answered with; the first kind that it is counts."""

Endpoint: TypeAlias = Callable[[bytes, str, str, str], Awaitable[Response]]
"""Answers a body, by its encoding, its content type and the tenant whose it is."""
Result = TypeVar("Result")


class RefusalError(Exception):
    """A request that is not answered with success: the HTTP status, gRPC's code for it, and the reason."""

    def __init__(self, status: int, code: Code, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Receiver:
    """The endpoints of OTLP/HTTP."""

    def __init__(self, intake: Intake, door: Door, *, body_seconds: float, pace: Pace | None = None) -> None:
        self._intake = intake
        self._door = door
        self._pace = pace or Pace(intake.counters)
        self._patience = body_seconds
        self._heavy = asyncio.Semaphore(_AT_ONCE)

    def application(self) -> Starlette:
        """The ASGI application."""
        endpoints = {
            "/v1/traces": self._stored(TRACES),
            "/v1/logs": self._stored(LOGS),
            "/v1/metrics": self._metrics,
        }
        routes = [Route(path, self._answering(endpoint), methods=["POST"]) for path, endpoint in endpoints.items()]
        return Starlette(routes=routes)

    def _stored(self, signal: Signal) -> Endpoint:
        async def endpoint(sent: bytes, encoding: str, content_type: str, tenant: str) -> Response:
            take = partial(self._intake.take, signal, tenant=tenant, is_json=content_type == JSON)
            receipt = await self._judged(take, sent, encoding)
            if receipt.kept:
                await asyncio.wrap_future(receipt.kept)
            self._intake.count(receipt)
            return Response(receipt.answer_json if content_type == JSON else receipt.answer, media_type=content_type)

        return endpoint

    async def _judged(self, take: Callable[[bytes, str], Receipt], sent: bytes, encoding: str) -> Receipt:
        if not self._intake.is_slow and len(sent) <= (_INLINE_COMPRESSED if encoding else _INLINE):
            return take(sent, encoding)
        async with self._heavy:
            return await asyncio.to_thread(take, sent, encoding)

    async def _metrics(self, sent: bytes, encoding: str, content_type: str, _tenant: str) -> Response:
        plain = compression.inflated(sent, encoding, most=self._intake.most)
        count = (data_points_json if content_type == JSON else data_points)(plain)
        self._intake.counters.add(metrics_not_stored=count)
        answer = METRICS.answer_json if content_type == JSON else METRICS.answer
        return Response(answer(count, NO_METRICS), media_type=content_type)

    def _answering(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            try:
                # Before the body is read: who may not send takes up no room.
                certificate = request.scope.get(CERTIFICATE, ())
                grant = self._door.admit("send", request.headers.get("authorization", ""), certificate)
                self._pace.enter(grant)
                encoding = _understood(request, content_type)
                with self._intake.room.claim() as claim:
                    sent = await self._read(request, claim)
                    self._pace.spend(grant, len(sent))
                    return await endpoint(sent, encoding, content_type, grant.tenant)
            except (RefusedError, RefusalError, JournalError, TooFastError, FullError, ValueError) as error:
                return _refused(error, content_type)
            except asyncio.CancelledError:
                # A stopping server cancels what outlasts its grace, and would answer 500, which nobody sends again.
                return _refused(
                    RefusalError(503, Code.UNAVAILABLE, "The collector is stopping. Come again."), content_type
                )

        return answer

    async def _read(self, request: Request, claim: Claim) -> bytes:
        """The body as sent, which takes up room."""
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._patience):
                async for part in request.stream():
                    parts.append(part)
                    claim.grow(len(part))
                    if claim.size > self._intake.most:
                        raise compression.TooLargeError(
                            f"The request is larger than {self._intake.most} bytes. Send fewer spans."
                        )
        except TimeoutError as error:
            raise RefusalError(408, Code.DEADLINE_EXCEEDED, "The body took too long to come.") from error
        except ClientDisconnect as error:
            raise RefusalError(400, Code.CANCELLED, "The sender went away.") from error
        except FullError:
            self._intake.counters.add(requests_refused=1)
            raise
        return b"".join(parts)


def _understood(request: Request, content_type: str) -> str:
    """The encoding of a request that we can read."""
    if content_type not in (PROTOBUF, JSON):
        raise RefusalError(415, Code.INVALID_ARGUMENT, f"Send {PROTOBUF} or {JSON}, not {content_type!r}.")
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in compression.ENCODINGS:
        known = ", ".join(name for name in compression.ENCODINGS if name)
        raise RefusalError(415, Code.INVALID_ARGUMENT, f"Send one of the encodings {known}, not {encoding!r}.")
    return encoding


def _refused(error: Exception, content_type: str) -> Response:
    """A google.rpc.Status in the sender's own content type."""
    refusal = _as_refusal(error)
    headers = _HEADERS.get(refusal.status, {})
    if isinstance(error, TooFastError):
        headers = {"Retry-After": str(error.seconds)}
    if content_type == JSON:
        content = orjson.dumps({"code": refusal.code, "message": str(refusal)})
        return Response(content, refusal.status, headers, media_type=JSON)
    return Response(encoded(refusal.code, str(refusal)), refusal.status, headers, media_type=PROTOBUF)


def _as_refusal(error: Exception) -> RefusalError:
    if isinstance(error, RefusalError):
        return error
    status, code = next(answer for kind, answer in _ANSWERS.items() if isinstance(error, kind))
    return RefusalError(status, code, str(error))
