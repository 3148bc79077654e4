"""The rollup: whole traces recomputed into what they cost, whenever a span of theirs has arrived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from time import perf_counter

from tokentrace_collector import prices, schema
from tokentrace_collector.book import Book
from tokentrace_collector.stages import Bounds, Stages
from tokentrace_collector.store import Store

_TENANT = prices.TENANT
_TOUCHES = 200_000
"""Touches that one batch works off; it bounds memory."""
_EVERY = 1 << 62
_SPANS = 1_000_000
"""Spans of one share of a rebuild; it bounds memory."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of the rollup did."""

    traces: int
    """Traces recomputed."""
    seconds: float
    unpriced: int = 0
    """Calls among them that used something of which no price is known."""


class Rollup:
    """Keeps the tables of cost equal to a recomputation from all spans. Every step may be repeated after a crash."""

    def __init__(self, store: Store, book: Book | None = None) -> None:
        self._store = store
        self._book = book or Book()
        self._lock = Lock()
        self._loaded: prices.Run | None = None
        self._unpriced = 0

    def tick(self) -> Report:
        """Recompute the traces touched since the last time; every trace where prices have changed."""
        with self._lock:
            began, run = perf_counter(), self._run()
            self._unpriced = 0
            if self._state("rating_run") != run.id:
                return Report(self._rebuild(run), perf_counter() - began, self._unpriced)
            traces, taken = 0, _TOUCHES
            # A batch that was not full was the last: what arrives meanwhile waits, or a busy store would never let go.
            while taken == _TOUCHES and (taken := self._take_touches(_TOUCHES)):
                traces += self._tick(run)
            return Report(traces, perf_counter() - began, self._unpriced)

    def rebuild(self) -> Report:
        """Recompute every trace from the spans that are stored."""
        with self._lock:
            began, self._unpriced = perf_counter(), 0
            return Report(self._rebuild(self._run()), perf_counter() - began, self._unpriced)

    def _run(self) -> prices.Run:
        if self._loaded is None:
            self._loaded = prices.load(self._store, self._book)
        return self._loaded

    def _tick(self, run: prices.Run) -> int:
        stages = Stages(self._store, run, self._next_version())
        traces = stages.begin("batch")
        stages.rate()
        self._unpriced += stages.unpriced()
        bounds = stages.bounds()
        if bounds is not None:
            bounds = stages.allocate(self._with_latest(bounds, stages.version))
            stages.sum_up(bounds)
            stages.add_hours(bounds)
        self._drop_touches()
        return traces

    def _rebuild(self, run: prices.Run) -> int:
        self._take_touches(_EVERY)
        stages = Stages(self._store, run, self._next_version())
        shares = 1 + self._store.query("SELECT count() AS spans FROM llm_calls")[0]["spans"] // _SPANS
        traces, bounds = 0, None
        for share in range(shares):
            traces += stages.begin("batch_everything", share=share, shares=shares)
            stages.rate()
            self._unpriced += stages.unpriced()
            bounds = _wider(bounds, stages.bounds())
        if bounds is not None:
            bounds = self._with_latest(bounds, stages.version)
            stages.forget_other_runs()
            stages.allocate(bounds)
            stages.add_hours(bounds)
            for share in range(shares):
                stages.begin("batch_everything", share=share, shares=shares)
                stages.sum_up(bounds)
        self._remember("rating_run", run.id, stages.version)
        self._drop_touches()
        return traces

    def _take_touches(self, limit: int) -> int:
        self._store.run("TRUNCATE TABLE rollup_touches")
        self._store.run(schema.sql("rollup/touches"), limit=limit)
        taken: int = self._store.query("SELECT count() AS taken FROM rollup_touches")[0]["taken"]
        return taken

    def _drop_touches(self) -> None:
        # Exactly those that were taken: what arrived meanwhile waits for the next run, however late it became visible.
        self._store.run("DELETE FROM touched_traces WHERE touch IN (SELECT touch FROM rollup_touches)")

    def _with_latest(self, bounds: Bounds, version: int) -> Bounds:
        latest = max(bounds.latest, self._state("latest"))
        self._remember("latest", latest, version)
        return replace(bounds, latest=latest)

    def _next_version(self) -> int:
        version = 1 + int(self._state("version") or 0)
        self._remember("version", str(version), version)
        return version

    def _state(self, name: str) -> str:
        asked = "SELECT value FROM rollup_state FINAL WHERE tenant = {tenant:String} AND name = {name:String}"
        found = self._store.query(asked, tenant=_TENANT, name=name)
        return str(found[0]["value"]) if found else ""

    def _remember(self, name: str, value: str, version: int) -> None:
        self._store.insert(
            "rollup_state", ("tenant", "name", "value", "version"), [[_TENANT], [name], [value], [version]]
        )


def _wider(one: Bounds | None, other: Bounds | None) -> Bounds | None:
    if one is None or other is None:
        return one or other
    return one | other
