"""What a store holds of some traces, taken out of every table, and the sums it was in put right."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tokentrace_collector.rollup.stages import Bounds
from tokentrace_collector.store import cluster, schema
from tokentrace_collector.store.database import Store

Kind: TypeAlias = Literal["trace", "user", "tenant"]

_MARKED = "(SELECT tenant, id FROM deletion_marks WHERE kind = '{kind}')"
_FOUND = "(SELECT tenant, trace_id FROM rollup_batch)"
_COUNT = "SELECT count() AS rows FROM {table} WHERE {names} IN {found}"
_DELETE = "ALTER TABLE {table} DELETE WHERE {names} IN {marked}"
_EARLIER = """
ALTER TABLE tcoai_by_hour
    DELETE WHERE tenant = {tenant:String} AND (rating_run != {run:String} OR hour < {kept:DateTime})
"""
_LEFT = "FROM (SELECT * FROM llm_calls WHERE (tenant, response_id) IN {responses}) AS llm_calls"
_ENTIRELY = {
    # What is deleted is gone when the statement is over, and not hidden until the next merge.
    "mutations_sync": 2,
    # Where tables are replicated, nothing may change what the subquery finds; nobody else writes marks.
    "allow_nondeterministic_mutations": 1,
}
_ANEW = {"insert_deduplicate": 0}

TOLD = {
    "otel_traces": "(Tenant, TraceId)",
    "llm_calls": "(tenant, trace_id)",
    "reviews": "(tenant, trace_id)",
    "outcomes": "(tenant, trace_id)",
    "work_unit_runs": "(tenant, trace_id)",
    "touched_traces": "(tenant, trace_id)",
}
"""What spans tell, by table and what names their trace."""
SHARED = {"responses": "25_responses_mv", "retellings": "39_retellings_mv"}
"""What spans of several traces tell together, and how it is read from those that are left."""
MADE = {
    "call_costs": "(tenant, trace_id)",
    "capacity_lines": "(tenant, trace_id)",
    "tcoai_by_trace": "(tenant, trace_id)",
    # Last: by this an interrupted deletion knows which hours to sum up.
    "trace_extents": "(tenant, trace_id)",
}
"""What the rollup makes of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a tenant is to be deleted: a trace, every trace in which a user is named, or all of them."""

    tenant: str
    kind: Kind = "tenant"
    id: str = ""
    """The trace id, or the user."""


@dataclass(frozen=True, slots=True)
class Marked:
    """The traces of a deletion, of which something may be left until it is over."""

    store: Store

    @classmethod
    def of(cls, store: Store, wanted: Wanted) -> Marked:
        """Mark what is wanted, and what an earlier deletion that was cut short has left."""
        marked = cls(store)
        find(store, wanted)
        store.run(schema.sql("deletion/mark"))
        return marked

    def traces(self) -> frozenset[tuple[str, str]]:
        """Tenant and id of each."""
        rows = self.store.query("SELECT DISTINCT tenant, id FROM deletion_marks WHERE kind = 'trace'")
        return frozenset((row["tenant"], row["id"]) for row in rows)

    def choose(self) -> None:
        """Make them the batch of the rollup."""
        self.store.run("TRUNCATE TABLE rollup_batch")
        self.store.run(schema.sql("deletion/batch"))

    def touch_others(self) -> None:
        """Have those recomputed later that share a response, or the attention of a person, with them."""
        self.choose()
        for statement in ("batch_responses", "batch_retellings", "batch_reviews"):
            self.store.run(schema.sql(f"rollup/{statement}"))
        self.store.run(schema.sql("deletion/touch"), settings=_ANEW)

    def take_out(self) -> None:
        """Delete what spans told."""
        if servers := self.store.address.cluster:
            # Each server reads for itself what is marked.
            for statement in cluster.settled(self.store.address.database, servers, "deletion_marks"):
                self.store.run(statement)
        self._delete(TOLD)
        responses = _MARKED.format(kind="response")
        left = _LEFT.format(responses=responses)
        for table, view in SHARED.items():
            delete = _DELETE.format(table=table, names="(tenant, response_id)", marked=responses)
            self._everywhere(delete)
            select = schema.sql(f"tables/{view}").partition("\nCREATE ")[2].partition("AS\n")[2]
            self.store.run(f"INSERT INTO {table}\n{select.replace('FROM llm_calls', left)}", settings=_ANEW)

    def bounds(self) -> Bounds | None:
        """When they took place; None where the rollup knows nothing of them."""
        found = self.store.query(schema.sql("deletion/bounds"))
        return Bounds(**found[0]) if found else None

    def cancel(self, version: int) -> None:
        """Say of their calls and shares of capacity that they count no more."""
        for statement in ("call_costs_gone", "pool_hours"):
            sql = schema.sql(f"deletion/{statement}")
            named: dict[str, Any] = {"version": version} if "{version:" in sql else {}
            self.store.run(sql, **named)

    def forget(self) -> None:
        """Delete what the rollup made of them, and the marks."""
        self._delete(MADE)
        self.store.run("TRUNCATE TABLE deletion_marks")

    def _delete(self, tables: dict[str, str]) -> None:
        for table, names in tables.items():
            delete = _DELETE.format(table=table, names=names, marked=_MARKED.format(kind="trace"))
            self._everywhere(delete)

    def forget_earlier(self, tenant: str, run: str, kept: str) -> None:
        """Delete a tenant's sums by other prices than those of a run, and of hours that nothing else is kept of.

        Nobody works them out anew.
        """
        self._everywhere(_EARLIER, tenant=tenant, run=run, kept=kept)

    def _everywhere(self, delete: str, **named: Any) -> None:
        for statement in cluster.statements(delete, self.store.address.cluster):
            self.store.run(statement, settings=_ENTIRELY, **named)


def find(store: Store, wanted: Wanted) -> None:
    """Make what is wanted the batch of the rollup."""
    sql = schema.sql(f"deletion/find_{wanted.kind}")
    store.run("TRUNCATE TABLE rollup_batch")
    named: dict[str, Any] = {"id": wanted.id} if "{id:" in sql else {}
    store.run(sql, tenant=wanted.tenant, **named)


def count(store: Store) -> dict[str, int]:
    """Rows of the traces of the batch, by table; those that a table keeps twice count twice."""
    found: dict[str, int] = {}
    for table, names in {**TOLD, **MADE}.items():
        rows = store.query(_COUNT.format(table=table, names=names, found=_FOUND))[0]["rows"]
        found |= {table: rows} if rows else {}
    return found


Scrub: TypeAlias = Callable[[Collection[tuple[str, str]]], None]
"""Deletes what is kept of traces beside the database."""
