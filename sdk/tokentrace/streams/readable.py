"""Bodies that the application reads like a file, whenever and however it likes, while a listener reads along."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from tokentrace.guard import log, quietly
from tokentrace.streams.tap import AsyncPartTap, Listener, PartTap, how

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


@contextmanager
def _watched(listener: Listener) -> Generator[None]:
    try:
        yield
    except BaseException as error:
        listener.end(how(error), error)
        raise


def _asked(method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """How much was asked for: a negative number for everything."""
    sizes = [size for size in (*args[:1], kwargs.get("amt"), kwargs.get("n"), kwargs.get("size")) if size is not None]
    return sizes[0] if sizes else (-1 if method == "read" else 1)


def _heard(listener: Listener, data: bytes, asked: Any) -> None:
    with quietly("reading a body"):
        if data:
            listener.part(data)
        if asked < 0 or (not data and asked):
            listener.end("complete")


class ReadTap(PartTap):
    """A file of bytes; iterated, it gives its lines."""

    def read(self, *args: Any, **kwargs: Any) -> bytes:
        """Read so many bytes, or all."""
        return self._self_read("read", args, kwargs)

    def read1(self, *args: Any, **kwargs: Any) -> bytes:
        """Read what is there."""
        return self._self_read("read1", args, kwargs)

    def readline(self, *args: Any, **kwargs: Any) -> bytes:
        """Read a line."""
        return self._self_read("readline", args, kwargs)

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        with _watched(self._self_listener):
            size: int = self.__wrapped__.readinto(buffer)
        view = memoryview(buffer).cast("B")
        _heard(self._self_listener, bytes(view[:size]), len(view))
        return size

    def readlines(self, *hint: int) -> list[bytes]:
        """Read all lines."""
        with _watched(self._self_listener):
            lines: list[bytes] = self.__wrapped__.readlines(*hint)
        _heard(self._self_listener, b"".join(lines), 1 if hint else -1)
        return lines

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read piece by piece, as urllib3 does."""
        yield from PartTap(self.__wrapped__.stream(*args, **kwargs), self._self_listener)

    def _self_read(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        with _watched(self._self_listener):
            data: bytes = getattr(self.__wrapped__, method)(*args, **kwargs)
        _heard(self._self_listener, data, _asked(method, args, kwargs))
        return data


class AsyncReadTap(AsyncPartTap):
    """A file of bytes that is awaited, like the `StreamReader` of asyncio and aiohttp."""

    async def read(self, *args: Any, **kwargs: Any) -> bytes:
        """Read so many bytes, or all."""
        return await self._self_read("read", args, kwargs)

    async def readany(self) -> bytes:
        """Read what is there."""
        return await self._self_read("readany", (), {})

    async def readline(self, *args: Any, **kwargs: Any) -> bytes:
        """Read a line."""
        return await self._self_read("readline", args, kwargs)

    async def _self_read(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        with _watched(self._self_listener):
            data: bytes = await getattr(self.__wrapped__, method)(*args, **kwargs)
        _heard(self._self_listener, data, _asked(method, args, kwargs))
        return data
