"""Puts on disk what is late: the thread that sends may be waiting for the collector."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace.delivery.finish import Taken, finished
from tokentrace.delivery.line import Batch, Line
from tokentrace.guard import quietly

if TYPE_CHECKING:
    from tokentrace.delivery.keeper import Keeper

LATE = 0.5
"""How long a batch may be under way, or spans wait while the collector takes none, before they are put on disk."""


def watch(line: Line, keeper: Keeper, report: Callable[[], None]) -> None:
    """Look after the line until it is closed."""
    while True:
        with line.changed:
            while not line.is_closed and (left := _late_in(line, keeper)) > 0:
                line.changed.wait(None if left == inf else left)
            if line.is_closed:
                return
            batch = line.batch if _late_at(line.batch) <= time.monotonic() else None
            if batch is not None:
                batch.is_being_kept = True
                taken = []
            else:
                taken = line.finish.taken(line.take())
                line.being_finished = [span for span, _ in taken]
                line.being_kept = len(taken)
        with quietly("keeping spans on disk"):
            if batch is not None:
                _keep_batch(line, keeper, batch)
            else:
                _keep_taken(line, keeper, taken)
        report()


def _late_at(batch: Batch | None) -> float:
    if batch is None or not batch.is_finished or not batch.is_in_memory_only:
        return inf
    return batch.since + LATE


def _late_in(line: Line, keeper: Keeper) -> float:
    """Seconds until something is late; nothing is, as long as the collector takes what it is sent."""
    due = _late_at(line.batch)
    if line.queue and line.is_half_full:
        due = 0.0
    elif line.queue and (line.tries or line.batch is not None):
        began = line.batch.since if line.batch is not None and not line.tries else 0.0
        due = min(due, max(began, line.since) + LATE)
    return max(due, keeper.tries_again) - time.monotonic()


def _keep_batch(line: Line, keeper: Keeper, batch: Batch) -> None:
    stored = keeper.keep(batch.spans)
    with line.changed:
        batch.is_being_kept = False
        batch.stored = stored or ()
        if stored is None and batch.arrived is False:
            _stay(line, batch.spans)
        line.changed.notify_all()
    if stored and batch.arrived:
        # It has come in the meantime.
        keeper.delivered(stored)


def _keep_taken(line: Line, keeper: Keeper, taken: Taken) -> None:
    spans = finished(taken)
    with line.changed:
        if line.is_closed:
            # Whoever closed it has them as they were.
            return
        line.being_finished = []
    stored = keeper.keep(spans)
    with line.changed:
        line.being_kept = 0
        if stored is None:
            _stay(line, spans)
        line.changed.notify_all()


def _stay(line: Line, spans: list[ReadableSpan]) -> None:
    """The disk has failed: they wait in memory."""
    if line.is_closed:
        line.counts.dropped += len(spans)
    else:
        line.give_back(spans)
