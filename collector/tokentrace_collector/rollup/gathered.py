"""The spans of a small batch, read once for all steps.

The traces of a batch lie in as many places of every part of `llm_calls`, and to find them there takes longer than all
that is made of them. A large batch is not kept, as that would take memory, and lies in few places for its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

MOST = 5_000
"""Traces of a batch that is kept; it bounds memory."""
STEPS = frozenset(
    {
        "batch_responses",
        "batch_retellings",
        "batch_reviews",
        "extents",
        "spans",
        "rejected",
        "rates",
        "lines",
        "call_costs",
        "tcoai_by_trace",
    }
)
"""Statements that ask of `llm_calls` nothing but what is of the batch."""

_FROM = re.compile(r"\bFROM llm_calls\b(?P<alias> AS \w+)?(?: FINAL)?")
_TRACES = "SELECT uniqExact(tenant, trace_id) AS traces, uniqExact(tenant) AS tenants FROM rollup_batch"
_OF_ANY = """    AND (tenant, trace_id) IN (
        SELECT
            tenant,
            trace_id
        FROM rollup_batch
        WHERE (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_calls)
    )
"""
_OF_ONE = """    AND tenant IN (SELECT tenant FROM rollup_batch)
"""
"""The same, where there is one tenant, and nothing has been read."""
_REPEATED = """
ALTER TABLE rollup_calls
    DELETE WHERE (tenant, trace_id) IN (
        SELECT tenant, trace_id
        FROM rollup_calls
        GROUP BY tenant, trace_id
        HAVING count() != uniqExact(span_id, part)
    )
"""
"""Traces of which a span has been read in several versions are read again."""
_REPEATS = "SELECT count() != uniqExact(tenant, trace_id, span_id, part) AS repeats FROM rollup_calls"


@dataclass(slots=True)
class Gathered:
    """What of a batch has been read. Until something has, or where it is too much, every step reads for itself."""

    store: Store
    do: Callable[[str], None]
    """Runs the text of a statement."""
    traces: int | None = None
    """Those that have been read; None: every step reads for itself."""
    latest: str = ""
    """Up to when time has passed by versions of spans that are not kept, where there are any."""

    def clear(self) -> None:
        """Keep nothing."""
        self.store.run("TRUNCATE TABLE rollup_calls")
        self.traces, self.latest = None, ""

    def begin(self) -> None:
        """Read the batch, in every version that is stored of its spans: each may bear upon other traces."""
        self.traces = 0
        self.add()

    def add(self) -> None:
        """Read what has come into the batch since it was read."""
        if self.traces is None:
            return
        (found,) = self.store.query(_TRACES)
        traces: int = found["traces"]
        if traces > MOST:
            self.clear()
        elif traces > self.traces:
            text = schema.sql("rollup/calls")
            is_simple = self.traces == 0 and found["tenants"] == 1
            self.do(schema.instead(text, _OF_ANY, _OF_ONE) if is_simple else text)
            self.traces = traces

    def settle(self) -> None:
        """Read what has come into the batch since it was read, and have each span once, in its last version."""
        self.add()
        if self.traces is not None and self.store.query(_REPEATS)[0]["repeats"]:
            self.latest = max(self.latest, self.store.query(schema.sql("rollup/latest"))[0]["latest"])
            self.store.run(_REPEATED)
            self.do(schema.instead(schema.sql("rollup/calls"), "FROM llm_calls", "FROM llm_calls FINAL"))

    def of(self, sql: str) -> str:
        """A statement about the spans of the batch, as it finds these."""
        return sql if self.traces is None else _FROM.sub(r"FROM rollup_calls\g<alias>", sql)
