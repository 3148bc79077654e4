"""How an application reads a stream, step by step."""

from __future__ import annotations

import asyncio
from typing import Any

from shapes.shape import current


def awaits(stream: Any) -> bool:
    """Whether a stream is awaited: proxies of some instrumentations can do both, an application knows what it does."""
    if not hasattr(stream, "__aiter__"):
        return False
    return asyncio._get_running_loop() is not None or not hasattr(stream, "__iter__")


def begin(stream: Any) -> Any:
    """The parts of a stream, one by one."""
    return aiter(stream) if awaits(stream) else iter(stream)


async def next_part(stream: Any) -> Any:
    """The next part of a stream that was begun."""
    return await anext(stream) if awaits(stream) else next(stream)


async def rest(stream: Any) -> list[Any]:
    """All that follows, each with the span that is current while the application holds it."""
    if awaits(stream):
        return [(current(), part) async for part in stream]
    return [(current(), part) for part in stream]


async def first(stream: Any) -> Any:
    """The first part, and no more."""
    if awaits(stream):
        async for part in stream:
            return part
    return next(iter(stream))
