"""One rollup at a time over one database, whichever process runs it: a claim that dies with its process."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store, StoreError

_LIFE = 30.0
"""Seconds that a claim lives without being renewed: so long a crash delays the others."""
_SETTLE = 5.0
"""Seconds in which claims that were made at the same moment have been taken back, all but one."""
_ASK_AGAIN = 0.1

_EVERYWHERE = {"insert_quorum": "auto", "insert_quorum_parallel": 0}
"""Where tables are replicated, a claim is known to most replicas before it counts; elsewhere this changes nothing."""

_PROCESS = uuid.uuid4().hex


class TakenError(StoreError):
    """Somebody else is rolling up this database."""


class LostError(StoreError):
    """It may be that somebody else is rolling up this database by now."""


class Lease:
    """The right to run the rollup over a database, for one at a time.

    Claims are rows, and no database of this kind locks one. Who claims writes first and looks then, so that of two who
    claim at once one sees the other. Only who has seen no other claim has the lease. Of claims that see each other the
    first by name stays and looks again; the others are taken back.
    """

    def __init__(self, store: Store, *, life: float = _LIFE, settle: float = _SETTLE) -> None:
        self._store = store
        self._life = life
        self._settle = settle
        # The embedded engine has one process: what another claimed, it claimed before it died.
        self._among = _PROCESS if store.address.embedded else ""

    @contextmanager
    def held(self, patience: float = 0) -> Generator[Hold]:
        """Have the lease for a while; TakenError if after `patience` seconds somebody else still has it."""
        deadline = time.monotonic() + patience
        while (hold := self._take()) is None:
            if time.monotonic() >= deadline:
                raise TakenError("Another collector is rolling up this database. Come again.", is_transient=True)
            time.sleep(_ASK_AGAIN)
        try:
            with hold.renewed():
                yield hold
        finally:
            # If it cannot be ended, it dies by itself.
            with suppress(StoreError):
                hold.end()

    def _take(self) -> Hold | None:
        if self._alive():
            return None
        hold = Hold(self._store, f"{_PROCESS}-{uuid.uuid4().hex}", self._life)
        until = time.monotonic() + self._settle
        try:
            hold.claim()
            while (alive := self._alive()) != [hold.name]:
                if not alive or alive[0] != hold.name or time.monotonic() >= until:
                    hold.end()
                    return None
                time.sleep(_ASK_AGAIN)
        except BaseException:
            with suppress(StoreError):
                hold.end()
            raise
        return hold

    def _alive(self) -> list[str]:
        return [row["claim"] for row in self._store.query(schema.sql("rollup/leases"), among=self._among)]


class Hold:
    """A claim, kept alive until it is ended."""

    def __init__(self, store: Store, name: str, life: float) -> None:
        self.name = name
        self._store = store
        self._life = life
        self._turn = 0
        self._until = 0.0
        self._over = threading.Event()

    def check(self) -> None:
        """Raise LostError if the claim may be dead, and another alive."""
        if time.monotonic() >= self._until:
            raise LostError("The lease of the rollup ran out before it could be renewed.", is_transient=True)

    def claim(self) -> None:
        """Make the claim; it counts when it has been seen to be the only one."""
        self._write(self._store)

    @contextmanager
    def renewed(self) -> Generator[None]:
        """Keep the claim alive meanwhile, however long a statement takes."""
        beating = threading.Thread(target=self._beat, name="rollup-lease", daemon=True)
        beating.start()
        try:
            yield
        finally:
            self._over.set()
            beating.join()

    def end(self) -> None:
        """Let others have it."""
        self._run(self._store, "rollup/lease_end", claim=self.name)

    def _beat(self) -> None:
        # A rollup is over before it needs this, mostly.
        if self._over.wait(self._life / 3):
            return
        store = None
        try:
            while not self._over.is_set():
                # What does not work now may work the next time; until then `check` knows how long the claim lives.
                with suppress(StoreError):
                    store = store or self._store.sibling()
                    self._write(store)
                self._over.wait(self._life / 3)
        finally:
            if store is not None:
                store.close()

    def _write(self, store: Store) -> None:
        # The life that counts here began before the one that counts at the server.
        began, turn = time.monotonic(), self._turn + 1
        self._run(store, "rollup/lease", claim=self.name, turn=turn, life=int(self._life * 1000))
        found = store.query(schema.sql("rollup/leases"), among=self.name)
        if found and found[0]["last_turn"] == turn:
            self._turn, self._until = turn, began + self._life

    def _run(self, store: Store, statement: str, **parameters: Any) -> None:
        store.run(schema.sql(statement), settings=_EVERYWHERE, **parameters)
