"""Prices laid out flat, to compare those of one source with those of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fnmatch import fnmatchcase
from typing import TypeAlias

from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo

from tokentrace_collector import notation
from tokentrace_collector.prices import catalogue, resolution
from tokentrace_collector.prices.book import Book, Rate
from tokentrace_collector.prices.pools import Pool
from tokentrace_collector.prices.pricelist import ALWAYS, PriceList, overlaid, units

Place: TypeAlias = tuple[str, str, str, str]
"""Provider, model, context and unit."""
Cell: TypeAlias = tuple[int, int]
"""The second of the UTC day from which a price holds, and the input tokens that a request must exceed."""

CAPACITY = "capacity"
"""The provider of capacity pools; its unit is an hour of one."""
POOL_HOUR = "pool_hour"
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


def per(unit: str) -> int:
    """How many of a unit one price buys."""
    return units()[unit].per if unit in units() else 1


def of_catalogue(snapshot: DataSnapshot, book: Book | None = None) -> Listing:
    """The prices of a catalogue, and those of a price book over it."""
    book, prices, used = book or Book(), dict[Place, Sequence[Step]](), list[Rate]()
    for provider in snapshot.providers:
        sold_as = resolution.sold_as(provider.id)
        for model in provider.models:
            rates = [each for each in book.rates if _names(each, sold_as, model)]
            used += rates
            for name, context in catalogue.contexts(model).items():
                lists: Sequence[PriceList] = catalogue.price_lists(model, context)
                prices |= steps((provider.id, model.id, name), overlaid(lists, rates) if rates else lists)
    for rate in book.rates:
        if rate not in used:
            prices |= steps((rate.provider, rate.model, ""), overlaid((), [rate]))
    prices |= dict(_people_and_pools(book))
    return Listing(prices)


def steps(named: tuple[str, str, str], lists: Iterable[PriceList]) -> Iterator[tuple[Place, Sequence[Step]]]:
    """The price lists of one model in one context, unit by unit; what does not change is not repeated."""
    lists = list(lists)
    for unit in dict.fromkeys(unit for each in lists for unit in each.own):
        found: list[Step] = []
        for each in lists:
            step = Step(each.valid_from, _cells(each, unit))
            if step.cells != (found[-1].cells if found else {}):
                found.append(step)
        if found:
            yield (*named, unit), found


def _cells(one: PriceList, unit: str) -> Mapping[Cell, Decimal]:
    # Prices of another context are no price of this one, unless the book names them.
    if unit not in one.own or not (one.applies or unit in one.agreed):
        return {}
    places = [(second, tokens) for second in (0, *one.times) for tokens in (0, *one.tiers)]
    return {place: exact(amount) for place, amount in zip(places, one.own[unit], strict=True)}


def exact(amount: Decimal) -> Decimal:
    """An amount as the tables keep it."""
    return amount.quantize(_QUANTUM, ROUND_HALF_EVEN, notation.WIDE)


def _names(rate: Rate, sold_as: Sequence[str], model: ModelInfo) -> bool:
    return fnmatchcase(model.id, rate.model) and any(fnmatchcase(name, rate.provider) for name in sold_as)


def _people_and_pools(book: Book) -> Iterator[tuple[Place, Sequence[Step]]]:
    hourly = {} if book.review_rate is None else {"*": book.review_rate}
    for role, rate in (hourly | dict(book.review_roles)).items():
        yield (resolution.REVIEW, role, "", "review_seconds"), [Step(ALWAYS, {(0, 0): exact(rate)})]
    for pool in book.pools:
        yield (CAPACITY, pool.id, pool.tenant, POOL_HOUR), _hours(pool)


def _hours(pool: Pool) -> Sequence[Step]:
    began = Step(pool.since or ALWAYS, {(0, 0): exact(pool.hourly_cost)})
    return [began, Step(pool.until, {})] if pool.until else [began]
