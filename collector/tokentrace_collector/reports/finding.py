"""The rows of requests: which match, found by as little of the table as tells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

WHOLE = 32
"""The length of a trace's id."""

_ALWAYS = date(1970, 1, 1)
_SPARE = 4
"""Of so many versions of traces, one may well be the last, and match."""
_CHOSEN = "(day, trace_id) IN (SELECT day, trace_id FROM chosen)"


def matching(books: Books, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per request that matches, the latest or the dearest first."""
    since_day = _ALWAYS if wanted["by_cost"] or len(wanted["trace_id"]) >= WHOLE else _recent(books, wanted)
    found = _chosen(books, wanted, since_day)
    # All that came before is later in this order.
    if since_day == _ALWAYS or len(found) == wanted["limit"]:
        return found
    return _chosen(books, wanted, _ALWAYS)


def named(books: Books, trace_id: str) -> list[dict[str, Any]]:
    """The row of the request with this whole id, or none."""
    sql = schema.sql("reports/traces").replace(_CHOSEN, "trace_id = {trace_id:String}")
    return books.query(sql, trace_id=trace_id, by_cost=False, limit=1)


def _chosen(books: Books, wanted: Mapping[str, Any], since_day: date) -> list[dict[str, Any]]:
    chosen = schema.sql("reports/chosen")
    sql = schema.sql("reports/traces").replace("FROM chosen)", f"FROM (\n{chosen}))")
    return books.query(sql, **wanted, since_day=since_day)


def _recent(books: Books, wanted: Mapping[str, Any]) -> date:
    """A day since which there may be as many requests as are wanted; that of the first of all where it leaves none aside."""
    enough = wanted["limit"] * _SPARE
    found = books.query(schema.sql("reports/recent"), until=wanted["until"], enough=enough)[0]
    since_day: date = found["since_day"]
    begins = wanted["since"].astimezone(UTC).date() if wanted["since"] else _ALWAYS
    return _ALWAYS if found["is_all"] or since_day <= begins else since_day
