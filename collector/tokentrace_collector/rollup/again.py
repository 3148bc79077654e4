"""Other prices tried on what the books hold: which calls bear cost, in which role and component, no price decides."""

from __future__ import annotations

from dataclasses import dataclass

from tokentrace_collector.prices import rates
from tokentrace_collector.prices.rates import Run
from tokentrace_collector.rollup import trial
from tokentrace_collector.rollup.horizon import NEVER
from tokentrace_collector.rollup.stages import Bounds, Stages
from tokentrace_collector.store import schema

_OF_BATCH = """FROM llm_calls
                WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)"""
_HAS_FEES = "SELECT countIf(has(units, 'requests')) > 0 AS has_fees FROM rollup_rates"
_AT_ONCE = 64 << 20
"""Bytes of costs that are sorted and written together; it bounds memory."""
_UNPRICED = """
SELECT uniqExact(tenant, trace_id, span_id) AS calls
FROM trial_call_costs
WHERE arrayExists(
    (status, price) -> status = 'unpriced' OR (status = 'shared' AND isNull(price)),
    lines.status,
    lines.price
)
"""


@dataclass(frozen=True, slots=True)
class Again:
    """What was rated again, without reading a span."""

    traces: int
    unpriced: int
    unread: int
    bounds: Bounds


def rate(stages: Stages, before: Run) -> Again | None:
    """Rate the calls of the books by other prices, into the tables of a trial; None where the books are not enough.

    `before` is the run of the books.
    """
    # What is closed keeps its figures, trace by trace.
    if not stages.keeps_all:
        return None
    store, run = stages.store, stages.run
    trusted = sorted({*before.book.trust_reported, *run.book.trust_reported})
    (found,) = store.query(schema.sql("rollup/repriceable"), trusted=trusted, before=before.id)
    if not found["is_possible"]:
        return None
    stages.clear()
    rates.resolve(store, run, schema.sql("rollup/unresolved_again"), before=before.id)
    stages.send(schema.instead(schema.sql("rollup/rates"), _OF_BATCH, "FROM call_costs"), run=run.id)
    if store.query(_HAS_FEES)[0]["has_fees"]:
        return None
    stages.send(schema.sql("rollup/prices"))
    stages.send(trial.into("rollup/repriced"), at_once=_AT_ONCE, run=run.id, version=stages.version)
    return Again(
        traces=found["traces"],
        unpriced=store.query(_UNPRICED)[0]["calls"],
        unread=found["unread"],
        bounds=Bounds(found["since"], found["until"], NEVER),
    )
