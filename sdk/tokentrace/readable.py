"""Bodies that the application reads like a file, whenever and however it likes, while a listener reads along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from tokentrace.guard import log
from tokentrace.tap import AsyncPartTap, Listener, PartTap, how

LIMIT = 32 * 1024 * 1024
"""Bytes of a body that are kept for reading; a longer one is not read."""


class Gathered:
    """A listener to whom one document passes in pieces; the one behind it hears it whole, when it is over."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._kept: list[bytes] = []
        self._size = 0

    def enter(self) -> None:
        """What runs now is part of the call."""
        self._listener.enter()

    def leave(self) -> None:
        """What runs now is the application again."""
        self._listener.leave()

    def part(self, part: bytes, /) -> None:
        """Keep a piece."""
        self._size += len(part)
        if self._size <= LIMIT:
            self._kept.append(part)
        elif self._kept:
            log.warning("A response of more than %d bytes is not read.", LIMIT)
            self._kept = []

    def end(self, how: str | None, error: BaseException | None = None) -> None:
        """There is no more, or the application wants no more."""
        if self._kept:
            whole, self._kept = b"".join(self._kept), []
            self._listener.part(whole)
        self._listener.end(how, error)


def _reading(method: str) -> Callable[..., bytes]:
    def read(self: ReadTap, *args: Any, **kwargs: Any) -> bytes:
        listener = self._self_listener
        try:
            data: bytes = getattr(self.__wrapped__, method)(*args, **kwargs)
        except BaseException as error:
            listener.end(how(error), error)
            raise
        _heard(listener, data, is_last=_is_last(method, args, kwargs, data))
        return data

    return read


def _awaiting(method: str) -> Callable[..., Awaitable[bytes]]:
    async def read(self: AsyncReadTap, *args: Any, **kwargs: Any) -> bytes:
        listener = self._self_listener
        try:
            data: bytes = await getattr(self.__wrapped__, method)(*args, **kwargs)
        except BaseException as error:
            listener.end(how(error), error)
            raise
        _heard(listener, data, is_last=_is_last(method, args, kwargs, data))
        return data

    return read


def _is_last(method: str, args: tuple[Any, ...], kwargs: dict[str, Any], data: bytes) -> bool:
    """Whether nothing can follow: all was asked for, or there was nothing left."""
    amount = next(iter((*args, *kwargs.values())), None)
    unlimited = amount is None or amount < 0
    return (unlimited and method == "read") or (not data and amount != 0)


def _heard(listener: Listener, data: bytes, *, is_last: bool) -> None:
    if data:
        listener.part(data)
    if is_last:
        listener.end("complete")


class ReadTap(PartTap):
    """A file of bytes; iterated, it gives its lines."""

    read = _reading("read")
    read1 = _reading("read1")
    readline = _reading("readline")

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readlines(self, *hint: int) -> list[bytes]:
        """Read all lines."""
        lines: list[bytes] = self.__wrapped__.readlines(*hint)
        _heard(self._self_listener, b"".join(lines), is_last=not hint)
        return lines

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read piece by piece, as urllib3 does."""
        yield from PartTap(self.__wrapped__.stream(*args, **kwargs), self._self_listener)


class AsyncReadTap(AsyncPartTap):
    """A file of bytes that is awaited, like the `StreamReader` of asyncio and aiohttp."""

    read = _awaiting("read")
    readany = _awaiting("readany")
    readline = _awaiting("readline")
