"""Takes out of a stream what was asked for without the application: the usage, and its mention in passing."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from typing import Any

from tokentrace.guard import quietly
from tokentrace.streams.tap import AsyncByteTap, ByteTap, Listener
from tokentrace.usage.reading import mapping

_END = re.compile(rb"\r?\n\r?\n")
_USAGE = b'"usage"'
# A comma and a bare quotation mark never stand so inside of a text: there the mark would have a backslash before it.
_NO_USAGE = re.compile(rb',\s*"usage"\s*:\s*null')


class Sieve:
    """Server-sent events of chat completions, in any pieces, without what `include_usage` adds to them."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> bytes:
        """What the application gets of the events that end in this piece; the rest comes with the next."""
        block, at = self._pending + data, 0
        kept: list[bytes] = []
        for end in _END.finditer(block):
            kept.append(_sifted(block[at : end.end()]))
            at = end.end()
        self._pending = block[at:]
        return b"".join(kept)

    def end(self) -> bytes:
        """What is left, where the stream ends in the middle of an event."""
        rest, self._pending = self._pending, b""
        return rest


def _sifted(event: bytes) -> bytes:
    if _USAGE not in event:
        return event
    for line in event.splitlines():
        if line.startswith(b"data:"):
            with suppress(ValueError):
                told = mapping(json.loads(line[5:]))
                # Azure begins with a chunk without choices too, which has no usage.
                if told.get("usage") and not told.get("choices"):
                    return b""
    return _NO_USAGE.sub(b"", event)


class SiftedByteTap(ByteTap):
    """A byte stream of which the listener hears everything, and the application what it asked for."""

    def __init__(self, stream: Any, listener: Listener) -> None:
        super().__init__(stream, listener)
        self._self_sieve = Sieve()

    def __iter__(self) -> Generator[bytes]:
        sieve = self._self_sieve
        with closing(super().__iter__()) as chunks:
            for chunk in chunks:
                if kept := _passed(sieve, chunk):
                    yield kept
        if rest := sieve.end():
            yield rest


class AsyncSiftedByteTap(AsyncByteTap):
    """`SiftedByteTap` for an asynchronous response."""

    def __init__(self, stream: Any, listener: Listener) -> None:
        super().__init__(stream, listener)
        self._self_sieve = Sieve()

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        sieve = self._self_sieve
        async with aclosing(super().__aiter__()) as chunks:
            async for chunk in chunks:
                if kept := _passed(sieve, chunk):
                    yield kept
        if rest := sieve.end():
            yield rest


def _passed(sieve: Sieve, chunk: bytes) -> bytes:
    with quietly("taking the usage out of a stream"):
        return sieve.feed(chunk)
    return sieve.end() + chunk
