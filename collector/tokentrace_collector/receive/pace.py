"""How fast each credential may send: a bucket of requests and one of bytes, which fill up as time passes."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tokentrace_collector.access import Grant
from tokentrace_collector.counters import Counters

_LONGEST = 5
"""Seconds that a sender is told to wait at most: exporters that should wait longer give their batch up."""


class TooFastError(Exception):
    """Who sends more than it may; `seconds` says when to come again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(slots=True)
class _Bucket:
    rate: float
    level: float
    filled: float

    def lacks(self, now: float) -> float:
        """Seconds until there is something in it; 0 where there is."""
        self.level = min(max(self.rate, 1.0), self.level + (now - self.filled) * self.rate)
        self.filled = now
        return 0.0 if self.level >= 1 else (1 - self.level) / self.rate


@dataclass(slots=True)
class Pace:
    """Holds back who sends more than so many requests and bytes a second; either may be None, which is no limit.

    A credential that has limits of its own is held to these.

    A body counts once it is here, and may overdraw: the next request then waits until that is made up for.
    """

    counters: Counters
    requests: float | None = None
    size: float | None = None
    clock: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict[tuple[str, str], _Bucket])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, grant: Grant) -> None:
        """A request of a credential begins; raises TooFastError where it has to wait."""
        with self._lock:
            buckets = [self._bucket(grant, what) for what in ("requests", "bytes")]
            lacks = max((bucket.lacks(self.clock()) for bucket in buckets if bucket), default=0.0)
            if not lacks and buckets[0]:
                buckets[0].level -= 1
        if lacks:
            self.counters.add(requests_limited=1)
            seconds = min(math.ceil(lacks), _LONGEST)
            raise TooFastError(
                f"{grant.name!r} sends more than it may. Come again in {seconds} s, or send less.", seconds
            )

    def spend(self, grant: Grant, size: int) -> None:
        """Count the bytes of a body."""
        with self._lock:
            if bucket := self._bucket(grant, "bytes"):
                bucket.level -= size

    def _bucket(self, grant: Grant, what: str) -> _Bucket | None:
        own, general = grant.limits, self.requests if what == "requests" else self.size
        rate = (own.requests_per_second if what == "requests" else own.bytes_per_second) or general
        if rate is None:
            return None
        bucket = self._buckets.setdefault((grant.name, what), _Bucket(rate, max(rate, 1.0), self.clock()))
        # The file of credentials may have changed.
        bucket.rate = rate
        return bucket
