"""The stages of a rollup: from a batch of traces to their costs, shares of capacity, sums and hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tokentrace_collector.prices import rates
from tokentrace_collector.rollup import commitments, forgotten, hours, rating
from tokentrace_collector.rollup.costs import Costs
from tokentrace_collector.rollup.extents import Extents
from tokentrace_collector.rollup.forgotten import Late
from tokentrace_collector.rollup.gathered import STEPS, Gathered
from tokentrace_collector.rollup.horizon import NEVER
from tokentrace_collector.rollup.hours import Hours
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_SETTINGS = {
    # An alias that is named like a column would otherwise stand for the column in WHERE, silently.
    "prefer_column_name_to_alias": 1,
    # A row never changes its partition, so duplicates meet inside one.
    "do_not_merge_across_partitions_select_final": 1,
    # A server may have it otherwise: what a trace has no share of would make its total NULL, and that be read as 0.
    "join_use_nulls": 0,
    # Which traces are wanted is asked before anything else of a row is read; with FINAL only keys are asked so early.
    "optimize_move_to_prewhere_if_final": 1,
    # To share a join among threads, all columns are copied, and the rows of a batch are wide.
    "join_algorithm": "direct,hash",
    # By default so little is read at once that most of the time goes into beginning anew with each column.
    "preferred_block_size_bytes": 4 << 20,
}
_UNREAD = """
SELECT count() AS spans
FROM llm_calls FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND convention = 'unknown'
"""
_OPEN_TRACES = """
SELECT uniqExact(tenant, trace_id) AS traces
FROM rollup_batch
WHERE (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
"""
_UNPRICED = "SELECT uniqExact(number) AS calls FROM rollup_lines WHERE unpriced > 0"

_SCRATCH = (
    "batch",
    *rating.SCRATCH,
    *hours.SCRATCH,
    "pool_hours",
    "shares",
    "closed",
    "rated",
    "closed_hours",
    *commitments.SCRATCH,
)

TABLES = {
    "call_costs": "total",
    "capacity_hours": "cost",
    "capacity_lines": "amount",
    "commitment_periods": "fee",
    "tcoai_by_hour": "amount",
    "tcoai_by_trace": "total",
}
"""What the rollup keeps, with the amount that tells a person most of a row."""
_REVIEWS = ("review_shares", "review_shares_gone")
_REVIEWED = """
SELECT 1
FROM reviewed
WHERE (tenant, trace_id, review_trace_id) IN (SELECT tenant, '', trace_id FROM rollup_batch)
LIMIT 1
"""
_CLOSED = "SELECT 1 FROM rollup_closed LIMIT 1"
_SHARED = """
SELECT 1 FROM capacity_lines
WHERE kind = 'review_share' AND (version = {version:UInt64} OR version > {sound:UInt64})
LIMIT 1
"""
_IS_SHARED = "SELECT (SELECT count() FROM reviewed) + (SELECT count() FROM capacity_lines) > 0 AS is_shared"
_ANY = (1 << 64) - 1
_ALLOCATION = ("pool_hours", "shares", "capacity_hours", "capacity_hours_gone", "capacity_lines", "capacity_lines_gone")


@dataclass(frozen=True, slots=True)
class Bounds:
    """When the spans of a batch began and ended, and up to when time has passed; as the database writes it."""

    since: str
    until: str
    latest: str

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(min(self.since, other.since), max(self.until, other.until), max(self.latest, other.latest))


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of one run; all rows it writes carry its version."""

    store: Store
    run: rates.Run
    version: int
    check: Callable[[], None]
    """Raises where the run is not to go on."""
    statement: Callable[[str], str] = schema.sql
    """The text of a statement, by its name."""
    closed_before: str = field(default=NEVER, kw_only=True)
    """The horizon: traces that came before it may have lost spans, and keep the figures that they have."""
    kept_since: str = field(default=NEVER, kw_only=True)
    """Of hours before this one only sums are kept."""
    sound: int = field(default=_ANY, kw_only=True)
    """The last run before one that was cut short: what has been shared out since is shared out again."""
    gathered: Gathered = field(init=False)
    extents: Extents = field(init=False)
    costs: Costs = field(init=False)
    hours: Hours = field(init=False)

    def __post_init__(self) -> None:
        """Nothing has been read of the batch yet."""
        object.__setattr__(self, "gathered", Gathered(self.store, self.send))
        object.__setattr__(self, "extents", Extents(self.store, self._do))
        object.__setattr__(self, "costs", Costs(self.store, self._do))
        hours = Hours(self.store, self._do, self.send, self.run.id, self.version, self.kept_since)
        object.__setattr__(self, "hours", hours)

    def begin(self, statement: str, **parameters: Any) -> int:
        """Choose the traces of the batch, and those they bear upon; how many there are."""
        self.check()
        self.clear()
        self._do(statement, **parameters)
        self.gathered.begin()
        for neighbours in ("batch_responses", "batch_retellings", "batch_reviews"):
            self._do(neighbours)
            self.gathered.add()
        self._settle()
        return self._count()

    @property
    def forgets(self) -> bool:
        """Whether anything may have expired, ever."""
        return self.closed_before > NEVER

    def clear(self) -> None:
        """Leave nothing of an earlier batch."""
        for table in _SCRATCH:
            self.store.run(f"TRUNCATE TABLE rollup_{table}")
        self.gathered.clear()
        self.extents.clear()
        self.costs.clear()

    def rate(self) -> None:
        """Decide for each call of the batch whether it bears cost, its role, its prices, its components."""
        stage = rating.Rating(self.store, self.run, self.statement, self._do, self.gathered.of, self.forgets)
        stage.rate(version=self.version, horizon=self.closed_before, kept=self.kept_since)

    def unpriced(self) -> int:
        """How many calls of the batch used something of which no price is known."""
        found: int = self.store.query(_UNPRICED)[0]["calls"]
        return found

    def unread(self) -> int:
        """How many spans of the batch count tokens in a dialect that nobody knows."""
        found: int = self.store.query(self.gathered.of(_UNREAD))[0]["spans"]
        return found

    def late(self) -> Late:
        """What of the batch came late to closed traces, and was added to them or not."""
        return forgotten.late(self.store) if self.forgets else Late()

    def bounds(self) -> Bounds | None:
        """When the batch took place; None where it has no spans."""
        # Time has passed up to what a span first said, too.
        asked = self.extents.reach(schema.sql("rollup/bounds"))
        found = self.store.query(self.gathered.of(asked))
        if not found:
            return None
        bounds = Bounds(**found[0])
        return replace(bounds, latest=max(bounds.latest, self.gathered.latest))

    def read_costs(self) -> bool:
        """Read what the batch has cost so far, before that changes; False where that would be too much.

        Or where some of it stays as it is, as traces of the batch are closed.
        """
        if self.extents.are_known and not (self.forgets and self.store.query(_CLOSED)):
            self.costs.read()
        return self.costs.are_kept

    def leave(self, bounds: Bounds) -> None:
        """Take the calls of the batch out of hours that they are not of any more."""
        if self.costs.are_kept:
            self.costs.leave(self.version)
            self.hours.note()
        else:
            self._do("call_costs_moved", since=bounds.since, until=bounds.until, version=self.version)

    def share_reviews(self, bounds: Bounds) -> None:
        """Share out what the reviews of the batch cost that are of a session, or of several requests."""
        if self.store.query(_REVIEWED):
            for statement in _REVIEWS:
                self._do(statement, **self._named(bounds))

    def forget_other_runs(self) -> None:
        """Drop the shares of capacity that other prices made."""
        self.close_hours(self.statement)
        forgotten.drop_other_runs(self.store, self.run.id, self.closed_before, self.kept_since)

    def allocate(self, bounds: Bounds) -> Bounds:
        """Share out the capacity and commitments that the run has changed; the bounds of all traces that bears upon.

        Also of those that have a share in a review.
        """
        book, named = self.run.book, self._named(bounds)
        if not self._has_capacity and not self._shares_reviews():
            return bounds
        if book.commitments:
            sharing = commitments.Sharing(self.store, self.run, self.statement, self._do, self.kept_since)
            if end := sharing.share(**named):
                # What a period has left unused is dated by its end, perhaps long after those who used the rest.
                bounds = replace(bounds, until=max(bounds.until, f"{end:%Y-%m-%d %H:%M:%S}.000000000"))
        if book.pools or book.platform:
            self.close_hours(self.statement)
            for statement in _ALLOCATION:
                self._do(statement, **named)
        self._do("batch_neighbours", version=self.version, sound=self.sound)
        self.costs.clear()
        self._settle()
        return bounds | (self.bounds() or bounds)

    @property
    def stands_alone(self) -> bool:
        """Whether nothing that a trace costs is a share of something, and what is rated is all there is of traces."""
        return self.keeps_all and not self._has_capacity and not self.store.query(_IS_SHARED)[0]["is_shared"]

    @property
    def keeps_all(self) -> bool:
        """Whether everything that was ever rated can be rated again."""
        return not self.forgets and self.kept_since == NEVER

    def forget_lines(self) -> None:
        """Keep no lines of the batch any more: they are the largest part of what is kept in memory."""
        self.store.run("TRUNCATE TABLE rollup_lines")

    def add_traces(self, bounds: Bounds) -> None:
        """Sum the batch up by trace, where none of it can have begun on another day before."""
        self._do("tcoai_by_trace", **self._named(bounds))

    def sum_up(self, bounds: Bounds) -> None:
        """Sum the batch up by trace."""
        self.add_traces(bounds)
        moved = self.extents.of(self.statement("rollup/tcoai_by_trace_moved"))
        self.send(self.costs.moved(moved), **self._named(bounds))

    def add_hours(self, bounds: Bounds) -> None:
        """Sum up the hours that the run has changed."""
        self._do("hours", **self._named(bounds))
        self.hours.sum_up()

    def change_hours(self) -> None:
        """Bring the hours up to date that the run has changed, by what has been noted before and since."""
        self.hours.change(is_shared=self._has_capacity or self._shares_reviews())

    def catch_up(self, summed: int) -> None:
        """Sum up the hours that a run has left behind that was cut short, after the last that was not."""
        self.clear()
        self.hours.catch_up(summed)

    def add_closed_hours(self) -> None:
        """Sum up, by the prices of the run, the hours in which closed traces have figures that it has not rated."""
        if self.forgets:
            self._do("hours_closed", kept=self.kept_since)
            self.hours.sum_up()

    def carry_hours(self, before: str) -> None:
        """Have the run go on with the sums of hours, by the prices before, of which nothing else is kept."""
        if self.kept_since > NEVER:
            self._do("hours_kept", run=self.run.id, version=self.version, kept=self.kept_since, before=before)

    def close_hours(self, statement: Callable[[str], str]) -> None:
        """Find the hours of capacity that stay allocated as they are, in the tables that a statement is about."""
        self.store.run("TRUNCATE TABLE rollup_closed_hours")
        if self.forgets:
            self.store.run(statement("rollup/closed_hours"), settings=_SETTINGS, horizon=self.closed_before)

    def forget_left_over(self, *tables: str) -> None:
        """Drop the rows that a recomputation of everything has not given: no span is behind them any more."""
        for table in tables:
            statement = forgotten.left_over(self.store, table)
            self.store.run(
                statement,
                settings=_SETTINGS,
                run=self.run.id,
                version=self.version,
                horizon=self.closed_before,
                kept=self.kept_since,
            )

    @property
    def _has_capacity(self) -> bool:
        book = self.run.book
        return bool(book.pools or book.platform or book.commitments)

    def _shares_reviews(self) -> bool:
        return bool(self.store.query(_SHARED, version=self.version, sound=self.sound))

    def _settle(self) -> None:
        """Read what has come into the batch."""
        self.gathered.settle()
        if self.gathered.traces is None:
            self.extents.clear()
        else:
            self.extents.read()
        if self.forgets:
            self._close()

    def _close(self) -> None:
        """Find which traces of the batch are closed, and what is known of them."""
        self._do("closed", horizon=self.closed_before)
        self.store.run("TRUNCATE TABLE rollup_rated")
        self._do("rated")

    def _named(self, bounds: Bounds) -> dict[str, Any]:
        return {
            "run": self.run.id,
            "version": self.version,
            "since": bounds.since,
            "until": bounds.until,
            "latest": bounds.latest,
            "kept": self.kept_since,
            "horizon": self.closed_before,
            "sound": self.sound,
        }

    def _count(self) -> int:
        count: int = self.store.query(_OPEN_TRACES)[0]["traces"]
        return count

    def _do(self, name: str, **parameters: Any) -> None:
        text = self.extents.of(self.costs.of(name, self.statement(f"rollup/{name}")))
        self.send(self.gathered.of(text) if name in STEPS else text, **parameters)

    def send(self, text: str, *, at_once: int | None = None, **parameters: Any) -> None:
        """Run the text of a statement, if the run is to go on; `at_once`: bytes that it collects for an insert."""
        self.check()
        settings = _SETTINGS if at_once is None else {**_SETTINGS, "min_insert_block_size_bytes": at_once}
        self.store.run(text, settings=settings, **parameters)
