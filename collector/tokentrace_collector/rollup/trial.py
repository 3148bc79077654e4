"""A trial: tables of cost beside those of the books, in which everything is rated by other prices."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Self

from tokentrace_collector.reports.documents.spending import Repriced
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.rollup.orders import Repricing
from tokentrace_collector.rollup.stages import Stages
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_TABLES = ("call_costs", "capacity_hours", "capacity_lines", "commitment_periods", "tcoai_by_hour")
_VIEWS = {"cost_lines": "views/10_cost_lines", "unknown_usage": "views/11_unknown_usage"}
_BESIDE = re.compile(rf"\b({'|'.join((*_TABLES, *_VIEWS))})\b(?!\()")
_KEYS = """
SELECT
    if(partition_key = '', 'tuple()', partition_key) AS partition,
    sorting_key
FROM system.tables
WHERE database = currentDatabase() AND name IN ({name:String}, concat({name:String}, '_local')) AND sorting_key != ''
"""
# The keys of tables that are replicated say where; these are for one connection, and gone after it.
_TABLE = """
CREATE TABLE trial_{name} AS {name}
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY {partition}
ORDER BY ({sorting_key})
"""
_CLOSED_CALLS = """
INSERT INTO trial_call_costs
SELECT *
FROM call_costs FINAL
WHERE (tenant, trace_id) IN (
        SELECT tenant, trace_id
        FROM trace_extents
        GROUP BY tenant, trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )
"""
_CLOSED_REVIEWS = """
INSERT INTO trial_capacity_lines
SELECT *
FROM capacity_lines FINAL
WHERE kind = 'review_share'
    AND (tenant, review_trace_id) IN (
        SELECT tenant, trace_id
        FROM trace_extents
        GROUP BY tenant, trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )
"""
_CLOSED_CAPACITY = """
INSERT INTO trial_{name}
SELECT *
FROM {name} FINAL
WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_closed_hours)
"""


def sql(name: str) -> str:
    """A statement of the rollup, about the tables of the trial."""
    return _BESIDE.sub(r"trial_\1", schema.sql(name))


def into(name: str) -> str:
    """A statement of the rollup that reads the books, and writes what it makes of them into the tables of the trial."""
    return schema.instead(schema.sql(name), "INSERT INTO ", "INSERT INTO trial_")


class Trial:
    """The tables of a trial, from `with` to its end."""

    def __init__(self, store: Store, stages: Stages, before: str) -> None:
        self._store = store
        self._stages = stages
        self._before = before

    def __enter__(self) -> Self:
        self._drop()
        for name in _TABLES:
            keys = self._store.query(_KEYS, name=name)[0]
            self._store.run(_TABLE.format(name=name, **keys))
        for view in _VIEWS.values():
            self._store.run(sql(view))
        self._spare()
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def compared(self, before: str, after: str, wanted: Repricing) -> list[Repriced]:
        """The costs of the books beside those of the trial: in all, by model, and by team."""
        rows = self._store.query(
            schema.sql("reports/repricing"),
            tenant=wanted.tenant,
            before=before,
            after=after,
            since=wanted.since,
            until=wanted.until,
        )
        return [_repriced(row) for row in rows]

    def _spare(self) -> None:
        """Have closed figures be the same by other prices as by those of the books."""
        stages = self._stages
        if stages.forgets:
            stages.close_hours(schema.sql)
            self._store.run(_CLOSED_CALLS, horizon=stages.closed_before)
            self._store.run(_CLOSED_REVIEWS, horizon=stages.closed_before)
            for name in ("capacity_hours", "capacity_lines"):
                self._store.run(_CLOSED_CAPACITY.format(name=name))
        replace(stages, statement=into).carry_hours(self._before)

    def _drop(self) -> None:
        for name in _VIEWS:
            self._store.run(f"DROP VIEW IF EXISTS trial_{name} SYNC")
        for name in _TABLES:
            self._store.run(f"DROP TABLE IF EXISTS trial_{name} SYNC")


def _repriced(row: dict[str, Any]) -> Repriced:
    return {
        "by": row["by"],
        "name": row["name"],
        "currency": row["currency"],
        "before": decimal(row["before"]),
        "after": decimal(row["after"]),
        "delta": decimal(row["delta"]),
        "lines": row["lines"],
        "unpriced_before": row["unpriced_before"],
        "unpriced_after": row["unpriced_after"],
    }
