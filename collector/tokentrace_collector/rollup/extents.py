"""How far the traces of a small batch reach, so that of the tables of cost only the places are read where they are.

These are ordered by hour or day before the trace. Of a large batch as many places are read as there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tokentrace_collector.store.database import Store

_MOST = 50_000
"""Hours of a batch that are looked up one by one."""
_HOURS = """
SELECT
    sum(length(hours)) AS looked_up,
    countIf(empty(hours)) AS boundless
FROM rollup_extents
"""
_BATCH = r"WHERE \(tenant, trace_id\) IN \(SELECT tenant, trace_id FROM rollup_batch\)"
_READ = re.compile(rf"(?P<from>\bFROM (?P<table>call_costs|tcoai_by_trace)(?: FINAL)?\s+){_BATCH}")
_PLACES = {
    "call_costs": "WHERE (tenant, hour, trace_id) IN (SELECT tenant, arrayJoin(hours), trace_id FROM rollup_extents)",
    "tcoai_by_trace": (
        "WHERE (tenant, day, trace_id) IN "
        "(SELECT DISTINCT tenant, toDate(arrayJoin(hours)), trace_id FROM rollup_extents)"
    ),
}


@dataclass(slots=True)
class Extents:
    """When the traces of a batch took place, each; until they have been read, or where that is too much, nothing."""

    store: Store
    do: Callable[[str], None]
    """Runs a statement by its name."""
    are_known: bool = False

    def clear(self) -> None:
        """Keep nothing."""
        self.store.run("TRUNCATE TABLE rollup_extents")
        self.are_known = False

    def read(self) -> None:
        """Read those of the batch as it is."""
        self.clear()
        self.do("extents")
        (found,) = self.store.query(_HOURS)
        self.are_known = found["looked_up"] <= _MOST and not found["boundless"]

    def of(self, sql: str) -> str:
        """A statement about the costs of the batch, as it finds these."""
        if not self.are_known:
            return sql
        return _READ.sub(lambda found: found["from"] + _PLACES[found["table"]], sql)

    def reach(self, sql: str) -> str:
        """A statement about from when to when the traces of the batch were, as it finds that."""
        return sql.replace("FROM trace_extents\n", "FROM rollup_extents\n") if self.are_known else sql
