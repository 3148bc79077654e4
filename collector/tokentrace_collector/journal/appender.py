"""The journal's writing hand: one thread that puts on disk, in one commit, whatever came during the last."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from tokentrace_collector.journal.segment import Entry, Segment, Writer

_GROUP = 256
"""Entries of one commit at most."""


class JournalError(Exception):
    """The journal cannot take an entry."""


class Ledger(Protocol):
    """Hears what happens on disk, in the appender's thread."""

    def opened(self, segment: Segment) -> None:
        """A new segment takes entries from now on."""

    def stored(self, first: int, entries: list[Entry]) -> None:
        """Entries are on disk, numbered from `first`; nobody has been told yet."""

    def refused(self, entries: list[Entry]) -> None:
        """Entries are not on disk, and will not be."""


class Appender:
    """Numbers entries and appends them to segments, a new one at each start and whenever one is full."""

    def __init__(self, directory: Path, ledger: Ledger, *, last: int, segment_bytes: int) -> None:
        self._directory = directory
        self._ledger = ledger
        self._last = last
        self._segment_bytes = segment_bytes
        self._queue: SimpleQueue[tuple[Entry, Future[int]] | Future[int] | None] = SimpleQueue()
        self._left: Future[int] | None = None
        """What was met among entries, and comes after them."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> Future[int]:
        """The number of an entry, once it is on disk."""
        promise: Future[int] = Future()
        # Whoever waits for it may be cancelled; what it tells may not.
        promise.set_running_or_notify_cancel()
        self._queue.put((entry, promise))
        return promise

    def turn_over(self) -> Future[int]:
        """Begin a new segment with the next entry; the number of the last one before it, once its file is closed."""
        promise: Future[int] = Future()
        promise.set_running_or_notify_cancel()
        self._queue.put(promise)
        return promise

    @property
    def is_alive(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what was put, and end."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        writer: Writer | None = None
        while (group := self._group()) is not None:
            if isinstance(group, Future):
                if writer:
                    writer.close()
                writer = None
                group.set_result(self._last)
                continue
            entries = [entry for entry, _ in group]
            first = self._last + 1
            try:
                writer = self._ready(writer, first)
                writer.append(first, entries)
            except Exception as error:  # noqa: BLE001 - if this thread died of a surprise, every sender would hang
                self._ledger.refused(entries)
                for _, promise in group:
                    promise.set_exception(JournalError(f"{self._directory} cannot be written: {error}."))
                # What a failed commit left in this segment will never be looked at; the next begins a new one.
                writer = None
                continue
            self._last += len(entries)
            self._ledger.stored(first, entries)
            for number, (_, promise) in enumerate(group, first):
                promise.set_result(number)
        if writer:
            writer.close()

    def _group(self) -> list[tuple[Entry, Future[int]]] | Future[int] | None:
        """What waits to be written, at least one entry; or a new segment; None at the end."""
        first = self._left or self._queue.get()
        self._left = None
        if not isinstance(first, tuple):
            return first
        group = [first]
        while len(group) < _GROUP:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                self._queue.put(None)
                break
            if isinstance(following, Future):
                self._left = following
                break
            group.append(following)
        return group

    def _ready(self, writer: Writer | None, first: int) -> Writer:
        if writer and writer.bytes < self._segment_bytes:
            return writer
        if writer:
            writer.close()
        segment = Segment.at(self._directory, first)
        segment.make_way()
        opened = Writer(segment)
        self._ledger.opened(segment)
        return opened
