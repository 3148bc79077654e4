"""The rollup: whole traces recomputed into what they cost, whenever a span of theirs has arrived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from time import perf_counter

from tokentrace_collector.prices import rates
from tokentrace_collector.prices.book import Book
from tokentrace_collector.reports.documents.spending import Repriced
from tokentrace_collector.reports.documents.upkeep import Verified
from tokentrace_collector.retention import Retention
from tokentrace_collector.rollup import again, closing, deletion, hours, trial
from tokentrace_collector.rollup.deletion import Marked, Scrub, Wanted
from tokentrace_collector.rollup.forgotten import Late
from tokentrace_collector.rollup.horizon import Horizon
from tokentrace_collector.rollup.lease import Hold, Lease, TakenError
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.rollup.stages import Bounds, Stages
from tokentrace_collector.rollup.state import State
from tokentrace_collector.rollup.touches import Touches
from tokentrace_collector.rollup.verify import Verification
from tokentrace_collector.store import cluster, schema
from tokentrace_collector.store.database import Store

_TOUCHES = 200_000
"""Touches that one batch works off; it bounds memory."""
_EVERY = 1 << 62
_SPANS = 500_000
"""Spans of one share of a rebuild; it bounds memory."""
_AGAIN = 2
"""Times that a comparison is made again which spans may have disturbed."""
_PATIENCE = 60.0
"""Seconds that a rebuild waits for the rollup of another collector."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run of the rollup did."""

    traces: int
    """Traces recomputed."""
    seconds: float
    unpriced: int = 0
    """Calls among them that used something of which no price is known."""
    unread: int = 0
    """Spans among theirs that count tokens in a dialect that nobody knows."""
    late: int = 0
    """Calls and reviews that came late to closed traces, and were added to what these cost."""
    undecided: int = 0
    """Calls that came so late and bear no cost: whether another tells of the same is not known any more."""
    is_elsewhere: bool = False
    """Nothing was done here, as another collector was at it."""
    verified: Verified | None = None
    rating_run: str = ""
    """The prices that were tried."""
    repriced: list[Repriced] | None = None


class Rollup:
    """Keeps the tables of cost equal to a recomputation from all spans. Every step may be repeated after a crash.

    Collectors that share a database take turns: what one is at, the others leave alone.
    """

    def __init__(
        self,
        store: Store,
        book: Book | None = None,
        *,
        retention: Retention | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        """`retention`: how long everything is kept from now on; None: as it is kept so far."""
        self._store = store
        self._book = book or Book()
        self._lease = Lease(store)
        self._touches = Touches(store)
        self._retention = retention
        self._remembered = State(store)
        self._horizon = Horizon(store, self._remembered)
        self._patience = patience
        self._lock = Lock()
        self._loaded: rates.Run | None = None
        self._forget_counts()

    def tick(self) -> Report:
        """Recompute the traces touched since the last time; every trace where prices have changed."""
        with self._lock:
            began, run, traces = perf_counter(), self._run(), 0
            self._forget_counts()
            if self._is_up_to_date(run) and not self._horizon.is_due(self._retention):
                return Report(0, perf_counter() - began)
            try:
                with self._lease.held() as hold, self._remembered.read_once():
                    traces = self._catch_up(run, hold)
                    if self._retention is not None:
                        hold.check()
                        self._horizon.keep(self._retention)
                        # Once: collectors that want it otherwise would take turns at rewriting tables.
                        self._retention = None
            except TakenError:
                return Report(0, perf_counter() - began, is_elsewhere=True)
            return self._report(traces, began)

    def rebuild(self) -> Report:
        """Recompute every trace from the spans that are stored."""
        with self._lock:
            began = perf_counter()
            self._forget_counts()
            with self._lease.held(self._patience) as hold:
                self._horizon.advance()
                traces = self._rebuild(self._run(), hold)
            return self._report(traces, began)

    def verify(self) -> Report:
        """Hold the tables against a recomputation of every trace; what differs is put right by it."""
        with self._lock:
            began, verification = perf_counter(), Verification(self._store)
            with self._lease.held(self._patience) as hold:
                report, again = self._verify(verification, hold, began), _AGAIN
                while again and _is_in_doubt(report):
                    report, again = self._verify(verification, hold, began), again - 1
                verification.forget()
            return report

    def count(self, wanted: Wanted) -> dict[str, int]:
        """The rows that a deletion would take out, by table."""
        with self._lock, self._lease.held(self._patience):
            deletion.find(self._store, wanted)
            return deletion.count(self._store)

    def delete(self, wanted: Wanted, scrub: Scrub) -> dict[str, int]:
        """Take traces out of every table, as if they had never come; the rows that were, by table.

        May be repeated after a crash, with the same outcome. `scrub` hears which traces, before they are gone.
        """
        with self._lock, self._lease.held(self._patience) as hold:
            run = self._run()
            self._catch_up(run, hold)
            marked = Marked.of(self._store, wanted)
            marked.choose()
            rows = deletion.count(self._store)
            scrub(marked.traces())
            marked.touch_others()
            hold.check()
            marked.take_out()
            if wanted.kind == "tenant":
                marked.forget_earlier(wanted.tenant, run.id, self._horizon.kept_since)
                marked.forget_months(wanted.tenant)
            self._settle(marked, run, hold)
            hold.check()
            marked.forget()
            self._catch_up(run, hold)
            marked.rebook(self._remembered.next_version())
            marked.unmark()
            return rows

    def _settle(self, marked: Marked, run: rates.Run, hold: Hold) -> None:
        """Sum up anew what deleted traces were part of."""
        if (bounds := marked.bounds()) is None:
            return
        stages = self._stages(run, hold)
        stages.clear()
        marked.choose()
        marked.cancel(stages.version)
        bounds = stages.allocate(self._with_latest(bounds, stages.version))
        stages.sum_up(bounds)
        stages.add_hours(bounds)
        stages.clear()

    def close(self, wanted: Closing) -> Report:
        """Book a month for good, with all that has arrived; ClosingError where it cannot be closed."""
        with self._lock:
            began = perf_counter()
            self._forget_counts()
            with self._lease.held(self._patience) as hold:
                traces = self._catch_up(self._run(), hold)
                closing.close(self._store, wanted, self._remembered.next_version(), hold)
            return self._report(traces, began)

    def reprice(self, wanted: Repricing) -> Report:
        """Rate everything by other prices beside the books; by these from now on, if that is wanted."""
        with self._lock:
            began, book = perf_counter(), wanted.book or self._book
            with self._lease.held(self._patience) as hold:
                self._catch_up(self._run(), hold)
                self._forget_counts()
                tried = rates.load(self._store, book, is_tried=not wanted.adopt)
                stages = replace(self._stages(tried, hold), statement=trial.sql)
                with trial.Trial(self._store, stages, self._run().id) as beside:
                    traces, bounds = self._rate_again(stages)
                    if bounds is not None:
                        bounds = replace(bounds, latest=max(bounds.latest, self._remembered.get("latest")))
                        stages.allocate(bounds)
                        stages.add_hours(bounds)
                    stages.add_closed_hours()
                    changes = beside.compared(self._run().id, tried.id, wanted)
                if wanted.adopt:
                    self._book, self._loaded = book, tried
                    self._forget_counts()
                    self._catch_up(tried, hold)
            return replace(self._report(traces, began), rating_run=tried.id, repriced=changes)

    def _verify(self, verification: Verification, hold: Hold, began: float) -> Report:
        self._catch_up(self._run(), hold)
        rows = verification.note()
        self._forget_counts()
        traces = self._rebuild(self._run(), hold)
        found = Verified(
            rows=rows,
            closed=verification.closed(self._horizon.closed_before),
            differences=verification.differences(),
            is_disturbed=self._is_disturbed(),
        )
        return replace(self._report(traces, began), verified=found)

    def _is_disturbed(self) -> bool:
        """Whether spans have come since the work before the latest rebuild was done."""
        return bool(self._store.query("SELECT 1 FROM rollup_touches LIMIT 1")) or self._touches.are_waiting()

    def _run(self) -> rates.Run:
        if self._loaded is None:
            self._loaded = rates.load(self._store, self._book)
        return self._loaded

    def _is_up_to_date(self, run: rates.Run) -> bool:
        return not self._touches.are_waiting() and self._remembered.get("rating_run") == run.id

    def _catch_up(self, run: rates.Run, hold: Hold) -> int:
        self._horizon.advance()
        if self._remembered.get("rating_run") != run.id:
            return self._rebuild(run, hold)
        if (sound := hours.behind(self._remembered)) is not None:
            self._sum_what_is_behind(run, hold, sound)
        traces, taken = 0, _TOUCHES
        # A batch that was not full was the last: what arrives meanwhile waits, or a busy store would never let go.
        while taken == _TOUCHES and (taken := self._touches.take(_TOUCHES)):
            traces += self._tick(run, hold)
        return traces

    def _tick(self, run: rates.Run, hold: Hold) -> int:
        sound = hours.behind(self._remembered)
        stages = self._stages(run, hold, sound)
        traces = stages.begin("batch")
        is_small = stages.read_costs()
        self._rate(stages)
        stages.costs.write()
        bounds = stages.bounds()
        if bounds is not None:
            stages.leave(bounds)
            stages.share_reviews(bounds)
            bounds = stages.allocate(self._with_latest(bounds, stages.version))
            stages.sum_up(bounds)
            if is_small:
                stages.change_hours()
            else:
                stages.add_hours(bounds)
        hold.check()
        if sound is None or bounds is not None:
            hours.are_summed(self._remembered, stages.version)
        self._touches.drop()
        return traces

    def _sum_what_is_behind(self, run: rates.Run, hold: Hold, sound: int) -> None:
        if servers := self._store.address.cluster:
            # What another server has written before it broke off, this one may not have yet.
            for statement in cluster.settled(self._store.address.database, servers):
                self._store.run(statement)
        # That is not remembered before the next batch has been shared out, too.
        self._stages(run, hold).catch_up(sound)

    def _rebuild(self, run: rates.Run, hold: Hold) -> int:
        sound = hours.behind(self._remembered)
        self._touches.take(_EVERY)
        stages = self._stages(run, hold, sound)
        stands_alone = stages.stands_alone
        traces, bounds = self._sum_everything(stages) if stands_alone else self._rate_everything(stages)
        # Before hours are summed up in which closed traces have figures, too.
        stages.forget_left_over("call_costs", "capacity_lines")
        if bounds is not None:
            bounds = self._with_latest(bounds, stages.version)
            stages.forget_other_runs()
            bounds = stages.allocate(bounds)
            stages.add_hours(bounds)
        stages.add_closed_hours()
        stages.carry_hours(self._remembered.get("rating_run"))
        if bounds is not None and not stands_alone:
            for share in self._shares():
                stages.begin("batch_everything", **share)
                stages.sum_up(bounds)
        hold.check()
        stages.forget_left_over("tcoai_by_trace", "tcoai_by_hour")
        hours.are_summed(self._remembered, stages.version)
        self._remembered.put("rating_run", run.id, stages.version)
        self._touches.drop()
        return traces

    def _rate_again(self, stages: Stages) -> tuple[int, Bounds | None]:
        """Rate all traces by the prices of a trial: what the books hold of them, where that is enough."""
        if (found := again.rate(stages, self._run())) is None:
            return self._rate_everything(stages)
        self._unpriced, self._unread = found.unpriced, found.unread
        return found.traces, found.bounds

    def _rate_everything(self, stages: Stages) -> tuple[int, Bounds | None]:
        traces, bounds = 0, None
        for share in self._shares():
            traces += stages.begin("batch_everything", **share)
            self._rate(stages)
            if (these := stages.bounds()) is not None:
                stages.leave(these)
                stages.share_reviews(these)
            bounds = _wider(bounds, these)
        return traces, bounds

    def _sum_everything(self, stages: Stages) -> tuple[int, Bounds | None]:
        """Rate all traces, and sum them up at once, as none has a share in anything."""
        traces, bounds = 0, None
        for share in self._shares():
            traces += stages.begin("batch_everything", **share)
            # In the table they lie by hour: to find those of some traces, all of it would be read, for each share.
            stages.costs.keep()
            self._rate(stages)
            stages.forget_lines()
            stages.costs.write()
            if (these := stages.bounds()) is not None:
                stages.add_traces(these)
            bounds = _wider(bounds, these)
        stages.clear()
        return traces, bounds

    def _shares(self) -> list[dict[str, str]]:
        """From which trace up to which each share goes: neighbours in the table, so that only they are read."""
        found = self._store.query(schema.sql("rollup/sample"))[0]
        spans: int = found["spans"]
        traces: list[str] = found["traces"]
        shares = 1 + spans // _SPANS
        starts = sorted({traces[len(traces) * share // shares] for share in range(1, shares)} - {""})
        firsts, beyond = ["", *starts], [*starts, ""]
        return [{"first": first, "beyond": end} for first, end in zip(firsts, beyond, strict=True)]

    def _with_latest(self, bounds: Bounds, version: int) -> Bounds:
        latest = max(bounds.latest, self._remembered.get("latest"))
        self._remembered.put("latest", latest, version)
        return replace(bounds, latest=latest)

    def _stages(self, run: rates.Run, hold: Hold, sound: int | None = None) -> Stages:
        stages = Stages(
            self._store,
            run,
            self._remembered.next_version(),
            hold.check,
            closed_before=self._horizon.closed_before,
            kept_since=self._horizon.kept_since,
        )
        return stages if sound is None else replace(stages, sound=sound)

    def _rate(self, stages: Stages) -> None:
        stages.rate()
        self._unpriced += stages.unpriced()
        self._unread += stages.unread()
        self._late += stages.late()

    def _forget_counts(self) -> None:
        self._unpriced = self._unread = 0
        self._late = Late()

    def _report(self, traces: int, began: float) -> Report:
        seconds = perf_counter() - began
        return Report(traces, seconds, self._unpriced, self._unread, self._late.added, self._late.undecided)


def _is_in_doubt(report: Report) -> bool:
    """Whether what differs may be what came between."""
    return report.verified is not None and bool(report.verified["differences"]) and report.verified["is_disturbed"]


def _wider(one: Bounds | None, other: Bounds | None) -> Bounds | None:
    if one is None or other is None:
        return one or other
    return one | other
