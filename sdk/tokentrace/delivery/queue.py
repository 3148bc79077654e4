"""Brings spans to the collector: a bounded queue, a disk for what has to wait, nothing lost in silence."""

from __future__ import annotations

import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter

from tokentrace.config import EXIT_SECONDS
from tokentrace.delivery.counts import Counts
from tokentrace.delivery.finish import Unfinished, finished_by
from tokentrace.delivery.line import BATCH, Line
from tokentrace.delivery.sender import Sender
from tokentrace.guard import log, quietly

if TYPE_CHECKING:
    from tokentrace.delivery.keeper import Keeper

RESERVE = 0.25
"""How much of that is left for putting them on disk."""


class Standing(NamedTuple):
    """Where the spans of this process are."""

    counts: Counts
    in_memory: int
    on_disk: int
    directory: str | None
    """Where spans wait that cannot be delivered; None where they wait in memory only."""

    problem: str | None
    """Why nothing can be put there."""


class Delivery:
    """A queue in front of an exporter, and a disk beside it.

    What cannot be delivered is put on disk, and delivered from there once the collector takes spans again, by this
    process or a later one. Without a disk it stays at the head of the queue, which drops the oldest when it is full.
    OpenTelemetry's own batch processor drops a batch after a few seconds of outage.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        queue_size: int,
        renew: Callable[[], SpanExporter] | None = None,
        disk: Callable[[Counts], Keeper | None] | None = None,
    ) -> None:
        self._exporter = exporter
        self._renew = renew
        """Makes the exporter of a forked child, which cannot share the connections of its parent."""
        self._disk = disk
        """Makes the disk of a process; called by its own thread, since it has modules to import."""
        self._queue_size = queue_size
        self.before_end: Callable[[], object] = lambda: None
        """Puts what is still to be delivered, when the end has come."""
        self.tell: Callable[[Counts], object] | None = None
        """Is told what became of spans since it was told the last time."""
        self._start()
        if hasattr(os, "register_at_fork"):
            forked = weakref.WeakMethod(self._forked)
            os.register_at_fork(after_in_child=lambda: (begin := forked()) and begin())

    def _forked(self) -> None:
        with quietly("beginning anew in a forked process"):
            keeper = self._sender.keeper
            if self._renew is not None:
                self._exporter = self._renew()
            self._start()
            if keeper is not None:
                keeper.abandon()

    def _start(self) -> None:
        """The state of a fresh process, also of a forked child, whose spans the parent still has."""
        self._line = Line(self._queue_size)
        self._sender = Sender(self._line, self._exporter, self._disk, self._report)
        self._thread: threading.Thread | None = None
        self._gave_up = 0.0
        self._told = Counts()

    @property
    def counts(self) -> Counts:
        """What became of the spans."""
        return self._line.counts

    @property
    def standing(self) -> Standing:
        """Where the spans of this process are."""
        keeper = self._sender.keeper
        on_disk = (keeper.own, keeper.directory, keeper.problem) if keeper is not None else (0, None, None)
        return Standing(replace(self.counts), self._line.in_memory, *on_disk)

    def expect(self, span_id: int, unfinished: Unfinished) -> None:
        """The span that is about to end lacks something."""
        self._line.finish.expect(span_id, unfinished)

    def forget(self, span_id: int) -> None:
        """The span has ended; it has not come here if it is still expected."""
        self._line.finish.forget(span_id)

    def put(self, span: ReadableSpan) -> None:
        """Queue a span. Waits for neither network nor disk."""
        line = self._line
        with line.lock:
            if line.is_closed:
                line.counts.dropped += 1
                return
            line.append(span)
            if self._thread is None:
                self._begin()

    def begin(self) -> None:
        """Be there for a span that is still to come, should the process end first."""
        if self._thread is None:
            with self._line.changed:
                self._begin()

    def _begin(self) -> None:
        if self._thread is not None or self._line.is_closed:
            return
        thread = threading.Thread(target=self._sender.run, name="tokentrace-delivery", daemon=True)
        # One that cannot be started is tried again with the next span.
        thread.start()
        self._thread = thread
        # A child of multiprocessing leaves by a door of its own, past everything that is registered with `atexit`.
        processes = sys.modules.get("multiprocessing")
        if processes is not None and processes.parent_process() is not None:
            processes.util.Finalize(None, self.close, (EXIT_SECONDS,), exitpriority=0)

    def flush(self, timeout: float = 2.0) -> bool:
        """Deliver the spans of this process, trying at once; False where that took longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        line = self._line
        with line.changed:
            if self._thread is None:
                return True
            line.is_wanted = True
            line.changed.notify_all()
            while self._sender.is_pending:
                left = deadline - time.monotonic()
                if line.is_closed or left <= 0 or not self._thread.is_alive():
                    self._gave_up = time.monotonic()
                    return False
                line.changed.wait(left)
            return True

    def close(self, timeout: float = 2.0) -> bool:
        """Deliver what is queued, within `timeout` seconds, put the rest on disk, and stop."""
        with quietly("ending what is open"):
            self.before_end()
        deadline = time.monotonic() + timeout
        # An application that has just flushed in vain at its own exit must not wait a second time.
        patience = 0.0 if time.monotonic() - self._gave_up < 1.0 else timeout
        done = self.flush(patience if self._disk is None else max(patience - RESERVE, 0.0))
        with self._line.changed:
            if self._line.is_closed:
                return done
            taken = self._line.finish.taken(self._line.close())
        left = finished_by(deadline - RESERVE if self._disk is not None else deadline, taken)
        with quietly("keeping the last spans on disk"):
            left = self._keep(left, max(deadline, time.monotonic() + RESERVE))
        if left:
            self.counts.dropped += len(left)
            log.warning("tokentrace could not deliver %d spans before the end.", len(left))
        self._report()
        with quietly("closing the exporter"):
            self._exporter.shutdown()
        return done

    def _keep(self, spans: list[ReadableSpan], deadline: float) -> list[ReadableSpan]:
        """Put spans on disk, and give that back; those that could not be put there by then."""
        keeper, watcher = self._sender.keeper, self._sender.watcher
        if keeper is None:
            return spans
        while spans and time.monotonic() < deadline and keeper.keep(spans[:BATCH]) is not None:
            spans = spans[BATCH:]
        if watcher is not None:
            watcher.join(max(deadline - time.monotonic(), 0.0))
        if keeper.own:
            log.info("%d spans wait in %s to be delivered by a later process.", keeper.own, keeper.directory)
        keeper.close()
        return spans

    def _report(self) -> None:
        """Tell what is new."""
        if self.tell is None:
            return
        with self._line.changed:
            before, self._told = self._told, replace(self.counts)
        news = {each.name: getattr(self._told, each.name) - getattr(before, each.name) for each in fields(Counts)}
        with quietly("recording what became of spans"):
            self.tell(Counts(**news))
