"""Months that are closed: what they hold is booked, and stays; what changes later is a correction in an open month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tokentrace_collector.rollup import deletion
from tokentrace_collector.rollup.lease import Hold
from tokentrace_collector.rollup.orders import Closing
from tokentrace_collector.store import cluster, schema
from tokentrace_collector.store.database import Store

_CLOSED = "SELECT month FROM closed_months FINAL WHERE tenant = {tenant:String} ORDER BY month"
_FIRST = """
SELECT
    toStartOfMonth(min(hour), 'UTC') AS month,
    min(hour) < (
        SELECT parseDateTimeBestEffortOrZero(max(value), 'UTC')
        FROM rollup_state FINAL
        WHERE name = 'kept'
    ) AS has_expired
FROM tcoai_by_hour FINAL
WHERE tenant = {tenant:String}
    AND toStartOfMonth(hour, 'UTC') >= {since:Date}
HAVING count() > 0
"""
"""The first month with charges, and whether only sums are kept of it."""
_EPOCH = date(1970, 1, 1)
_BEGUN = "SELECT 1 FROM booked_lines WHERE tenant = {tenant:String} AND booking_month = {month:Date} LIMIT 1"
_FORGET = "ALTER TABLE booked_lines DELETE WHERE tenant = {tenant:String} AND booking_month = {month:Date}"


class ClosingError(ValueError):
    """A month that cannot be closed; the message says why, and what can be done."""


def close(store: Store, wanted: Closing, version: int, hold: Hold) -> None:
    """Book what a month holds, and mark it as closed; nothing where it is already. May be repeated after a crash.

    All that has arrived must be rolled up, in earlier versions. Raises ClosingError where the month cannot be closed.
    """
    closed: list[date] = [row["month"] for row in store.query(_CLOSED, tenant=wanted.tenant)]
    if wanted.month in closed:
        return
    _check(store, wanted, closed)
    named = {"tenant": wanted.tenant, "month": wanted.month}
    # Until it is marked, nobody reads what is booked in it: an earlier closing that was cut short.
    if store.query(_BEGUN, **named):
        deletion.everywhere(store, _FORGET, **named)
    _settle(store)
    store.run(schema.sql("closing/book"), settings=deletion.ANEW, **named, version=version)
    _settle(store)
    hold.check()
    store.insert(
        "closed_months",
        ("tenant", "month", "closed_at", "version"),
        [[wanted.tenant], [wanted.month], [wanted.at], [version]],
    )


def following(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def _check(store: Store, wanted: Closing, closed: list[date]) -> None:
    named, until = f"{wanted.month:%Y-%m}", following(wanted.month)
    if datetime(until.year, until.month, 1, tzinfo=UTC) > wanted.at:
        raise ClosingError(f"{named} has not ended. It can be closed from {until:%Y-%m-%d} on (UTC).")
    first = following(closed[-1]) if closed else _EPOCH
    charged = store.query(_FIRST, tenant=wanted.tenant, since=first)
    if not (closed or charged):
        raise ClosingError(f"{named} cannot be closed: nothing has been charged yet. Has a rollup run?")
    if charged and charged[0]["has_expired"]:
        raise ClosingError(
            f"{named} cannot be closed: of {charged[0]['month']:%Y-%m}, which is open, only sums are kept. "
            "Close months before their costs expire."
        )
    first = first if closed else charged[0]["month"]
    if wanted.month > first:
        raise ClosingError(f"{named} cannot be closed while {first:%Y-%m} is open. Close that first.")
    if wanted.month < first:
        raise ClosingError(
            f"{named} cannot be closed: {first:%Y-%m} is the first month that can. "
            "What comes for an earlier one later, is booked in an open one."
        )
    if deletion.is_cut_short(store):
        raise ClosingError(f"{named} cannot be closed: a deletion was cut short. Repeat it first: tokentrace delete.")


def _settle(store: Store) -> None:
    """Where tables are replicated, have here what others wrote, and there what was written here."""
    if servers := store.address.cluster:
        for statement in cluster.settled(store.address.database, servers, "booked_lines", "closed_months"):
            store.run(statement)
