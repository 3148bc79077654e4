"""Closed months: what was booked in each, and what is to be corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

from tokentrace_collector.reports.documents.spending import Booking, Month
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

_CLOSED = "SELECT month, closed_at FROM closed_months FINAL WHERE tenant = {tenant:String} ORDER BY month"


class PeriodError(ValueError):
    """What is no month; the message says how to write one."""


def read(period: str) -> date:
    """The first day of a month that is written like 2026-10."""
    try:
        if len(period) == len("2026-10"):
            return date.fromisoformat(f"{period}-01")
    except ValueError:
        pass
    raise PeriodError(f"{period!r} is no month. Write it like 2026-10.")


def months(books: Books) -> list[Month]:
    """One document per closed month, in order, and one of the first open one where it has something to correct."""
    found: dict[str, Month] = {}
    for row in books.query(_CLOSED):
        period, closed_at = f"{row['month']:%Y-%m}", row["closed_at"].astimezone(UTC)
        found[period] = Month(
            booking_period=period, closed_at=closed_at.isoformat().replace("+00:00", "Z"), charges=[], corrections=[]
        )
    for row in books.query(schema.sql("reports/months")):
        period = row["booking_period"]
        month = found.setdefault(period, Month(booking_period=period, closed_at=None, charges=[], corrections=[]))
        month["charges" if row["charge_period"] == period else "corrections"].append(_booking(row))
    return list(found.values())


def _booking(row: Mapping[str, Any]) -> Booking:
    return {
        "charge_period": row["charge_period"],
        "booking_period": row["booking_period"],
        "currency": row["currency"],
        "amount": decimal(row["amount"]),
        "lines": row["lines"],
        "unpriced": row["unpriced"],
    }
