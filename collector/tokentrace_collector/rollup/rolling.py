"""The rollup's clock: again and again in the background, and at once when someone asks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from tokentrace_collector.counters import Counters
from tokentrace_collector.reports.documents.upkeep import RollupOutcome
from tokentrace_collector.rollup.deletion import Scrub, Wanted
from tokentrace_collector.rollup.orders import Order
from tokentrace_collector.store.database import Store, StoreError

Roll = Callable[[Order], RollupOutcome]
"""One run of the rollup."""


@runtime_checkable
class Deleting(Protocol):
    """A rollup that can also take traces out of the tables."""

    def count(self, wanted: Wanted) -> dict[str, int]:
        """The rows that a deletion would take out, by table."""
        ...

    def delete(self, wanted: Wanted, scrub: Scrub) -> dict[str, int]:
        """Take them out; the rows that were."""
        ...


_log = logging.getLogger(__name__)


class Rolling:
    """The worker that runs the rollup, over its own handle to the store."""

    def __init__(self, make: Callable[[Store], Roll], counters: Counters, *, seconds: float) -> None:
        self.trouble = ""
        """Why the last run failed; empty if it did not."""
        self._make = make
        self._counters = counters
        self._seconds = seconds
        self._lock = threading.Lock()
        self._roll: Roll | None = None
        self._store: Store | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rollup", daemon=True)

    def start(self, store: Store) -> None:
        """Begin, with a handle that is ours from now on."""
        self._store = store
        self._thread.start()

    def now(self, what: Order) -> RollupOutcome:
        """Run at once, and say what was done."""
        with self._lock:
            outcome = self._made()(what)
        self.trouble = ""
        self._counters.add(
            rollups=1,
            calls_unpriced=outcome["unpriced"],
            spans_unread=outcome["unread"],
            calls_late=outcome["late"],
            calls_undecided=outcome["undecided"],
        )
        return outcome

    def count(self, wanted: Wanted) -> dict[str, int]:
        """The rows that a deletion would take out, by table."""
        with self._lock:
            return self._deleting().count(wanted)

    def delete(self, wanted: Wanted, scrub: Scrub) -> dict[str, int]:
        """Take traces out of every table; the rows that were."""
        with self._lock:
            rows = self._deleting().delete(wanted, scrub)
        self._counters.add(deletions=1, rows_deleted=sum(rows.values()))
        return rows

    def _made(self) -> Roll:
        if self._store is None or self._stopping.is_set():
            raise StoreError("The store is not open yet, or not any more. Come again.", is_transient=True)
        self._roll = self._roll or self._make(self._store)
        return self._roll

    def _deleting(self) -> Deleting:
        roll = self._made()
        if not isinstance(roll, Deleting):
            raise StoreError("The rollup of this collector deletes nothing.")
        return roll

    def stop(self, timeout: float) -> bool:
        """End after the run under way; False if that took too long."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self.now("run")
            except Exception as error:  # noqa: BLE001
                # Recomputing is harmless, so whatever went wrong, the next run is the remedy.
                self.trouble = f"The rollup failed: {error}"
                self._counters.add(rollup_failures=1)
                _log.warning("%s. It will run again in %.0f s.", self.trouble, self._seconds)
        with self._lock:
            if self._store:
                self._store.close()
