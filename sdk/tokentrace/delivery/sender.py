"""Sends what is queued and what is on disk, in turn, for as long as it takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]  (the key every HTTP instrumentation honours)
    attach,
    set_value,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tokentrace.delivery.counts import Counts
from tokentrace.delivery.finish import finished
from tokentrace.delivery.late import Late
from tokentrace.delivery.line import BATCH, Batch, Line
from tokentrace.delivery.watch import watch
from tokentrace.guard import log, quietly

if TYPE_CHECKING:
    from tokentrace.delivery.keeper import Keeper

DELAY = 1.0
"""How long a span waits for others to make a batch."""
PAUSE = 0.05
"""Between batches from the disk, so that they do not crowd out the living."""
MAX_TRIES = 30
"""A batch that fails this often, a few minutes long, is refused for good and must not block the others."""


class Sender:
    """The thread that waits for the collector, and the one that does not."""

    def __init__(
        self,
        line: Line,
        exporter: SpanExporter,
        disk: Callable[[Counts], Keeper | None] | None,
        report: Callable[[], None],
    ) -> None:
        self._line = line
        self._exporter = exporter
        self._disk = disk
        self._report = report
        self.keeper: Keeper | None = None
        self.watcher: threading.Thread | None = None
        self._next_try = 0.0
        self._taken = 0
        """Batches that the collector has taken."""
        self._replayed = 0.0

    @property
    def is_pending(self) -> bool:
        """Whether spans of this process wait for the collector."""
        return self._line.in_memory > 0 or (self.keeper is not None and self.keeper.own > 0)

    def run(self) -> None:
        """Send until the line is closed."""
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
        with quietly("opening the spool"):
            self._open()
        if isinstance(self._exporter, Late):
            # Before the first batch is under way, for which the time counts.
            with quietly("making the exporter"):
                self._exporter.prepare()
        while self._step():
            self._told()

    def _step(self) -> bool:
        """One batch; in a function of its own, so that no span stays until the next one comes."""
        batch = self._next()
        if batch is None:
            return False
        if batch.spans:
            if self._finish(batch):
                self._settle(batch, self._export(batch.spans))
        elif self.keeper is not None:
            self._replay(self.keeper)
        return True

    def _open(self) -> None:
        self.keeper = self._disk(self._line.counts) if self._disk is not None else None
        if self.keeper is not None:
            args = (self._line, self.keeper, self._told)
            watcher = threading.Thread(target=watch, args=args, name="tokentrace-spool", daemon=True)
            watcher.start()
            self.watcher = watcher

    def _told(self) -> None:
        self._report()
        if self.keeper is not None:
            self.keeper.note()

    def _export(self, spans: list[ReadableSpan]) -> bool:
        result = SpanExportResult.FAILURE
        with quietly("exporting spans"):
            result = self._exporter.export(spans)
        return result is SpanExportResult.SUCCESS

    def _next(self) -> Batch | None:
        """The batch to send now, waiting for one: empty when it is the disk's turn, None when it is time to stop."""
        line = self._line
        with line.changed:
            while not line.is_closed:
                if not self.is_pending:
                    line.is_wanted = False
                now = time.monotonic()
                live, stored = self._live_at(), self._stored_at()
                # As long as the collector is well, the disk has its share; else the living find out whether it is.
                if stored <= now and (live > now or not (line.tries or line.is_wanted)):
                    return Batch([])
                if live <= now:
                    line.batch = Batch(line.take(), is_finished=not line.finish.is_needed)
                    line.changed.notify_all()
                    return line.batch
                first = min(live, stored)
                line.changed.wait(None if first == inf else first - now)
            return None

    def _finish(self, batch: Batch) -> bool:
        """Make up for what the spans lack; False where they have been put elsewhere by then, as they were."""
        if batch.is_finished:
            return True
        with self._line.changed:
            taken = self._line.finish.taken(batch.spans)
        spans = finished(taken)
        with self._line.changed:
            if self._line.is_closed:
                return False
            batch.spans, batch.since, batch.is_finished = spans, time.monotonic(), True
            self._line.changed.notify_all()
            return True

    def _live_at(self) -> float:
        """When the queue is to be sent."""
        line = self._line
        if not line.queue:
            return inf
        if line.is_wanted or (not line.tries and len(line.queue) >= BATCH):
            return 0.0
        return self._next_try if line.tries else line.since + DELAY

    def _stored_at(self) -> float:
        """When the disk is to be sent."""
        if self.keeper is None or not self.keeper.has_batches:
            return inf
        if self._line.is_wanted and self.keeper.own:
            return 0.0
        if self._line.tries:
            return self._next_try
        # The living first: only a collector that has taken some of them is bothered with the past.
        return self._replayed + PAUSE if self._taken else inf

    def _settle(self, batch: Batch, arrived: bool) -> None:
        """Book the fate of a batch."""
        line = self._line
        with line.changed:
            line.batch = None
            batch.arrived = arrived
            if line.is_closed:
                return
            given_up = not arrived and batch.is_in_memory_only and line.tries + 1 >= MAX_TRIES
            if arrived:
                line.counts.delivered += len(batch.spans)
            elif given_up:
                line.counts.dropped += len(batch.spans)
                log.error("The collector refused %d spans %d times; they are dropped.", len(batch.spans), MAX_TRIES)
            elif batch.is_in_memory_only:
                line.give_back(batch.spans)
            self._book(well=arrived or given_up)
            self._taken += arrived
        if self.keeper is not None and arrived:
            self.keeper.delivered(batch.stored)
            self.keeper.look()

    def _replay(self, keeper: Keeper) -> None:
        """Send a batch from the disk."""
        if (found := keeper.oldest()) is None:
            return
        stored, spans = found
        arrived = self._export(spans)
        if arrived:
            # Counted first: whoever waits for the spans to be gone from the disk may look at the counts then.
            with self._line.changed:
                self._line.counts.replayed += len(spans)
                self._line.counts.delivered += len(spans) if stored.segment.is_own else 0
            keeper.arrived(stored)
        else:
            keeper.failed(stored, self._taken)
        with self._line.changed:
            self._replayed = time.monotonic()
            self._taken += arrived
            self._book(well=arrived)

    def _book(self, *, well: bool) -> None:
        line = self._line
        if well:
            line.tries = 0
        else:
            # A try that somebody asked for is one more than the schedule has; it brings the end no nearer.
            line.tries = max(line.tries, 1) if line.is_wanted else line.tries + 1
            line.is_wanted = False
            self._next_try = time.monotonic() + min(2.0 ** min(line.tries, 5), 30.0)
        line.changed.notify_all()
