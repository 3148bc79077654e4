"""The spans of this process that are on their way, as several threads see them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace.delivery.counts import Counts
from tokentrace.delivery.finish import Finish
from tokentrace.guard import log

if TYPE_CHECKING:
    from tokentrace.delivery.segment import Stored

BATCH = 512


@dataclass(slots=True, eq=False)
class Batch:
    """Spans under way to the collector."""

    spans: list[ReadableSpan]
    is_finished: bool = True
    """Whether they lack nothing any more."""

    since: float = field(default_factory=time.monotonic)
    is_being_kept: bool = False
    stored: Sequence[Stored] = ()
    """Where they are on disk, if they are."""

    arrived: bool | None = None
    """Whether the collector has them; None as long as it has not answered."""

    @property
    def is_in_memory_only(self) -> bool:
        """Whether they are nowhere else, and nobody is about to change that."""
        return not self.is_being_kept and not self.stored


class Line:
    """A bounded queue, and what has been taken from it without having arrived anywhere.

    Everything happens while `changed` is held, which is notified of what somebody may wait for.
    """

    def __init__(self, size: int) -> None:
        self.counts = Counts()
        # Reentrant: a stream collected as garbage ends its span in whatever the thread was doing, here included.
        self.lock = threading.RLock()
        """That of `changed`: taken by itself it costs no function, and nearly no span has anybody to be told of it."""
        self.changed = threading.Condition(self.lock)
        self.queue: deque[ReadableSpan] = deque()
        self.finish = Finish()
        self.since = 0.0
        """When the first of the queue came."""
        self.batch: Batch | None = None
        """What the exporter has."""
        self.being_kept = 0
        """Spans that somebody is putting on disk, those of `batch` apart."""
        self.being_finished: list[ReadableSpan] = []
        """Those of them that still lacked something when they were taken."""
        self.tries = 0
        """Failures in a row."""
        self.is_wanted = False
        """Somebody waits for the spans to arrive."""
        self.is_closed = False
        self._size = size
        self._rings = {1, BATCH, size // 2}
        """Lengths of the queue at which somebody has to wake up."""

    @property
    def in_memory(self) -> int:
        """Spans that are nowhere else, but for a batch that is late."""
        return len(self.queue) + self.being_kept + (len(self.batch.spans) if self.batch else 0)

    @property
    def is_half_full(self) -> bool:
        """Whether it is high time to put some spans elsewhere."""
        return len(self.queue) >= max(self._size // 2, 1)

    def append(self, span: ReadableSpan) -> None:
        """Queue a span; the oldest goes where there is no room."""
        self.counts.accepted += 1
        if self.finish.expected:
            self.finish.admit(span)
        self.queue.append(span)
        length = len(self.queue)
        if length == 1:
            self.since = time.monotonic()
        # No more than two batches are elsewhere.
        if length + 2 * BATCH > self._size:
            self._shorten()
        if length in self._rings:
            self.changed.notify_all()

    def take(self) -> list[ReadableSpan]:
        """The oldest batch of the queue, which is in it no more."""
        return [self.queue.popleft() for _ in range(min(BATCH, len(self.queue)))]

    def give_back(self, spans: Sequence[ReadableSpan]) -> None:
        """Put what was taken where it was."""
        self.queue.extendleft(reversed(spans))
        self._shorten()

    def close(self) -> list[ReadableSpan]:
        """Take no more; what is in memory only, and waits for nobody's disk."""
        self.is_closed = True
        left = [*self.batch.spans] if self.batch is not None and self.batch.is_in_memory_only else []
        left += self.being_finished
        left += self.queue
        self.being_finished = []
        self.queue.clear()
        self.changed.notify_all()
        return left

    def _shorten(self) -> None:
        while self.in_memory > self._size and len(self.queue) > 1:
            self.finish.discard(self.queue.popleft())
            self.counts.dropped += 1
            if self.counts.dropped == 1:
                log.warning(
                    "The tokentrace queue of %d spans is full: the oldest are dropped. "
                    "Check the collector, or raise TOKENTRACE_QUEUE_SIZE.",
                    self._size,
                )
