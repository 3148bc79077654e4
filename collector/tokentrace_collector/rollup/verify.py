"""Whether the tables of cost hold what a recomputation from all spans gives, to the last digit."""

from __future__ import annotations

from tokentrace_collector.reports.documents.upkeep import Difference
from tokentrace_collector.rollup.stages import TABLES
from tokentrace_collector.store.database import Store

_ROWS = """
SELECT
    '{table}' AS name,
    trim(TRAILING '\\n' FROM formatRow('JSONEachRow', {key})) AS key,
    CAST({amount}, 'Nullable(Decimal(38, 18))') AS amount,
    sipHash128(formatRow('RowBinary', * EXCEPT ({beside}))) AS digest
FROM {table} FINAL
"""
_DIFFERENCES = """
SELECT
    name,
    key,
    anyIf(toString(amount), is_stored) AS stored,
    anyIf(toString(amount), NOT is_stored) AS recomputed,
    countIf(is_stored) AS was,
    countIf(NOT is_stored) AS comes
FROM (
    SELECT *, 1 AS is_stored FROM rollup_verified
    UNION ALL
    SELECT *, 0 AS is_stored FROM ({rows})
)
GROUP BY name, key
HAVING was != comes OR uniqExact(digest) > 1
ORDER BY name, key
LIMIT {{limit:UInt32}}
"""
_BEFORE = """
SELECT count() AS traces
FROM tcoai_by_trace FINAL
WHERE (tenant, trace_id) IN (
        SELECT tenant, trace_id
        FROM trace_extents
        GROUP BY tenant, trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )
"""
_BESIDE = {"call_costs": "version, is_deleted, rate_key"}
"""By table: what is no figure. Costs of before may not have the key of their prices, which only a trial asks for."""
MOST = 100
"""Differences that are told; one is enough to find the next."""


class Verification:
    """A note of the tables as they are, to be held against what they will be."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self) -> int:
        """Keep what the tables hold now; how many rows that are."""
        self.forget()
        for rows in self._rows():
            self._store.run(f"INSERT INTO rollup_verified {rows}")
        noted: int = self._store.query("SELECT count() AS noted FROM rollup_verified")[0]["noted"]
        return noted

    def differences(self) -> list[Difference]:
        """Rows that are not as they were noted, by table and key."""
        asked = _DIFFERENCES.format(rows=" UNION ALL ".join(self._rows()))
        return [
            Difference(
                table=row["name"],
                key=row["key"],
                stored=row["stored"] if row["was"] else None,
                recomputed=row["recomputed"] if row["comes"] else None,
            )
            for row in self._store.query(asked, limit=MOST)
        ]

    def closed(self, horizon: str) -> int:
        """Traces that are not recomputed any more, because spans of theirs may have expired."""
        found: int = self._store.query(_BEFORE, horizon=horizon)[0]["traces"]
        return found

    def forget(self) -> None:
        """Keep nothing any more."""
        self._store.run("TRUNCATE TABLE rollup_verified")

    def _rows(self) -> list[str]:
        keys = self._store.query(
            # On a cluster the rows, and how they are sorted, are behind a door of the same name.
            "SELECT replaceRegexpOne(tables.name, '_local$', '') AS name, sorting_key FROM system.tables AS tables "
            "WHERE database = currentDatabase() "
            "AND has({names:Array(String)}, replaceRegexpOne(tables.name, '_local$', '')) "
            "AND sorting_key != '' ORDER BY name",
            names=list(TABLES),
        )
        return [_rows(each["name"], each["sorting_key"]) for each in keys]


def _rows(table: str, key: str) -> str:
    return _ROWS.format(table=table, key=key, amount=TABLES[table], beside=_BESIDE.get(table, "version, is_deleted"))
