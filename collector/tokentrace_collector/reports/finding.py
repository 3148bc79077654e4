"""The rows of requests: which match, found by as little of the table as tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import Any

from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

WHOLE = 32
"""The length of a trace's id."""

_FIRST, _LAST = date(1970, 1, 1), date(2149, 6, 6)
"""The days that the engine knows."""
_SPARE = 4
"""Of so many versions of traces, one may well be the last, and match."""
_CHOSEN = "(day, trace_id) IN (SELECT day, trace_id FROM chosen)"

_Rows = list[dict[str, Any]]


def matching(books: Books, wanted: Mapping[str, Any]) -> _Rows:
    """One row per request that matches, the latest or the dearest first."""
    first_day = _FIRST if wanted["by_cost"] or len(wanted["trace_id"]) >= WHOLE else _recent(books, wanted)
    found = _chosen(books, wanted, first_day, _LAST)
    missing = wanted["limit"] - len(found)
    if first_day == _FIRST or not missing:
        return found
    # All of these are earlier.
    return found + _chosen(books, {**wanted, "limit": missing}, _FIRST, first_day - timedelta(days=1))


def named(books: Books, trace_id: str) -> _Rows:
    """The row of the request with this whole id, or none."""
    sql = schema.instead(schema.sql("reports/traces"), _CHOSEN, "trace_id = {trace_id:String}")
    return books.query(sql, trace_id=trace_id, by_cost=False, limit=1)


def _chosen(books: Books, wanted: Mapping[str, Any], first_day: date, last_day: date) -> _Rows:
    chosen = schema.sql("reports/chosen")
    sql = schema.instead(schema.sql("reports/traces"), "FROM chosen)", f"FROM (\n{chosen}))")
    return books.query(sql, **wanted, first_day=first_day, last_day=last_day)


def _recent(books: Books, wanted: Mapping[str, Any]) -> date:
    """A day from which on there may be as many requests as are wanted; the first where none is left aside."""
    enough = wanted["limit"] * _SPARE
    found = books.query(schema.sql("reports/recent"), until=wanted["until"], enough=enough)[0]
    first_day: date = found["first_day"]
    begins = wanted["since"].astimezone(UTC).date() if wanted["since"] else _FIRST
    return _FIRST if found["is_all"] or first_day <= begins else first_day
