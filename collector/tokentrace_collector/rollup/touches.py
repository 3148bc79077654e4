"""The work list of the rollup: what waits on it, what a run takes off it, and what has been done.

Spans that arrive put their traces on `touched_traces` at any moment. To delete there what has been done is to rewrite
parts that are just being merged, and to wait for that. So a run moves all that is there into a table that nobody else
writes to, which takes no time, and empties that. What a run has moved and not done is done by the next.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokentrace_collector.store import cluster, schema
from tokentrace_collector.store.database import Store

_MOVED = "ALTER TABLE touched_traces MOVE PARTITION tuple() TO TABLE taken_traces"
# For one row of many, the engine would pass by what has been deleted row by row.
_WAITING = """
SELECT (SELECT count() FROM touched_traces) + (SELECT count() FROM taken_traces) AS touches
"""


@dataclass(slots=True)
class Touches:
    """The touches that a run works off, in `rollup_touches`."""

    store: Store
    are_all: bool = False
    """Whether no other has been moved."""

    def are_waiting(self) -> bool:
        """Whether there are any."""
        return bool(self.store.query(_WAITING)[0]["touches"])

    def take(self, most: int) -> int:
        """Take the first of them; how many these are."""
        servers = self.store.address.cluster
        self.store.run("TRUNCATE TABLE rollup_touches")
        statement = schema.sql("rollup/touches")
        if servers:
            # There every server has a list, and parts of others cannot be moved.
            statement = schema.instead(statement, "FROM taken_traces\n", "FROM touched_traces\n")
        else:
            self.store.run(_MOVED)
        self.store.run(statement, limit=most)
        taken: int = self.store.query("SELECT count() AS taken FROM rollup_touches")[0]["taken"]
        self.are_all = taken < most
        if taken and servers:
            # A touch may have come to this server before the span has come to the one that is asked for it.
            for settled in cluster.settled(self.store.address.database, servers):
                self.store.run(settled)
        return taken

    def drop(self) -> None:
        """Have done what was taken, and exactly that: what arrived meanwhile waits, however late it became visible."""
        if self.store.address.cluster:
            taken = self.store.query("SELECT trace_id, touch FROM rollup_touches")
            for statement in cluster.deletions([each["trace_id"] for each in taken], [each["touch"] for each in taken]):
                self.store.run(statement, settings={"max_query_size": 1 << 20})
        elif self.are_all and self.store.address.embedded:
            # On a server, one that was stopped for longer than its lease would take away what the next has moved.
            self.store.run("TRUNCATE TABLE taken_traces")
        else:
            self.store.run("DELETE FROM taken_traces WHERE touch IN (SELECT touch FROM rollup_touches)")
