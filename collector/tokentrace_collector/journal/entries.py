"""Accepted requests on disk until the database has them: what makes an answer of 200 a promise."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from tokentrace_collector.journal import lock, progress
from tokentrace_collector.journal.appender import Appender, JournalError
from tokentrace_collector.journal.progress import Cut, Progress
from tokentrace_collector.journal.segment import Entry, Segment, Weight

JOURNAL = "journal"
"""The directory beside the store."""


class JournalFullError(JournalError):
    """The journal or its disk has reached its limit: the sender should come again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the journal may hold, and how it cuts that up."""

    most_bytes: int = 4 << 30
    least_free: int = 256 << 20
    """Bytes of the disk that are not ours to fill."""
    segment_bytes: int = 128 << 20
    batch_spans: int = 40_000
    batch_bytes: int = 64 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that are inserted together, now and after every crash."""

    cut: Cut
    entries: tuple[Entry, ...]
    is_again: bool = field(default=False, compare=False)
    """Whether an earlier insert of it may have begun, and been interrupted."""

    @property
    def spans(self) -> int:
        """The spans of its entries."""
        return sum(entry.spans for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the database."""

    entries: int
    spans: int
    bytes: int
    """The size of the journal on disk."""
    age: float
    """Seconds since the oldest entry came."""
    damaged: int
    """Entries that were lost to a damaged disk since the start."""


class Journal:
    """An ordered, durable queue of accepted requests, in files that are deleted when the database has them."""

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.limits = limits or Limits()
        self._directory = directory
        self._lock = lock.hold(directory / "lock", f"The store {directory.parent}")
        try:
            self._segments = Segment.of(directory)
            self._progress = self._recovered()
            self._waiting = self._found()
        except BaseException:
            os.close(self._lock)
            raise
        promised = self._progress.cut.last if self._progress.cut else self._progress.settled
        self._last = max(promised, *self._waiting) if self._waiting else promised
        self._spans = sum(weight.spans for weight in self._waiting.values())
        self._damaged = self._last - self._progress.settled - len(self._waiting)
        self._bytes = sum(segment.bytes for segment in self._segments)
        self._queued_bytes = 0
        self._urgent = self._closed = False
        self._changed = threading.Condition()
        self._saving = threading.Lock()
        self._appender = Appender(directory, self, last=self._last, segment_bytes=self.limits.segment_bytes)

    def append(self, entry: Entry) -> Future[int]:
        """Promise to keep an entry; the future has its number once it is on disk."""
        with self._changed:
            if self._closed:
                raise JournalError("The journal is closed, because the collector is stopping.")
            self._make_sure_of_room(len(entry.body))
            self._queued_bytes += len(entry.body)
            return self._appender.put(entry)

    def wait(self, *, spans: int, seconds: float) -> None:
        """Return when a batch is due: that many spans, or any that have waited that long, a hurry, or the end."""
        due: float | None = None
        with self._changed:
            while not (self._urgent or self._closed or self._progress.cut or self._spans >= spans):
                # By a clock that is never set back; an entry's own time may lie in the future.
                due = time.monotonic() + seconds if self._waiting and due is None else due
                left = None if due is None else due - time.monotonic()
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)

    def claim(self) -> Batch | None:
        """The oldest entries that are not settled; the same ones, under the same token, until they are."""
        if cut := self._progress.cut:
            return Batch(cut, tuple(self._read(cut.first, cut.last).values()), is_again=True)
        first, last = self._progress.settled + 1, self._border()
        if last < first:
            return None
        found = self._read(first, last)
        with self._changed:
            self._damaged += sum(number not in found for number in range(first, last + 1) if number in self._waiting)
        cut = Cut(first, last, _token(found), at=time.time_ns())
        self._save(Progress(self._progress.settled, cut))
        return Batch(cut, tuple(found.values()))

    def settle(self, batch: Batch) -> None:
        """The database has a batch: forget it."""
        reached = batch.cut.last
        self._save(Progress(settled=reached))
        with self._changed:
            for number in range(batch.cut.first, reached + 1):
                weight = self._waiting.pop(number, None)
                self._spans -= weight.spans if weight else 0
            self._urgent = self._urgent and bool(self._waiting)
            following = self._segments[1:]
            done = [one for one, after in zip(self._segments, following, strict=False) if after.first - 1 <= reached]
            self._changed.notify_all()
        self._drop(done)

    def wake(self) -> None:
        """Have whoever waits for a batch look around."""
        with self._changed:
            self._urgent = True
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Hurry until everything accepted so far is settled; False if that took too long."""
        with self._changed:
            target, self._urgent = self._last, bool(self._waiting)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._progress.settled >= target, timeout)

    def clear(self, timeout: float) -> bool:
        """Have everything accepted so far settled, and its files deleted; False if that took too long."""
        with self._changed:
            if self._closed:
                raise JournalError("The journal is closed, because the collector is stopping.")
            turned = self._appender.turn_over()
        # Whatever has a file from now on has one of its own.
        try:
            border = turned.result(timeout)
        except TimeoutError:
            return False
        if not self.flush(timeout):
            return False
        with self._changed:
            done = [one for one in self._segments if one.first <= border]
        self._drop(done)
        return True

    def backlog(self) -> Backlog:
        """What waits for the database, now."""
        with self._changed:
            return Backlog(len(self._waiting), self._spans, self._bytes, self._age(), self._damaged)

    @property
    def is_alive(self) -> bool:
        """Whether it still puts on disk what it is given."""
        return self._appender.is_alive

    def close(self) -> None:
        """Take no more, put on disk what was promised, and let go of the directory."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._appender.close()
        with self._saving:
            os.close(self._lock)

    def _drop(self, done: list[Segment]) -> None:
        for segment in done:
            segment.remove()
        with self._changed:
            self._segments = [one for one in self._segments if one not in done]
            self._bytes = sum(segment.bytes for segment in self._segments)

    def _make_sure_of_room(self, more: int) -> None:
        held = self._bytes + self._queued_bytes + more
        if held > self.limits.most_bytes:
            raise JournalFullError(f"The journal is full: {held} of {self.limits.most_bytes} bytes. Is the store up?")
        free = shutil.disk_usage(self._directory).free - self._queued_bytes - more
        if free < self.limits.least_free:
            raise JournalFullError(f"The disk of {self._directory} is full: {free} bytes are left. Make room on it.")

    def opened(self, segment: Segment) -> None:
        """The appender's: a new segment takes entries from now on."""
        with self._changed:
            # One of the same number held nothing and is gone; listed twice, it would be taken for settled and deleted.
            self._segments = [*(one for one in self._segments if one.first < segment.first), segment]

    def stored(self, first: int, entries: list[Entry]) -> None:
        """The appender's: entries are on disk."""
        with self._changed:
            for number, entry in enumerate(entries, first):
                self._waiting[number] = Weight(entry.spans, entry.size, entry.received)
                self._spans += entry.spans
                self._bytes += len(entry.body)
                self._queued_bytes -= len(entry.body)
            self._last = first + len(entries) - 1
            self._changed.notify_all()

    def refused(self, entries: list[Entry]) -> None:
        """The appender's: entries will not be on disk."""
        with self._changed:
            self._queued_bytes -= sum(len(entry.body) for entry in entries)

    def _recovered(self) -> Progress:
        before = self._segments[0].first - 1 if self._segments else 0
        saved = progress.load(self._directory / "progress")
        return saved if saved and saved.settled >= before else Progress(settled=before)

    def _found(self) -> dict[int, Weight]:
        settled = self._progress.settled
        return {number: weight for segment in self._segments for number, weight in segment.weights(settled).items()}

    def _save(self, reached: Progress) -> None:
        with self._saving:
            if self._closed:
                raise JournalError("The journal is closed, and may be another's by now.")
            reached.save(self._directory / "progress")
        with self._changed:
            self._progress = reached

    def _border(self) -> int:
        """The number of the last entry that goes into the next batch."""
        spans = size = 0
        last = self._progress.settled
        with self._changed:
            for number, weight in self._waiting.items():
                spans += weight.spans
                size += weight.size
                if last > self._progress.settled and (
                    spans > self.limits.batch_spans or size > self.limits.batch_bytes
                ):
                    return last
                last = number
        return last

    def _read(self, first: int, last: int) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        for segment in self._segments:
            if segment.first <= last:
                found |= segment.read(first, last)
        return found

    def _age(self) -> float:
        oldest = next(iter(self._waiting.values()), None)
        return max(0.0, (time.time_ns() - oldest.received) / 1e9) if oldest else 0.0


def _token(entries: dict[int, Entry]) -> str:
    """What only these entries, at these places in this journal, are called."""
    named = ",".join(f"{number}:{entry.received}:{entry.checksum}" for number, entry in entries.items())
    return hashlib.sha256(named.encode()).hexdigest()
