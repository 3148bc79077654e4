"""Prices laid out flat, to compare those of one source with those of another."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase
from itertools import product
from typing import TypeAlias

from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo

from tokentrace_collector import notation
from tokentrace_collector.prices import catalogue, resolution
from tokentrace_collector.prices.book import Book, Rate
from tokentrace_collector.prices.division import Part
from tokentrace_collector.prices.exchange import USD, Piece
from tokentrace_collector.prices.platform import Fee
from tokentrace_collector.prices.pools import Pool
from tokentrace_collector.prices.pricelist import (
    ALWAYS,
    Cells,
    PriceList,
    attention,
    contracted,
    is_known,
    overlaid,
    units,
)
from tokentrace_collector.prices.rules import STANDARD, Rule

Place: TypeAlias = tuple[str, str, str, str]
"""Provider, model, context and unit."""
Cell: TypeAlias = tuple[int, int]
"""The second of the UTC day from which a price holds, and the input tokens that a request must exceed."""

CAPACITY = "capacity"
"""The provider of capacity pools; its unit is an hour of one."""
POOL_HOUR = "pool_hour"
PLATFORM = "platform"
"""The provider of fixed costs; their units are an hour, a day, a month or the term of one."""
_PLACES: tuple[str, ...] = ("host", "region")
_QUANTUM = Decimal(1).scaleb(-notation.FINEST)


@dataclass(frozen=True, slots=True)
class Step:
    """The prices of one unit from one moment on; no cells: it has none."""

    since: datetime
    cells: Mapping[Cell, Decimal]


@dataclass(frozen=True, slots=True)
class Listing:
    """Every price of one source."""

    prices: Mapping[Place, Sequence[Step]]
    """In order of time."""
    is_dated: bool = True
    """Whether the source says from when a price holds; else it knows those of now alone."""
    currency: str = USD


def per(unit: str) -> int:
    """How many of a unit one price buys."""
    return units()[unit].per if unit in units() else 1


def of_catalogue(snapshot: DataSnapshot, book: Book | None = None) -> Listing:
    """The prices of a catalogue, and those of a price book over it."""
    book, prices, used = book or Book(), dict[Place, Sequence[Step]](), list[Rate]()
    for provider in snapshot.providers:
        sold_as = [*resolution.sold_as(provider.id), provider.id]
        for model in provider.models:
            rates = [each for each in book.rates if _names(each, sold_as, model)]
            used += rates
            for name, lists, rules in _contexts(model, [each for each in book.rules if _rules(each, sold_as, model)]):
                stated = book.money.catalogue
                laid = overlaid(lists, rates, rules, stated) if rates or rules or stated else lists
                prices |= steps((provider.id, model.id, name), laid)
    for rate in book.rates:
        if rate not in used:
            prices |= steps((rate.provider, rate.model, ""), overlaid((), [rate]))
    prices |= dict(_people_and_pools(book))
    return Listing(prices, currency=book.currency)


def steps(named: tuple[str, str, str], lists: Iterable[PriceList]) -> Iterator[tuple[Place, Sequence[Step]]]:
    """The price lists of one model in one context, unit by unit; what does not change is not repeated."""
    priced = [(each, contracted(each)) for each in lists]
    for unit in dict.fromkeys(unit for _, own in priced for unit in own):
        found: list[Step] = []
        for each, own in priced:
            step = Step(each.valid_from, _cells(each, own, unit))
            if step.cells != (found[-1].cells if found else {}):
                found.append(step)
        if found:
            yield (*named, unit), found


def _cells(one: PriceList, own: Mapping[str, Cells], unit: str) -> Mapping[Cell, Decimal]:
    # Prices of another context are no price of this one, unless the book knows them.
    if unit not in own or not is_known(one, unit, unit):
        return {}
    places = [(second, tokens) for second in (0, *one.times) for tokens in (0, *one.tiers)]
    return {place: exact(amount) for place, amount in zip(places, own[unit], strict=True)}


def exact(amount: Decimal) -> Decimal:
    """An amount as the tables keep it."""
    return amount.quantize(_QUANTUM, ROUND_HALF_EVEN, notation.WIDE)


def _names(rate: Rate, sold_as: Sequence[str], model: ModelInfo) -> bool:
    return fnmatchcase(model.id, rate.model) and any(fnmatchcase(name, rate.provider) for name in sold_as)


def _rules(rule: Rule, sold_as: Sequence[str], model: ModelInfo) -> bool:
    """Whether it may change what a model costs, wherever and however it is called."""
    named = {name: glob for name, glob in rule.match.items() if name in ("provider", "model")}
    return replace(rule, match=named).covers({"provider": sold_as, "model": [model.id]})


def _contexts(model: ModelInfo, rules: Sequence[Rule]) -> Iterator[tuple[str, Sequence[PriceList], Sequence[Rule]]]:
    """The contexts of a model: the catalogue's, those that rules name besides, and each where rules say that it is."""
    known = catalogue.contexts(model)
    said = {each.match["tier"] for each in rules if "tier" in each.match}
    named = sorted(each for each in said if glob.escape(each) == each and resolution.plain_tier(each) != STANDARD)
    for name in dict.fromkeys((*known, *named)):
        lists: Sequence[PriceList] = catalogue.price_lists(model, known.get(name, {}))
        if name not in known:
            lists = [replace(each, applies=False) for each in lists]
        tiers = (name, resolution.plain_tier(name))
        for place in product(*(_said(rules, field) for field in _PLACES)):
            where = dict(zip(_PLACES, place, strict=True))
            here = [each for each in rules if _is_there(each, where, tiers)]
            if all(not one or any(each.match.get(field) == one for each in here) for field, one in where.items()):
                yield resolution.within(name, here), lists, here


def _said(rules: Sequence[Rule], field: str) -> Sequence[str]:
    """What rules say of where a call is served; first, nothing."""
    return ("", *sorted({each.match[field] for each in rules if field in each.match}))


def _is_there(rule: Rule, where: Mapping[str, str], tiers: Sequence[str]) -> bool:
    apart = {field: one for field, one in rule.match.items() if field in _PLACES and where[field] != one}
    named = apart | {field: one for field, one in rule.match.items() if field == "tier"}
    return replace(rule, match=named).covers({field: [one] for field, one in where.items()} | {"tier": tiers})


def _people_and_pools(book: Book) -> Iterator[tuple[Place, Sequence[Step]]]:
    hourly = {} if book.review_rate is None else {"*": book.review_rate}
    for role, rate in (hourly | dict(book.review_roles)).items():
        yield (resolution.REVIEW, role, "", "review_seconds"), list(_attention(book, rate))
    for pool in book.pools:
        for part in pool.tenants.parts():
            yield (CAPACITY, pool.id, part.tenant, POOL_HOUR), _hours(pool, part)
    for fee in book.platform:
        for part in fee.tenants.parts():
            yield (PLATFORM, fee.id, part.tenant, f"platform_{fee.per}"), _fees(fee, part)


def _attention(book: Book, rate: Decimal) -> Iterator[Step]:
    for since, amount in attention(rate, book.review_currency):
        yield Step(since, {} if amount is None else {(0, 0): exact(amount)})


def _hours(pool: Pool, part: Part) -> Sequence[Step]:
    costs = pool.steps or ((pool.since or ALWAYS, pool.hourly_cost),)
    found = [Step(since, {(0, 0): part.of(exact(cost))}) for since, cost in costs]
    return [*found, Step(pool.until, {})] if pool.until else found


def _fees(fee: Fee, part: Part) -> Sequence[Step]:
    pieces = fee.currency.pieces(fee.since, fee.until) if fee.currency else [Piece(fee.since, fee.until, Decimal(1))]
    found = [
        Step(each.since, {(0, 0): part.of(exact(notation.WIDE.multiply(fee.price, each.rate)))})
        for each in pieces
        if each.since and each.rate
    ]
    return [*found, Step(fee.until, {})]
