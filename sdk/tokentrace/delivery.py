"""Brings spans to the collector: a bounded queue, one thread, nothing lost in silence."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]  (the key every HTTP instrumentation honours)
    attach,
    set_value,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tokentrace.guard import log, quietly

BATCH = 512
DELAY = 1.0
EXIT_SECONDS = 2.0
"""How long the end of the application may wait for the last spans."""
MAX_TRIES = 30
"""A batch that fails this often, a few minutes long, is refused for good and must not block the others."""


@dataclass(slots=True)
class Counts:
    """What became of the spans of this process."""

    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    """Pushed out of the full queue, or given up."""


class Delivery:
    """A queue in front of an exporter.

    A batch that cannot be delivered stays at the head and is tried again; when the queue is full the oldest
    spans go, and are counted. OpenTelemetry's own batch processor drops a batch after a few seconds of outage.
    """

    def __init__(
        self, exporter: SpanExporter, queue_size: int, renew: Callable[[], SpanExporter] | None = None
    ) -> None:
        self._exporter = exporter
        self._renew = renew
        """Makes the exporter of a forked child, which cannot share the connections of its parent."""
        self._queue_size = queue_size
        self.before_end: Callable[[], object] = lambda: None
        """Puts what is still to be delivered, when the end has come."""
        self._start()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (begin := forked()) and begin())

    def _forked(self) -> None:
        with quietly("beginning anew in a forked process"):
            self._start()
            if self._renew is not None:
                self._exporter = self._renew()

    def _start(self) -> None:
        """The state of a fresh process, also of a forked child, whose spans the parent still has."""
        self.counts = Counts()
        self._queue: deque[ReadableSpan] = deque()
        # Reentrant: a stream collected as garbage ends its span in whatever the thread was doing, here included.
        self._changed = threading.Condition(threading.RLock())
        self._gave_up = 0.0
        self._in_flight = 0
        self._wanted = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, span: ReadableSpan) -> None:
        """Queue a span. Never blocks on the network."""
        with self._changed:
            if self._closed:
                self.counts.dropped += 1
                return
            self.counts.accepted += 1
            self._queue.append(span)
            if len(self._queue) + self._in_flight > self._queue_size and len(self._queue) > 1:
                self._queue.popleft()
                self.counts.dropped += 1
                if self.counts.dropped == 1:
                    log.warning(
                        "The tokentrace queue of %d spans is full: the oldest are dropped. "
                        "Check the collector, or raise TOKENTRACE_QUEUE_SIZE.",
                        self._queue_size,
                    )
            if self._thread is None:
                self._thread = self._begun()
            elif len(self._queue) == BATCH:
                self._changed.notify_all()

    def begin(self) -> None:
        """Be there for a span that is still to come, should the process end first."""
        with self._changed:
            if self._thread is None and not self._closed:
                self._thread = self._begun()

    def _begun(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="tokentrace-delivery", daemon=True)
        thread.start()
        # A child of multiprocessing leaves by a door of its own, past everything that is registered with `atexit`.
        processes = sys.modules.get("multiprocessing")
        if processes is not None and processes.parent_process() is not None:
            processes.util.Finalize(None, self.close, (EXIT_SECONDS,), exitpriority=0)
        return thread

    def flush(self, timeout: float = 2.0) -> bool:
        """Deliver what is queued, trying again at once; False where that took longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            if self._thread is None:
                return True
            self._wanted = True
            self._changed.notify_all()
            while self._queue or self._in_flight:
                left = deadline - time.monotonic()
                if self._closed or left <= 0 or not self._thread.is_alive():
                    self._gave_up = time.monotonic()
                    return False
                self._changed.wait(left)
            return True

    def close(self, timeout: float = 2.0) -> bool:
        """Deliver what is queued, within `timeout` seconds, and stop."""
        with quietly("ending what is open"):
            self.before_end()
        # An application that has just flushed in vain at its own exit must not wait a second time.
        done = self.flush(0.0 if time.monotonic() - self._gave_up < 1.0 else timeout)
        with self._changed:
            if self._closed:
                return done
            self._closed = True
            lost = len(self._queue) + self._in_flight
            self.counts.dropped += lost
            self._queue.clear()
            self._changed.notify_all()
        if lost:
            log.warning("tokentrace could not deliver %d spans within %.1f s of the end.", lost, timeout)
        with quietly("closing the exporter"):
            self._exporter.shutdown()
        return done

    def _run(self) -> None:
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        tries = 0
        while batch := self._next(tries):
            result = SpanExportResult.FAILURE
            with quietly("exporting spans"):
                result = self._exporter.export(batch)
            tries = self._settle(batch, result is SpanExportResult.SUCCESS, tries)

    def _next(self, tries: int) -> list[ReadableSpan]:
        """The batch to send now, waiting for one; empty when it is time to stop."""
        with self._changed:
            pause = DELAY if tries == 0 else min(2.0 ** min(tries, 5), 30.0)
            ready = time.monotonic() + pause
            while not self._closed:
                left = ready - time.monotonic()
                urgent = bool(self._queue) and (self._wanted or (tries == 0 and len(self._queue) >= BATCH))
                if urgent or (self._queue and left <= 0):
                    break
                self._changed.wait(left if self._queue else None)
                if not self._queue:
                    self._wanted = False
                    ready = time.monotonic() + pause
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._in_flight = len(batch)
            return batch

    def _settle(self, batch: list[ReadableSpan], delivered: bool, tries: int) -> int:
        """Book the fate of a batch; the number of failures in a row."""
        with self._changed:
            self._in_flight = 0
            if self._closed:
                return 0
            if delivered:
                self.counts.delivered += len(batch)
                tries = 0
            elif tries + 1 < MAX_TRIES:
                self._queue.extendleft(reversed(batch))
                # A try that somebody asked for is one more than the schedule has; it brings the end no nearer.
                tries = max(tries, 1) if self._wanted else tries + 1
                self._wanted = False
            else:
                self.counts.dropped += len(batch)
                log.error("The collector refused %d spans %d times; they are dropped.", len(batch), MAX_TRIES)
                tries = 0
            self._changed.notify_all()
            return tries
