"""What the parameters and the body of a request ask for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast, get_args

from starlette.datastructures import QueryParams

from tokentrace_collector.prices.book import parse as parse_book
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.reports.breakdown import Breakdown, BreakdownError
from tokentrace_collector.reports.documents.upkeep import Task
from tokentrace_collector.reports.focus import Export, ExportError
from tokentrace_collector.reports.listing import Listing, ListingError
from tokentrace_collector.reports.outcomes import Question as Outcomes
from tokentrace_collector.rollup.deletion import Kind, Wanted
from tokentrace_collector.rollup.orders import Repricing

MOST_ROWS = 10_000
"""Requests that one answer lists."""

_WORDS = frozenset({"per", "zone"})

Periods = TypeVar("Periods", bound=Listing)
"""A question about periods."""


class QuestionError(ValueError):
    """A question that cannot be understood; the message says why."""


def read_filter(asked: QueryParams) -> Filter:
    """The filter that query parameters describe."""
    known = {field.name for field in fields(Filter)}
    if unknown := sorted(set(asked) - known):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(sorted(known))}.")
    readers: dict[str, Callable[[QueryParams, str], Any]] = {
        "since": read_moment,
        "until": read_moment,
        "min_cost": _amount,
        "errors": _flag,
        "by_cost": _flag,
        "limit": read_limit,
    }
    return Filter(**{name: readers.get(name, QueryParams.__getitem__)(asked, name) for name in asked})


def read_breakdown(asked: QueryParams) -> Breakdown:
    """The division of costs that query parameters describe: `by` may come again, other dimensions choose."""
    plain: dict[str, Callable[[QueryParams, str], Any]] = {
        "per": QueryParams.__getitem__,
        "zone": QueryParams.__getitem__,
        "run": QueryParams.__getitem__,
        "infra_view": QueryParams.__getitem__,
        "since": read_moment,
        "until": read_moment,
        "limit": read_limit,
    }
    only = {name: asked[name] for name in asked if name != "by" and name not in plain}
    try:
        given = {name: read(asked, name) for name, read in plain.items() if name in asked}
        return Breakdown(by=tuple(asked.getlist("by")), only=only, **given)
    except BreakdownError as error:
        raise QuestionError(str(error)) from None


def read_periods(asked: QueryParams, question: type[Periods]) -> Periods:
    """The periods that query parameters describe."""
    known = [field.name for field in fields(question)]
    if unknown := sorted(set(asked) - set(known)):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(known)}.")
    given: dict[str, Any] = {name: asked[name] if name in _WORDS else read_moment(asked, name) for name in asked}
    try:
        return question(**given)
    except ListingError as error:
        raise QuestionError(str(error)) from None


def read_outcomes(asked: QueryParams) -> Outcomes:
    """The work that query parameters describe: `by` may come again."""
    readers: dict[str, Callable[[QueryParams, str], Any]] = {
        "per": QueryParams.__getitem__,
        "since": read_moment,
        "until": read_moment,
        "by": lambda asked, name: tuple(asked.getlist(name)),
        "mature": _days,
        "fallback_cost": _amount,
    }
    if unknown := sorted(set(asked) - set(readers)):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(readers)}.")
    try:
        return Outcomes(**{name: readers[name](asked, name) for name in asked})
    except ListingError as error:
        raise QuestionError(str(error)) from None


def read_export(asked: QueryParams) -> Export:
    """The file that query parameters describe."""
    known = [field.name for field in fields(Export)]
    if unknown := sorted(set(asked) - set(known)):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(known)}.")
    if missing := sorted({"since", "until"} - set(asked)):
        raise QuestionError(
            f"The parameter {missing[0]!r} is missing. Write it like {missing[0]}=2026-01-01T00:00:00Z."
        )
    more: dict[str, Any] = {name: asked[name] for name in asked if name not in {"since", "until"}}
    try:
        return Export(read_moment(asked, "since"), read_moment(asked, "until"), **more)
    except ExportError as error:
        raise QuestionError(str(error)) from None


def read_deletion(body: bytes, tenant: str) -> tuple[Wanted, bool]:
    """What to delete, and whether only to count it, as a JSON body says; of a tenant unless it names one itself."""
    kinds = get_args(Kind)
    try:
        said = json.loads(body)
        is_dry = said.pop("dry_run", False)
        ((kind, named),) = said.items()
    except (ValueError, AttributeError, TypeError):
        kind, named, is_dry = "", "", False
    if kind not in kinds or not isinstance(named, str) or not named or not isinstance(is_dry, bool):
        raise QuestionError(
            'Say in JSON what to delete: {"trace": ID}, {"user": ID} or {"tenant": NAME}; "dry_run": true.'
        )
    if kind == "tenant":
        return Wanted(named), is_dry
    return Wanted(tenant, cast("Kind", kind), named.lower() if kind == "trace" else named), is_dry


def read_repricing(asked: QueryParams, book: str, tenant: str) -> Repricing:
    """The repricing that query parameters and a body describe."""
    if unknown := sorted(set(asked) - {"since", "until", "adopt"}):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: adopt, since, until.")
    period = {name: read_moment(asked, name) for name in ("since", "until") if name in asked}
    return Repricing(book=parse_book(book) if book else None, adopt=_flag(asked, "adopt"), tenant=tenant, **period)


def read_moment(asked: QueryParams, name: str) -> datetime:
    """The moment that a parameter names, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(asked[name])
    except ValueError:
        raise QuestionError(f"{name}={asked[name]!r} is no time. Write it like 2026-01-31T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _amount(asked: QueryParams, name: str) -> Decimal:
    try:
        amount = Decimal(asked[name])
    except InvalidOperation:
        raise QuestionError(f"{name}={asked[name]!r} is no amount. Write it like 0.25.") from None
    if not amount.is_finite():
        raise QuestionError(f"{name}={asked[name]!r} is no amount. Write it like 0.25.")
    return amount


def _days(asked: QueryParams, name: str) -> int:
    if not asked[name].isdecimal():
        raise QuestionError(f"{name}={asked[name]!r} is no number of days. Write it like 7.")
    return int(asked[name])


def _flag(asked: QueryParams, name: str) -> bool:
    value = asked.get(name, "false")
    if value not in {"true", "false"}:
        raise QuestionError(f"{name}={value!r} is neither true nor false.")
    return value == "true"


def read_task(asked: QueryParams) -> Task:
    """What the rollup is to do."""
    for task in get_args(Task):
        if asked.get("what", "run") == task:
            return cast("Task", task)
    raise QuestionError(f"what={asked['what']!r} is not one of {', '.join(get_args(Task))}.")


def read_limit(asked: QueryParams, name: str) -> int:
    """How many rows the answer may have."""
    if not asked[name].isdecimal() or not 0 < int(asked[name]) <= MOST_ROWS:
        raise QuestionError(f"{name}={asked[name]!r} is not a number from 1 to {MOST_ROWS}.")
    return int(asked[name])
