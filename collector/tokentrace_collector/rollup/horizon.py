"""The horizon: traces that came before it are closed, since spans of theirs may have expired.

It only ever moves on, and is kept beside the tables: whoever rolls up this database has the same, and a retention that
is made longer opens nothing again of which something is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tokentrace_collector.retention import Retention
from tokentrace_collector.rollup.state import State
from tokentrace_collector.store import cluster
from tokentrace_collector.store.database import Store

NEVER = "1970-01-01 00:00:00"
"""Where it stands as long as everything is kept."""

_HORIZON, _KEPT, _DROPPED = "horizon", "kept", "dropped"
_CALLS, _COSTS, _APPLIED = "retention_calls", "retention_costs", "retention"
# A day before the engine may begin to take rows away: longer than any run of the rollup lasts.
_CLOSED = "SELECT toString(toStartOfHour(now() - INTERVAL {seconds:UInt64} SECOND + INTERVAL 1 DAY)) AS moment"
_MONTH = "SELECT toString(toDateTime(toStartOfMonth(now() - INTERVAL {seconds:UInt64} SECOND))) AS moment"

_BY_MONTH = ("call_costs", "capacity_lines", "tcoai_by_trace")
"""Tables of cost that lose whole months, at once."""
_PARTITIONS = "SELECT DISTINCT _partition_id AS month FROM {table} WHERE _partition_id < {{before:String}}"
_RECEIVED = {"otel_traces": "IngestedAt", "llm_calls": "ingested_at"}
"""Tables of spans, and when a row came: one that comes late is kept as long as any other, and seen before it goes."""
_TOLD = {
    "trace_extents": "until",
    "reviews": "ended_at",
    "reviewed": "ended_at",
    "outcomes": "reported_at",
    "work_unit_runs": "started_at",
}
"""Tables that nothing is asked of where the costs of the trace are gone, and what dates a row."""
_LONGER = timedelta(days=62)
"""Costs go by whole months, and what they are found by goes after them."""
_HAS_TTL = """
SELECT count() AS tables
FROM system.tables
WHERE database = currentDatabase()
    AND name IN ({table:String}, concat({table:String}, '_local'))
    AND position(engine_full, ' TTL ') > 0
"""


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far a database has forgotten, and how it goes on to."""

    store: Store
    state: State

    @property
    def closed_before(self) -> str:
        """Traces whose first span came before this moment keep the figures that they have."""
        return self.state.get(_HORIZON) or NEVER

    @property
    def kept_since(self) -> str:
        """Hours before this one keep the sums that they have, and nothing that these are made of."""
        return self.state.get(_KEPT) or NEVER

    def is_due(self, wanted: Retention | None) -> bool:
        """Whether there is anything to do: time has passed, or another retention is wanted than is in force."""
        return (
            (wanted is not None and self.state.get(_APPLIED) != _written(wanted))
            or self._reached(_CALLS, _CLOSED) > self.closed_before
            or max(self._reached(_COSTS, _MONTH), self.kept_since) > (self.state.get(_DROPPED) or NEVER)
        )

    def advance(self) -> None:
        """Go on as time does. To be done before a run, which must not see half of a trace."""
        if (moment := self._reached(_CALLS, _CLOSED)) > self.closed_before:
            self._put(_HORIZON, moment)
        if (month := self._reached(_COSTS, _MONTH)) > self.kept_since:
            self._put(_KEPT, month)
        if (kept := self.kept_since) > (self.state.get(_DROPPED) or NEVER):
            self._drop(kept)
            self._put(_DROPPED, kept)

    def keep(self, wanted: Retention) -> None:
        """Have the engine keep everything so long from now on. To be done after a run, when nothing waits.

        May be repeated after a crash.
        """
        if self.state.get(_APPLIED) == _written(wanted):
            return
        # The engine must not take away what the horizon has not passed: until it is told, the shorter time counts.
        for name, kept in ((_CALLS, wanted.calls_for), (_COSTS, wanted.costs)):
            then = [seconds for seconds in (self._seconds(name), _seconds(kept)) if seconds]
            self._put(name, str(min(then)) if then else "")
        self.advance()
        for statement in self._statements(wanted):
            for each in cluster.statements(statement, self.store.address.cluster):
                self.store.run(each)
        for name, kept in ((_CALLS, wanted.calls_for), (_COSTS, wanted.costs)):
            self._put(name, str(_seconds(kept) or ""))
        self._put(_APPLIED, _written(wanted))

    def _statements(self, wanted: Retention) -> Iterator[str]:
        costs = wanted.costs + _LONGER if wanted.costs else None
        for kept, tables in ((wanted.raw_for, ("otel_traces",)), (wanted.calls_for, ("llm_calls",)), (costs, _TOLD)):
            for table in tables:
                column = {**_RECEIVED, **_TOLD}[table]
                if kept is not None:
                    yield f"ALTER TABLE {table} MODIFY TTL toDateTime({column}) + INTERVAL {_seconds(kept)} SECOND"
                elif self.store.query(_HAS_TTL, table=table)[0]["tables"]:
                    yield f"ALTER TABLE {table} REMOVE TTL"

    def _drop(self, before: str) -> None:
        month = before[:7].replace("-", "")
        for table in _BY_MONTH:
            for found in self.store.query(_PARTITIONS.format(table=table), before=month):
                drop = f"ALTER TABLE {table} DROP PARTITION ID '{found['month']}'"
                for statement in cluster.statements(drop, self.store.address.cluster):
                    self.store.run(statement)

    def _reached(self, name: str, asked: str) -> str:
        """The moment that a retention has reached, by the clock of the database."""
        seconds = self._seconds(name)
        return str(self.store.query(asked, seconds=seconds)[0]["moment"]) if seconds else NEVER

    def _seconds(self, name: str) -> int | None:
        return int(self.state.get(name) or 0) or None

    def _put(self, name: str, value: str) -> None:
        self.state.put(name, value, self.state.next_version())


def _seconds(kept: timedelta | None) -> int | None:
    return int(kept.total_seconds()) if kept else None


def _written(wanted: Retention) -> str:
    if wanted == Retention():
        return ""
    return " ".join(str(_seconds(kept)) for kept in (wanted.raw_for, wanted.calls_for, wanted.costs))
