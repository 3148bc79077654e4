"""The price catalogue (genai-prices) as price lists: every price of a model, by context and start of validity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import genai_prices
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from tokentrace_collector import files, notation
from tokentrace_collector.prices import edition, pricelist
from tokentrace_collector.prices.pricelist import ALWAYS, Cells, PriceList, Unit, units

_RULES = (Path(__file__).read_text(), (files.root() / "prices" / "units.yaml").read_text())
EDITION = f"{edition.name(genai_prices.__version__)}+{files.fingerprint(pricelist, *_RULES)[:8]}"
"""Which catalogue this is, and by which rules and code it was read."""
STANDARD = ""
"""The context of a request at ordinary service."""

Constraint = StartDateConstraint | TimeOfDateConstraint | None
Price = Decimal | TieredPrices
Slot = Mapping[str, Price]
"""The catalogue's prices at one time of day, by its own keys."""


@cache
def snapshot() -> DataSnapshot:
    """The catalogue itself, as installed or in the file that the environment names; it asks no network."""
    path = edition.path()
    return edition.read(path) if path else get_snapshot()


def contexts(model: ModelInfo) -> dict[str, dict[str, str]]:
    """The contexts a model is priced in, by the name a response gives them: batch, flex, priority and so on."""
    named: dict[str, dict[str, str]] = {STANDARD: {}}
    for variant in model.price_variants or ():
        name = "+".join(variant.when.values())
        # An instruction to price as usual is no context of its own.
        if name != "default":
            named.setdefault(name, {}).update(variant.when)
    return named


def price_lists(model: ModelInfo, context: Mapping[str, str]) -> list[PriceList]:
    """The prices of a model in a context, in order of time; what does not change is not repeated."""
    found: list[PriceList] = []
    for start in _starts(model):
        current = _price_list(model, context, start)
        if not found or _content(current) != _content(found[-1]):
            found.append(current)
    return found


def _content(one: PriceList) -> tuple[object, ...]:
    return (one.own, one.tiers, one.times, one.applies)


def _constraints(model: ModelInfo) -> Iterator[Constraint]:
    if isinstance(model.prices, Sequence):
        yield from (each.constraint for each in model.prices)
    yield from (each.constraint for each in model.price_variants or ())


def _starts(model: ModelInfo) -> list[datetime]:
    dates = {each.start_date for each in _constraints(model) if isinstance(each, StartDateConstraint)}
    return [ALWAYS, *(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in sorted(dates))]


def _times(model: ModelInfo) -> tuple[int, ...]:
    moments = {
        moment.hour * 3600 + moment.minute * 60 + moment.second
        for each in _constraints(model)
        if isinstance(each, TimeOfDateConstraint)
        for moment in (each.start_time, each.end_time)
    }
    return tuple(sorted(moments - {0}))


def _price_list(model: ModelInfo, context: Mapping[str, str], start: datetime) -> PriceList:
    times = _times(model)
    slots = [_keyed(model.get_prices(start + timedelta(seconds=second), context)) for second in (0, *times)]
    if all(slot == slots[0] for slot in slots):
        times, slots = (), slots[:1]
    tiers = sorted({tier.start for slot in slots for price in slot.values() for tier in _tiers(price)})
    own = {name: cells for name, unit in units().items() if (cells := _cells(unit, slots, tiers))}
    return PriceList(start, own, tuple(tiers), times, not context or _is_priced(model, context, start))


def _is_priced(model: ModelInfo, context: Mapping[str, str], moment: datetime) -> bool:
    return any(
        each.when.items() <= context.items() and (each.constraint is None or each.constraint.active(moment))
        for each in model.price_variants or ()
    )


def _keyed(price: ModelPrice) -> dict[str, Price]:
    return {key: value for key, value in vars(price).items() if value is not None}


def _cells(unit: Unit, slots: Sequence[Slot], tiers: Sequence[int]) -> Cells:
    key = next((key for key in unit.keys if all(key in slot for slot in slots)), None)
    if key is None:
        return ()
    return tuple(
        notation.WIDE.divide(_at(slot[key], tier) * unit.per, Decimal(_bought_by(key)))
        for slot in slots
        for tier in (None, *tiers)
    )


def _tiers(price: Price) -> Sequence[genai_prices.types.Tier]:
    return price.tiers if isinstance(price, TieredPrices) else ()


def _at(price: Price, tier: int | None) -> Decimal:
    amount = price.base if isinstance(price, TieredPrices) else price
    for each in _tiers(price):
        if tier is not None and tier >= each.start:
            amount = each.price
    return amount


@cache
def _bought_by(key: str) -> int:
    """How many units the catalogue's price of a key buys."""
    return next(int(each["per"]) for each in unit_data.values() if each["price_key"] == key)
