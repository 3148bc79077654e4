"""Streams that pass unchanged while the meter reads along.

The span ends once: when the stream is read to its end, breaks, is closed, or is dropped unread.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Generator
from inspect import isasyncgen, isawaitable, isgenerator
from typing import Any, Protocol, Self

import wrapt


class Listener(Protocol):
    """Who reads along. No method raises."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    def part(self, part: Any, /) -> None: ...

    def end(self, how: str | None, error: BaseException | None = None) -> None: ...


def how(error: BaseException) -> str:
    """How a stream ended that raised."""
    # No library's cancellation is an `Exception`: asyncio's, trio's, gevent's, Ctrl-C.
    return "failed" if isinstance(error, Exception) else "cancelled"


class _Tap(wrapt.ObjectProxy[Any]):
    """What every tap is: the stream itself, and whoever reads along."""

    def __init__(self, stream: Any, listener: Listener) -> None:
        super().__init__(stream)
        self._self_listener = listener

    def __del__(self) -> None:
        self._self_listener.end(None)


class _SyncTap(_Tap):
    def close(self) -> None:
        try:
            self.__wrapped__.close()
        finally:
            self._self_listener.end("closed")


class _AsyncTap(_Tap):
    async def aclose(self) -> None:
        try:
            await self.__wrapped__.aclose()
        finally:
            self._self_listener.end("closed")


class ByteTap(_SyncTap):
    """The byte stream of an httpx or httpx2 response."""

    def __iter__(self) -> Generator[bytes]:
        listener = self._self_listener
        try:
            for chunk in self.__wrapped__:
                listener.part(chunk)
                yield chunk
        except GeneratorExit:
            # Nobody can begin again; some clients keep a response that was left open for as long as they live.
            listener.end(None)
            raise
        except BaseException as error:
            listener.end(how(error), error)
            raise
        listener.end("complete")


class AsyncByteTap(_AsyncTap):
    """`ByteTap` for an asynchronous response."""

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        listener = self._self_listener
        try:
            async for chunk in self.__wrapped__:
                listener.part(chunk)
                yield chunk
        except GeneratorExit:
            # Nobody can begin again; some clients keep a response that was left open for as long as they live.
            listener.end(None)
            raise
        except BaseException as error:
            listener.end(how(error), error)
            raise
        listener.end("complete")


class PartTap(_SyncTap):
    """An iterable of parsed parts: a generator, or a stream of a library's own."""

    _self_parts: Any = None
    _self_reads = True

    def __iter__(self) -> Any:
        return self

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *left: object) -> Any:
        try:
            return self.__wrapped__.__exit__(*left)
        finally:
            self._self_listener.end("closed")

    def __next__(self) -> Any:
        listener = self._self_listener
        if self._self_parts is None:
            self._self_parts = iter(self.__wrapped__)
        # The requests of a generator are sent while it is read, not when it is made.
        listener.enter()
        try:
            part = next(self._self_parts)
        except StopIteration:
            listener.end("complete")
            raise
        except BaseException as error:
            listener.end(how(error), error)
            raise
        finally:
            listener.leave()
        if self._self_reads:
            listener.part(part)
        return part


class AsyncPartTap(_AsyncTap):
    """`PartTap` for what is iterated asynchronously."""

    _self_parts: Any = None
    _self_reads = True

    def __aiter__(self) -> Any:
        return self

    async def __aenter__(self) -> Self:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *left: object) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*left)
        finally:
            self._self_listener.end("closed")

    def close(self) -> Any:
        closing = self.__wrapped__.close()
        if isawaitable(closing):
            return self._self_closed(closing)
        self._self_listener.end("closed")
        return closing

    async def _self_closed(self, closing: Awaitable[Any]) -> Any:
        try:
            return await closing
        finally:
            self._self_listener.end("closed")

    async def __anext__(self) -> Any:
        listener = self._self_listener
        if self._self_parts is None:
            self._self_parts = aiter(self.__wrapped__)
        listener.enter()
        try:
            part = await anext(self._self_parts)
        except StopAsyncIteration:
            listener.end("complete")
            raise
        except BaseException as error:
            listener.end(how(error), error)
            raise
        finally:
            listener.leave()
        if self._self_reads:
            listener.part(part)
        return part


class StepTap(PartTap):
    """A generator that makes the call while it is read, where the bytes beneath tell what its parts say."""

    _self_reads = False


class AsyncStepTap(AsyncPartTap):
    """`StepTap` for an asynchronous generator."""

    _self_reads = False


class ManagerTap(_Tap):
    """A context manager that makes the call when it is entered, and gives a response whose bytes are read."""

    def __enter__(self) -> Any:
        listener = self._self_listener
        listener.enter()
        try:
            return self.__wrapped__.__enter__()
        except BaseException as error:
            listener.end(how(error), error)
            raise
        finally:
            listener.leave()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> Any:
        try:
            return self.__wrapped__.__exit__(kind, error, traceback)
        finally:
            self._self_listener.end("closed" if error is None else how(error), error)


class AsyncManagerTap(_Tap):
    """`ManagerTap` for an asynchronous context manager."""

    async def __aenter__(self) -> Any:
        listener = self._self_listener
        listener.enter()
        try:
            return await self.__wrapped__.__aenter__()
        except BaseException as error:
            listener.end(how(error), error)
            raise
        finally:
            listener.leave()

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> Any:
        try:
            return await self.__wrapped__.__aexit__(kind, error, traceback)
        finally:
            self._self_listener.end("closed" if error is None else how(error), error)


def steps(result: Any, listener: Listener) -> Any:
    """A generator that makes the call, with a listener who is told of its steps; None for anything else."""
    if isasyncgen(result):
        return AsyncStepTap(result, listener)
    return StepTap(result, listener) if isgenerator(result) else None


def manager(result: Any, listener: Listener) -> Any:
    """A context manager that makes the call, with a listener."""
    return (AsyncManagerTap if hasattr(result, "__aenter__") else ManagerTap)(result, listener)


def parts(result: Any, listener: Listener) -> Any:
    """A result that is itself the stream, with a listener who reads along; None where it is none."""
    if hasattr(result, "__aiter__"):
        return AsyncPartTap(result, listener)
    return PartTap(result, listener) if hasattr(result, "__iter__") else None
