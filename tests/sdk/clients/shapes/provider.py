"""A provider that answers what it was told to, below the real client and above no network."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

SSE = {"content-type": "text/event-stream"}
AT_ONCE = {"retry_after_ms": "1"}
"""Makes a client try again without a pause worth the name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response, or its absence."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: tuple[bytes, ...] = ()
    lost: str | None = None
    """`timeout`, `reset` or `interrupt`: no response at all, or none beyond `parts`."""
    hangs: bool = False
    """Nothing comes after `parts`, ever."""


def reply(body: Any, status: int = 200, **headers: str) -> Answer:
    """A complete JSON response."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json"} | names, (json.dumps(body).encode(),))


def stream(events: Sequence[bytes], *, lost: str | None = None, hangs: bool = False) -> Answer:
    """A streamed response, one event per part."""
    return Answer(200, SSE, tuple(events), lost, hangs)


def refused(status: int, **headers: str) -> Answer:
    """An error of the provider, in the shape that all of them understand."""
    error = {"type": "error", "message": f"status {status}", "code": status, "status": "REFUSED"}
    return reply({"type": "error", "error": error}, status, **headers)


def lost(how: str) -> Answer:
    """No response: `timeout`, `reset` or `interrupt`."""
    return Answer(lost=how)


HANGS = Answer(hangs=True)


def http_of(package: str) -> ModuleType:
    """The HTTP library that a client package of this environment is built on: httpx2, or httpx before it."""
    module = importlib.import_module(package)
    return getattr(module, "httpx2", None) or importlib.import_module("httpx")


@dataclass(slots=True)
class Provider:
    """Gives its answers in turn, the last one for ever, and remembers what it was asked."""

    answers: Sequence[Answer]
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the application waits for something that will never come."""
    hangs: threading.Event = field(default_factory=threading.Event)
    """The same for a provider on loopback, whose threads are none of the loop's."""
    go_on: threading.Event = field(default_factory=threading.Event)
    """Set once the application has read the parts of an answer after which its connection is lost on loopback."""

    def take(self, request: Any) -> Answer:
        """The answer to this request."""
        body = json.loads(request.content) if request.content else None
        return self.answer(request.method, request.url.raw_path.decode(), body)

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """The answer to a request that asks this."""
        self.asked.append((method, path, body))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]

    def transport(self, http: ModuleType) -> Any:
        """This provider as a transport of `http`."""
        provider = self

        class Transport(http.BaseTransport):
            asked_of = provider

            def handle_request(self, request: Any) -> Any:
                request.read()
                answer = provider.take(request)
                if answer.lost and not answer.parts:
                    raise _error(http, answer.lost, request)
                return http.Response(answer.status, headers=answer.headers, stream=_bytes(http, answer, request))

        return Transport()

    def async_transport(self, http: ModuleType) -> Any:
        """This provider as an asynchronous transport of `http`."""
        provider = self

        class Transport(http.AsyncBaseTransport):
            asked_of = provider

            async def handle_async_request(self, request: Any) -> Any:
                await request.aread()
                answer = provider.take(request)
                if answer.lost and not answer.parts:
                    raise _error(http, answer.lost, request)
                if answer.hangs and not answer.parts:
                    await provider.forever()
                body = _async_bytes(http, answer, request, provider)
                return http.Response(answer.status, headers=answer.headers, stream=body)

        return Transport()

    async def forever(self) -> None:
        """Say that the application waits, and let it."""
        self.reached.set()
        await asyncio.Event().wait()


def _error(http: ModuleType, how: str, request: Any) -> BaseException:
    if how == "interrupt":
        return KeyboardInterrupt()
    if how == "timeout":
        return http.ReadTimeout("timed out", request=request)
    return http.ReadError("connection reset by peer", request=request)


def _bytes(http: ModuleType, answer: Answer, request: Any) -> Any:
    class Bytes(http.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from answer.parts
            if answer.lost:
                raise _error(http, answer.lost, request)

    return Bytes()


def _async_bytes(http: ModuleType, answer: Answer, request: Any, provider: Provider) -> Any:
    class Bytes(http.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in answer.parts:
                yield part
            if answer.hangs:
                await provider.forever()
            if answer.lost:
                raise _error(http, answer.lost, request)

    return Bytes()
