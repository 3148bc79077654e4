"""Questions to the tables and their answers as JSON documents: no clock, no configuration, no writing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import cache, reduce
from typing import Any

from tokentrace_collector.reports import finding
from tokentrace_collector.reports.documents.prices import Price, PriceCell, UnitPrice
from tokentrace_collector.reports.documents.requests import (
    COMPONENTS,
    Attempt,
    Coverage,
    PerCall,
    Ratio,
    Request,
    RequestReport,
    ReviewShare,
    Span,
)
from tokentrace_collector.reports.figures import decimal, multiples
from tokentrace_collector.reports.places import placed
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

MOST_SPANS = 20_000
"""Spans that one report carries."""

_ATTRIBUTION = ("team", "feature", "customer", "project", "cost_center", "environment", "user", "session")
_COVERED = ("usage", "tokens", "rates", "roles", "reviews")
_WIDE = Context(prec=76)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted; what is empty asks for nothing."""

    trace_id: str = ""
    """The beginning of it is enough."""
    service: str = ""
    team: str = ""
    feature: str = ""
    customer: str = ""
    project: str = ""
    cost_center: str = ""
    environment: str = ""
    user: str = ""
    session: str = ""
    model: str = ""
    since: datetime | None = None
    until: datetime | None = None
    min_cost: Decimal | None = None
    errors: bool = False
    """Only requests that lost money or attempts to failures."""
    by_cost: bool = False
    """The dearest first instead of the latest."""
    limit: int = 20


def requests(books: Books, wanted: Filter) -> list[Request]:
    """The requests that match, the latest or the dearest first."""
    return [_request(row) for row in finding.matching(books, asdict(wanted))]


def request(books: Books, trace_id: str) -> RequestReport | None:
    """One request with its spans; None where no such trace has been rolled up."""
    is_whole = len(trace_id) >= finding.WHOLE
    found = finding.named(books, trace_id) if is_whole else finding.matching(books, asdict(Filter(trace_id, limit=1)))
    if not found:
        return None
    row = found[0]
    of_trace = {"trace_id": row["trace_id"]}
    within = of_trace | {"since": row["started_at"], "until": row["ended_at"]}
    spans = placed(books.query(schema.sql("reports/spans"), limit=MOST_SPANS, **of_trace))
    costs = books.query(schema.sql("reports/costs"), **within)
    capacity = books.query(schema.sql("reports/capacity"), **within)
    attempts = {each["span_id"]: _attempts(each) for each in books.query(schema.sql("reports/attempts"), **within)}
    bills = _bills(costs, capacity)
    # Most requests have no review at all.
    shares = books.query(schema.sql("reports/review_shares"), **of_trace) if row["reviews_total"] else []
    bearing = {each["span_id"] for each in costs if each["bearing"]}
    return {
        **_request(row),
        "spans": [_span(each, row["started_at"], bills.get(each["span_id"]), attempts) for each in spans],
        "review_shares": [_review_share(each) for each in shares],
        "per_call": _per_call(costs),
        "spans_left_out": max(0, row["spans"] - len(spans)),
        "told_by_others": sum(each["convention"] != "" and each["span_id"] in bearing for each in spans),
    }


def prices(books: Books, provider: str, model: str, at: datetime) -> list[Price]:
    """The price lists of the current rating run that hold at a moment, by provider and model."""
    rows = books.query(schema.sql("reports/prices"), provider=provider, model=model, at=at)
    return [_price(row) for row in rows]


@dataclass(slots=True)
class _Bill:
    """What one span was charged, gathered from its rows."""

    role: str = ""
    borne_by: str = ""
    tokens: dict[str, int] | None = None
    cancelled: int = 0
    estimated: Decimal = Decimal(0)
    components: dict[str, Decimal] | None = None
    is_unpriced: bool = False
    """Something of it has no price."""

    def charge(self, component: str, amount: Decimal) -> None:
        charged = self.components = self.components or dict.fromkeys(component_names(), Decimal(0))
        charged[component] = _WIDE.add(charged[component], amount)


def _bills(costs: Sequence[Mapping[str, Any]], capacity: Sequence[Mapping[str, Any]]) -> dict[str, _Bill]:
    bills: dict[str, _Bill] = defaultdict(_Bill)
    for row in costs:
        bill = bills[row["span_id"]]
        bill.role = bill.role or row["role"]
        bill.borne_by = bill.borne_by or row["borne_by"]
        bill.is_unpriced = bill.is_unpriced or bool(row["is_unpriced"])
        bill.cancelled += row["cancelled"]
        bill.estimated = _WIDE.add(bill.estimated, row["estimated"])
        for component in component_names():
            bill.charge(component, row[component])
        if row["bearing"]:
            tokens = bill.tokens = bill.tokens or {}
            for bucket, number in row["tokens"].items():
                tokens[bucket] = tokens.get(bucket, 0) + number
    for row in capacity:
        bills[row["span_id"]].charge(row["component"], row["amount"])
    return bills


def _request(row: Mapping[str, Any]) -> Request:
    return {
        "trace_id": row["trace_id"],
        "root": row["root_name"],
        "service": row["service"],
        "started_at": _moment(row["started_at"]),
        "seconds": (row["ended_at"] - row["started_at"]).total_seconds(),
        "attribution": {name: row[name] for name in _ATTRIBUTION if row[name]} | row["tags"],
        "currency": row["currency"],
        "total": decimal(row["total"]),
        "components": {name: decimal(row[name]) for name in component_names()},
        "ratios": multiples({name: row[name] for name in component_names()}),
        "direct": decimal(row["direct"]),
        "allocated": decimal(row["allocated"]),
        "measured": decimal(row["measured"]),
        "estimated": decimal(row["estimated"]),
        "coverage": row["coverage"],
        "covered": {name: Coverage(known=row[f"{name}_covered"], of=row[f"{name}_total"]) for name in _COVERED},
        "calls": row["calls"],
        "sampled": [
            Ratio(numerator=str(each["numerator"]), denominator=str(each["denominator"]), calls=each["calls"])
            for each in row["sampled"]
        ],
        "attempts": row["attempts"],
        "failed_attempts": row["failed_attempts"],
        "unknown_attempts": row["unknown_attempts"],
        "tokens": dict(sorted(row["tokens"].items())),
        "meters": {name: decimal(count) for name, count in sorted(row["meters"].items())},
    }


def _span(row: Mapping[str, Any], began: datetime, bill: _Bill | None, attempts: Mapping[str, list[Attempt]]) -> Span:
    charged = bill.components if bill else None
    if bill and bill.is_unpriced and not any(charged.values() if charged else ()):
        charged = None
    return {
        "span_id": row["span_id"],
        "parent_id": row["parent_span_id"],
        "name": row["name"],
        "kind": _kind(row),
        "role": (bill.role if bill else "") or row["role"] or None,
        "provider": row["provider"] or None,
        "model": row["model"] or None,
        "offset": (row["started_at"] - began).total_seconds(),
        "seconds": (row["ended_at"] - row["started_at"]).total_seconds(),
        "error": (row["error_type"] or "error") if row["failed"] else None,
        "stream_end": row["stream_end"] or None,
        "usage_source": row["usage_source"] or None,
        "estimated_counts": row["estimated_counts"],
        "tokens": row["tokens"] if bill is None or bill.tokens is None else bill.tokens,
        "cancelled": bill.cancelled if bill else 0,
        "cost": decimal(_sum(charged.values())) if charged is not None else None,
        "estimated": decimal(bill.estimated if bill else Decimal(0)),
        "components": {name: decimal(amount) for name, amount in charged.items() if amount} if charged else {},
        "borne_by": (bill.borne_by if bill else "") or None,
        "attempts": attempts.get(row["span_id"], []),
        "review_seconds": row["review_seconds"],
        "reviewer_role": row["reviewer_role"] or None,
    }


def _review_share(row: Mapping[str, Any]) -> ReviewShare:
    return {
        "session": row["session"] or None,
        "kind": row["kind"],
        "seconds": row["seconds"],
        "cost": None if row["is_unknown"] else decimal(row["amount"]),
    }


def _kind(row: Mapping[str, Any]) -> str:
    if row["review_kind"]:
        return "review"
    if row["scope"]:
        return "call"
    return "step" if row["step"] else "span"


def _attempts(row: Mapping[str, Any]) -> list[Attempt]:
    outcomes = zip(row["numbers"], row["statuses"], row["errors"], strict=True)
    return [Attempt(number=number, status=status or None, error=error or None) for number, status, error in outcomes]


def _per_call(costs: Sequence[Mapping[str, Any]]) -> PerCall:
    answered = [row for row in costs if row["kind"] == "call" and row["bearing"] and not row["waste"]]
    spans = {row["span_id"] for row in answered}
    return {"calls": len(spans), "total": decimal(_sum(row["total"] for row in answered))}


def _price(row: Mapping[str, Any]) -> Price:
    steps = (0, *row["tiers"])
    slots = (0, *row["times"])
    # A model that is listed without any price has no cells either.
    cells = [(slot, step) for slot in slots for step in steps] if row["prices"] else []
    return {
        "provider": row["provider"],
        "model": row["model"],
        "context": row["context"],
        "source": row["catalogue"],
        "valid_from": _moment(row["valid_from"]),
        "currency": row["currency"],
        "cells": [
            PriceCell(from_second=slot, above_tokens=step, prices=_unit_prices(row, amounts))
            for (slot, step), amounts in zip(cells, row["prices"], strict=True)
        ],
    }


def _unit_prices(row: Mapping[str, Any], amounts: Sequence[Decimal]) -> dict[str, UnitPrice]:
    lists = zip(row["units"], row["per"], row["is_own"], amounts, strict=True)
    return {unit: UnitPrice(amount=decimal(amount), per=per) for unit, per, own, amount in lists if own}


@cache
def component_names() -> tuple[str, ...]:
    """The components of cost in the order they are shown."""
    names = [component.name for component in schema.components()]
    return tuple(
        sorted(names, key=lambda name: (COMPONENTS.index(name) if name in COMPONENTS else len(COMPONENTS), name))
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_WIDE.add, amounts, Decimal(0))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
