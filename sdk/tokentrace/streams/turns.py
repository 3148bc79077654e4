"""Streams that carry one call after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokentrace.guard import quietly
from tokentrace.streams.tap import AsyncPartTap, Listener


class _Nobody:
    """Listens to nothing."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    def part(self, part: Any, /) -> None: ...

    def end(self, how: str | None, error: BaseException | None = None) -> None: ...


_NOBODY = _Nobody()


class TurnTap(AsyncPartTap):
    """A stream that carries one call after the other, each with a listener of its own.

    `follow` says of a part whether it is the last of its call, and None where it belongs to none.
    """

    def __init__(self, stream: Any, follow: Callable[[Any], bool | None], begin: Callable[[], Listener | None]) -> None:
        super().__init__(stream, _NOBODY)
        self._self_follow = follow
        self._self_begin = begin

    async def __anext__(self) -> Any:
        part = await super().__anext__()
        is_last = None
        with quietly("following a stream"):
            is_last = self._self_follow(part)
        if is_last is not None and self._self_listener is _NOBODY and (listener := self._self_begin()):
            self._self_listener = listener
            listener.part(part)
        if is_last:
            self._self_listener.end("complete")
            self._self_listener = _NOBODY
        return part
