"""The costs of one share of a rebuild, kept in memory until its traces are summed up.

In the table they lie by hour: to find those of some traces there, all of it would be read, for each share.
"""

from __future__ import annotations

from typing import Self

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_TABLE = "CREATE TABLE rollup_costs AS call_costs ENGINE = Memory"
_IS_SHARED = """
SELECT
    (SELECT count() FROM reviewed) + (SELECT count() FROM capacity_lines) > 0 AS is_shared
"""
_TEXTS = {
    "rollup/call_costs": ("INSERT INTO call_costs\n", "INSERT INTO rollup_costs\n"),
    "rollup/tcoai_by_trace": ("FROM call_costs FINAL\n", "FROM rollup_costs\n"),
}


class Apart:
    """A table of costs beside that of the books, from `with` to its end."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        self._drop()
        self._store.run(_TABLE)
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    def sql(self, name: str) -> str:
        """A statement of the rollup, about the costs that are kept here."""
        text = schema.sql(name)
        return text.replace(*_TEXTS[name]) if name in _TEXTS else text

    def enter(self) -> None:
        """Put what is kept into the books."""
        self._store.run("INSERT INTO call_costs SELECT * FROM rollup_costs")

    def clear(self) -> None:
        """Keep nothing."""
        self._store.run("TRUNCATE TABLE rollup_costs")

    def _drop(self) -> None:
        self._store.run("DROP TABLE IF EXISTS rollup_costs SYNC")


def stands_alone(store: Store) -> bool:
    """Whether nothing that a trace costs is a share: there is no capacity, and no review of several requests."""
    return not store.query(_IS_SHARED)[0]["is_shared"]
