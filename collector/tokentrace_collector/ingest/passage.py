"""The views that every span passes through: what is inserted while one is missing is lost without a word."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store, StoreError

_VIEWS = """
SELECT name, uuid
FROM system.tables
WHERE database = currentDatabase() AND engine = 'MaterializedView'
ORDER BY name
"""


@contextmanager
def watched(store: Store) -> Generator[None]:
    """Insert under watch: raises StoreError if a view was missing or, by another's upgrade, made anew meanwhile."""
    before = _views(store)
    if missing := schema.views() - {view["name"] for view in before}:
        names = ", ".join(sorted(missing))
        raise StoreError(
            f"The store lacks the views {names}. Restart the collector to have them made.", is_transient=True
        )
    yield
    if _views(store) != before:
        raise StoreError(
            "The views of the store were made anew during an insert, which is repeated.", is_transient=True
        )


def _views(store: Store) -> list[dict[str, Any]]:
    return store.query(_VIEWS)
