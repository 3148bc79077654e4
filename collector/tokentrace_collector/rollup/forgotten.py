"""What a recomputation of everything does not give: what is to stay nevertheless, and what is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_OTHER_RUNS = """
DELETE FROM {table}
WHERE rating_run != {{run:String}}
    AND {kinds}
    AND toUnixTimestamp(hour) + 3600 > {{horizon:Int64}}
    AND NOT has({{spared:Array(String)}}, concat(tenant, '\\n', pool, '\\n', toString(hour)))
"""
_POOLS = {"capacity_hours": "true", "capacity_lines": "kind IN ('used', 'idle', 'fixed')"}
# A period of a commitment is worked out from costs, of closed traces too, as long as all of them are kept.
_OTHER_COMMITMENTS = """
DELETE FROM capacity_lines
WHERE rating_run != {run:String}
    AND startsWith(kind, 'commit_')
    AND hour >= toDateTime({kept:String}, 'UTC')
    AND toUnixTimestamp(hour) >= transform(toString(pool), {names:Array(String)}, {ends:Array(Int64)}, 0)
"""
_OTHER_PERIODS = """
DELETE FROM commitment_periods
WHERE rating_run != {run:String} AND since >= toDateTime({kept:String}, 'UTC')
"""
_STRADDLING = """
SELECT
    commitment,
    toInt64(toUnixTimestamp(max(until))) AS end
FROM commitment_periods FINAL
WHERE since < toDateTime({kept:String}, 'UTC') AND until > toDateTime({kept:String}, 'UTC')
GROUP BY commitment
"""
_OPEN = """{horizon:DateTime64(6)} = toDateTime64(0, 6) OR (tenant, trace_id) NOT IN (
        SELECT tenant, trace_id
        FROM trace_extents
        GROUP BY tenant, trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )"""
_KEYS = """
SELECT sorting_key
FROM system.tables
WHERE database = currentDatabase() AND name IN ({name:String}, concat({name:String}, '_local')) AND sorting_key != ''
"""
# All but its key is as nothing in a row that is deleted, and need not be read.
_LEFT_OVER = """
INSERT INTO {table} ({key}, version, is_deleted)
SELECT {key}, {{version:UInt64}}, 1
FROM {table} FINAL
WHERE version < {{version:UInt64}} AND ({condition})
"""
_NOTHING_BEHIND = {
    "call_costs": _OPEN,
    "tcoai_by_trace": _OPEN,
    # Capacity is allocated hour by hour; a share of a review is as long as the review is.
    "capacity_lines": """kind = 'review_share'
        AND (tenant, review_trace_id, review_span_id) NOT IN (
            SELECT tenant, trace_id, span_id
            FROM call_costs FINAL
            WHERE kind = 'review'
                AND (tenant, trace_id) IN (
                    SELECT tenant, review_trace_id
                    FROM capacity_lines
                    WHERE kind = 'review_share'
                )
        )""",
    # Hours keep what earlier prices gave; and those that nobody used are not allocated again.
    "tcoai_by_hour": """rating_run = {run:String}
        AND hour >= {kept:DateTime}
        AND (tenant, hour) NOT IN (SELECT tenant, hour FROM call_costs FINAL)
        AND (tenant, hour) NOT IN (SELECT tenant, hour FROM capacity_lines FINAL)""",
}
"""What tells a row that a recomputation of everything would have given anew, had it given it."""


@dataclass(frozen=True, slots=True)
class Late:
    """What came late to closed traces."""

    added: int = 0
    """Calls and reviews that were added to what these cost."""
    undecided: int = 0
    """Calls that bear no cost, as nobody knows any more whether another tells of the same."""

    def __add__(self, other: Late) -> Late:
        return Late(self.added + other.added, self.undecided + other.undecided)


def late(store: Store) -> Late:
    """What of the batch that has been decided came late."""
    return Late(**store.query(schema.sql("rollup/late"))[0])


def drop_other_runs(store: Store, run: str, horizon: str, kept: str) -> None:
    """Drop the shares of capacity and commitments that other prices made, but for those that stay as they are."""
    spared = [row["spared"] for row in store.query(schema.sql("rollup/spared"), horizon=horizon)]
    until = int(datetime.fromisoformat(horizon).replace(tzinfo=UTC).timestamp())
    for table, kinds in _POOLS.items():
        # By name: where tables are replicated, other servers know nothing of what this run has found.
        store.run(_OTHER_RUNS.format(table=table, kinds=kinds), run=run, horizon=until, spared=spared)
    since = kept[:19]
    ends = {row["commitment"]: row["end"] for row in store.query(_STRADDLING, kept=since)}
    # Never empty: the engine would not know what to transform to.
    store.run(_OTHER_COMMITMENTS, run=run, kept=since, names=["", *ends], ends=[0, *ends.values()])
    store.run(_OTHER_PERIODS, run=run, kept=since)


def left_over(store: Store, table: str) -> str:
    """The statement that drops from a table what no span is behind any more."""
    key = store.query(_KEYS, name=table)[0]["sorting_key"]
    return _LEFT_OVER.format(table=table, key=key, condition=_NOTHING_BEHIND[table])
