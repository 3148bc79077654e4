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
ANEW = {"insert_deduplicate": 0}
"""An insert that may say again what an earlier one said."""
_TRACES = "SELECT 1 FROM deletion_marks WHERE kind = 'trace' LIMIT 1"
_NOTED = "SELECT DISTINCT tenant FROM deletion_marks WHERE kind = 'noted'"
_CLOSED = "SELECT 1 FROM closed_months WHERE tenant = {tenant:String} LIMIT 1"
_OF_A_TENANT = "ALTER TABLE {table} DELETE WHERE tenant = {{tenant:String}}"

TOLD = {
    "otel_traces": "(Tenant, TraceId)",
    "llm_calls": "(tenant, trace_id)",
    "reviews": "(tenant, trace_id)",
    # That a review is of a trace, the review tells: it is of it again should that come again.
    "reviewed": "(tenant, review_trace_id)",
    "outcomes": "(tenant, trace_id)",
    "work_unit_runs": "(tenant, trace_id)",
    "touched_traces": "(tenant, trace_id)",
    "taken_traces": "(tenant, trace_id)",
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
LENT = {"capacity_lines": "(tenant, review_trace_id)"}
"""What it makes of it in other traces."""


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
        if not is_cut_short(store):
            store.run("TRUNCATE TABLE deletion_marks")
        marked.note(wanted.tenant)
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
        self.store.run(schema.sql("deletion/touch"), settings=ANEW)

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
            everywhere(self.store, delete)
            select = schema.sql(f"tables/{view}").partition("\nCREATE ")[2].partition("AS\n")[2]
            self.store.run(f"INSERT INTO {table}\n{select.replace('FROM llm_calls', left)}", settings=ANEW)

    def bounds(self) -> Bounds | None:
        """When they took place; None where the rollup knows nothing of them."""
        found = self.store.query(schema.sql("deletion/bounds"))
        return Bounds(**found[0]) if found else None

    def cancel(self, version: int) -> None:
        """Say of their calls, and shares of capacity and reviews, that they count no more."""
        for statement in ("call_costs_gone", "pool_hours", "review_shares"):
            sql = schema.sql(f"deletion/{statement}")
            named: dict[str, Any] = {"version": version} if "{version:" in sql else {}
            self.store.run(sql, **named)

    def forget(self) -> None:
        """Delete what the rollup made of them."""
        self._delete(LENT)
        self._delete(MADE)

    def note(self, tenant: str) -> None:
        """Keep what is to be corrected of a tenant's closed months before anything is deleted."""
        noted = {row["tenant"] for row in self.store.query(_NOTED)}
        if tenant in noted or not self.store.query(_CLOSED, tenant=tenant):
            return
        everywhere(self.store, _OF_A_TENANT.format(table="deletion_corrections"), tenant=tenant)
        self.store.run(schema.sql("deletion/corrections"), settings=ANEW, tenant=tenant)
        self.store.insert("deletion_marks", ("tenant", "kind", "id"), [[tenant], ["noted"], [""]])

    def rebook(self, version: int) -> None:
        """Have closed months without them: no other correction comes of it than was to be made before."""
        for row in self.store.query(_NOTED):
            self.store.run(schema.sql("deletion/book"), settings=ANEW, tenant=row["tenant"], version=version)

    def unmark(self) -> None:
        """Forget that there was a deletion."""
        self.store.run("TRUNCATE TABLE deletion_marks")
        self.store.run("TRUNCATE TABLE deletion_corrections")

    def _delete(self, tables: dict[str, str]) -> None:
        for table, names in tables.items():
            delete = _DELETE.format(table=table, names=names, marked=_MARKED.format(kind="trace"))
            everywhere(self.store, delete)

    def forget_earlier(self, tenant: str, run: str, kept: str) -> None:
        """Delete a tenant's sums by other prices than those of a run, and of hours that nothing else is kept of.

        Nobody works them out anew.
        """
        everywhere(self.store, _EARLIER, tenant=tenant, run=run, kept=kept)

    def forget_months(self, tenant: str) -> None:
        """Delete what is booked of a tenant, and that it was."""
        for table in ("booked_lines", "deletion_corrections", "closed_months"):
            everywhere(self.store, _OF_A_TENANT.format(table=table), tenant=tenant)


def everywhere(store: Store, delete: str, **named: Any) -> None:
    """Delete on every server, and be done when it is."""
    for statement in cluster.statements(delete, store.address.cluster):
        store.run(statement, settings=_ENTIRELY, **named)


def is_cut_short(store: Store) -> bool:
    """Whether something is left to do of a deletion."""
    return bool(store.query(_TRACES))


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
