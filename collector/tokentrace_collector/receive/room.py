"""The memory that requests under way may take together, over HTTP and over gRPC."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


class FullError(Exception):
    """There is no room for a request beside those that are under way."""


class Room:
    """A number of bytes, of which each request claims what it holds."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    @contextmanager
    def claim(self) -> Generator[Claim]:
        """What one request holds; given back at the end."""
        claim = Claim(self._take)
        try:
            yield claim
        finally:
            self._take(-claim.size)

    def _take(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True


class Claim:
    """What one request holds."""

    def __init__(self, take: Callable[[int], bool]) -> None:
        """`take` says whether there is room for so many bytes, and holds them if so."""
        self._take = take
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold more bytes; raises FullError where there are none."""
        if not self._take(size):
            raise FullError("Too many requests are under way. Come again, or send fewer spans at once.")
        self.size += size
