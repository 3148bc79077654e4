"""From the journal into the database: in large batches, each exactly once."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import TypeVar
from uuid import uuid4

from tokentrace_collector.counters import Counters
from tokentrace_collector.ingest import completion, passage
from tokentrace_collector.ingest.renormalise import renormalise
from tokentrace_collector.journal.deadletters import DeadLetters
from tokentrace_collector.journal.entries import Batch, Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.otlp import decode
from tokentrace_collector.store.database import Store, StoreError

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
"""Seconds between tries while the database does not answer."""

_END_OF_TIME = datetime(2200, 1, 1, tzinfo=UTC)


class Drain:
    """The worker that empties the journal, for as long as the collector runs."""

    def __init__(
        self,
        journal: Journal,
        open_store: Callable[[], Store],
        letters: DeadLetters,
        counters: Counters,
        *,
        spans: int,
        seconds: float,
    ) -> None:
        self.on_slow: Callable[[], None] = lambda: None
        """Called when the engine could not read a batch as raw OTLP, and Python had to."""
        self.trouble = ""
        """What keeps the database from taking more; empty while it does."""
        self._journal = journal
        self._open_store = open_store
        self._letters = letters
        self._counters = counters
        self._spans = spans
        self._seconds = seconds
        self._stopping = threading.Event()
        self._advancing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """End after the insert under way; what is left stays in the journal. False if that took too long."""
        self._stopping.set()
        self._journal.wake()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @contextmanager
    def held(self) -> Generator[None]:
        """Insert nothing meanwhile; an insert under way is waited for."""
        with self._advancing:
            yield

    @property
    def is_alive(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def _run(self) -> None:
        store = self._trying(self._open_store)
        while store and not self._stopping.is_set():
            self._journal.wait(spans=self._spans, seconds=self._seconds)
            if not self._stopping.is_set():
                self._trying(partial(self._advance, store))
        if store:
            store.close()

    def _trying(self, action: Callable[[], Result]) -> Result | None:
        """Do something until it succeeds; None if the end came first."""
        pause = _FIRST_PAUSE
        while True:
            try:
                result = action()
            except Exception as error:  # noqa: BLE001 - a worker that died of a surprise would fill the disk in silence
                self.trouble = str(error) or repr(error)
                self._counters.add(store_failures=1)
                _log.warning("The store did not take spans, next try in %.1f s: %s", pause, self.trouble)
            else:
                self.trouble = ""
                return result
            if self._stopping.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311 - spreads load, hides nothing
                return None
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _advance(self, store: Store) -> None:
        """Move the journal's next batch into the database; after a failure that is the same batch, begun before."""
        with self._advancing:
            if batch := self._journal.claim():
                self._store_batch(store, batch)
                self._journal.settle(batch)

    def _store_batch(self, store: Store, batch: Batch) -> None:
        cut = batch.cut
        began = completion.beginning(store, cut.at) if batch.is_again else None
        with passage.watched(store):
            for tenant, entries in _by_tenant(batch.entries):
                stored = self._insert(store, tenant, entries, f"{cut.token}/{tenant}")
                self._counters.add(spans_stored=stored)
                if began:
                    self._complete(store, tenant, entries, began)
        if began:
            renormalise(store, began, _END_OF_TIME)
        self._counters.add(batches_stored=1)

    def _complete(self, store: Store, tenant: str, entries: Sequence[Entry], began: datetime) -> None:
        """Insert what an interrupted insert left out, though the engine may believe to have it."""
        bodies = completion.missing(store, [entry.plain for entry in entries], tenant=tenant, since=began)
        if bodies:
            # Under a name that the engine has never heard.
            self._insert(store, tenant, _singles(entries[0], bodies), f"completion {uuid4()}")

    def _insert(self, store: Store, tenant: str, entries: Sequence[Entry], token: str) -> int:
        """Insert entries; where the database refuses some for what they are, all but those. Says how many spans."""
        try:
            was_raw = store.insert_spans([entry.plain for entry in entries], tenant=tenant, token=token)
        except StoreError as error:
            if not error.blames_data:
                raise
            return self._divide(store, tenant, entries, token, error)
        if not was_raw:
            self.on_slow()
        self._counters.add(batches_read_by_python=not was_raw)
        return sum(entry.spans for entry in entries)

    def _divide(self, store: Store, tenant: str, entries: Sequence[Entry], token: str, error: StoreError) -> int:
        if len(entries) == 1 and entries[0].spans > 1:
            entries = _singles(entries[0], decode.split(entries[0].plain))
        if len(entries) > 1:
            middle = len(entries) // 2
            halves = (entries[:middle], f"{token}<"), (entries[middle:], f"{token}>")
            return sum(self._insert(store, tenant, half, name) for half, name in halves)
        self._letters.keep([(entries[0].plain, str(error))], tenant=tenant)
        self._counters.add(spans_undeliverable=entries[0].spans)
        _log.error("The store refused a span for good; it is in %s: %s", self._letters.path, error)
        return 0


def _singles(entry: Entry, bodies: Iterable[bytes]) -> list[Entry]:
    return [replace(entry, body=one, encoding="", spans=1, size=len(one)) for one in bodies]


def _by_tenant(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    for tenant, group in groupby(sorted(entries, key=lambda entry: entry.tenant), key=lambda entry: entry.tenant):
        yield tenant, list(group)
