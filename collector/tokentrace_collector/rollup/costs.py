"""What the calls of a batch cost, kept in memory while it is worked on: before it is rated, and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

SCRATCH = ("was", "costs")
_KEPT = {
    "call_costs": ("INSERT INTO call_costs\n", "INSERT INTO rollup_costs\n"),
    "tcoai_by_trace": ("FROM call_costs FINAL\n", "FROM rollup_costs\n"),
}
"""What of a statement is about what is kept here, and what it then is."""
_PLACES = "trace_id FROM rollup_extents)"
_LEFT = (
    "trace_id FROM rollup_extents WHERE toDate(hours[1]) != toDate(hours[-1])"
    " OR (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_costs WHERE borne_by != 'shares'))"
)
"""A trace that has costs, and never was of more than one day, has no sum but the one that was just written."""


@dataclass(slots=True)
class Costs:
    """The costs of a batch; until they are kept, every statement is about the table."""

    store: Store
    do: Callable[..., None]
    """Runs a statement by its name."""
    are_kept: bool = False

    def read(self) -> None:
        """Read them, before they change."""
        self.do("was")
        self.keep()

    def keep(self) -> None:
        """Keep them from now on."""
        self.are_kept = True

    def clear(self) -> None:
        """Keep nothing; also where the batch has grown, and others are of it now."""
        self.are_kept = False
        for table in SCRATCH:
            self.store.run(f"TRUNCATE TABLE rollup_{table}")

    def write(self) -> None:
        """Put what has been rated into the table."""
        if self.are_kept:
            self.do("costs_written")

    def leave(self, version: int) -> None:
        """Take what is not there any more out of the table."""
        self.do("costs_gone", version=version)

    def of(self, name: str, sql: str) -> str:
        """A statement, as it finds them."""
        return schema.instead(sql, *_KEPT[name]) if self.are_kept and name in _KEPT else sql

    def moved(self, sql: str) -> str:
        """A statement about sums of traces that others have replaced, in the places where these can be."""
        return schema.instead(sql, _PLACES, _LEFT) if self.are_kept else sql


def lines(sql: str, table: str) -> str:
    """A statement about lines of cost, about those of one of the tables that are kept here."""
    for view, file in (("cost_lines", "views/10_cost_lines"), ("unknown_usage", "views/11_unknown_usage")):
        # The rest of it is what capacity and reviews cost.
        text = schema.sql(file).partition(" AS\n")[2].partition("UNION ALL\n")[0]
        text = schema.instead(text, "call_costs FINAL", table)
        sql = schema.instead(sql, f"FROM {view}\n", f"FROM ({text}) AS {view}\n")
    return sql
