"""Price lists: every unit price of one model from one moment on, and how a price book lies over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

import yaml

from tokentrace_collector import files, notation
from tokentrace_collector.prices.book import Rate
from tokentrace_collector.prices.exchange import USD, Currency, worth
from tokentrace_collector.prices.rules import Rule, Terms, terms

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a price that has always held."""
_QUANTUM = Decimal(1).scaleb(-notation.FINEST)

Cells = tuple[Decimal, ...]
"""One price per cell; cell = time slot * (tiers + 1) + tier."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How one bucket or meter is priced: an entry of `schemas/prices/units.yaml`."""

    unit: str
    keys: tuple[str, ...]
    same_as: str
    borrows: tuple[str, ...]
    per: int


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices that units have of their own, from one moment on."""

    valid_from: datetime
    own: Mapping[str, Cells]
    """Unit → price of `per` of it, by cell."""
    tiers: tuple[int, ...] = ()
    """A tier applies to requests of more input tokens than this."""
    times: tuple[int, ...] = ()
    """Seconds of the UTC day at which a further time slot begins."""
    applies: bool = True
    """False where these are the prices of another context, for want of any of this one."""
    catalogue: Mapping[str, Cells] | None = None
    """What stood here before a price book was laid over it."""
    agreed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Units whose price the book names, theirs in every context, and in which currency; empty: in its own."""
    unknown: frozenset[str] = frozenset()
    """Units whose price the book names in a currency of which nobody says what it is worth: they have none."""
    rules: tuple[Rule, ...] = ()
    """Those of the book that are in force, on every price that it does not name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A price list completed by what its units borrow: arrays of `price_rates`."""

    valid_from: datetime
    units: list[str]
    is_own: list[int]
    per: list[int]
    tiers: list[int]
    times: list[int]
    prices: list[list[Decimal]]
    list_prices: list[list[Decimal]]


@cache
def units() -> Mapping[str, Unit]:
    """Every unit that may have a price, by name."""
    entries = yaml.safe_load((files.root() / "prices" / "units.yaml").read_text())["units"]
    return {
        each["unit"]: Unit(
            each["unit"],
            tuple(each.get("keys", ())),
            each.get("same_as", ""),
            tuple(each.get("borrows", ())),
            each.get("per", 1),
        )
        for each in entries
    }


def row(one: PriceList) -> Row:
    """The list as `price_rates` keeps it."""
    completed = _completed(one.own, one.unknown)
    listed = _completed({**one.own, **(one.catalogue or {})}) if one.catalogue is not None or one.rules else None
    return Row(
        valid_from=one.valid_from,
        units=list(completed),
        is_own=[int(is_own and is_known(one, unit, seller)) for unit, (is_own, seller, _) in completed.items()],
        per=[units()[unit].per for unit in completed],
        tiers=list(one.tiers),
        times=list(one.times),
        prices=_by_cell([_ruled(one, unit, seller, cells) for unit, (_, seller, cells) in completed.items()]),
        list_prices=_by_cell([listed[unit][2] for unit in completed]) if listed else [],
    )


def stated_in(one: PriceList, unit: str, own: str) -> str | None:
    """The currency in which the price of a unit is stated, where `own` is that of the book; None: it has no price."""
    found = None if unit in one.unknown else _found(unit, one.own, one.unknown)
    return None if found is None else one.agreed.get(found[1], USD) or own


def is_known(one: PriceList, unit: str, seller: str) -> bool:
    """Whether the price of a unit, sold as `seller`, is one of this context: the catalogue's, or as the book has it."""
    ruled = _terms(one, unit, seller)
    return one.applies or seller in one.agreed or (ruled is not None and ruled.is_vouched)


def contracted(one: PriceList) -> Mapping[str, Cells]:
    """What units have a price of their own, and what it is with the rules of the book."""
    prices = {unit: _ruled(one, unit, unit, cells) for unit, cells in one.own.items()}
    for unit in units().values():
        if unit.unit not in {*one.own, *one.unknown} and unit.same_as in one.own:
            cells = _ruled(one, unit.unit, unit.same_as, one.own[unit.same_as])
            if cells != prices[unit.same_as]:
                prices[unit.unit] = cells
    return prices


def overlaid(
    base: Sequence[PriceList], rates: Sequence[Rate], rules: Sequence[Rule] = (), stated: Currency | None = None
) -> list[PriceList]:
    """Price lists under a price book: what a rate names it decides while it holds, the first rate before the others.

    `stated` is the currency of the lists, where it is not that of the book.
    """
    edges = {each.valid_from for each in base}
    agreements: list[Rate | Rule] = [*rates, *rules]
    edges |= {max(edge, ALWAYS) for each in agreements for edge in each.edges}
    edges |= {max(edge, ALWAYS) for edge in stated.edges(None, None)} if stated else set()
    lists = [_overlaid(start, base, rates, stated) for start in sorted(edges | {ALWAYS})]
    return [replace(one, rules=tuple(each for each in rules if each.holds(one.valid_from))) for one in lists]


def attention(rate: Decimal, stated: Currency | None) -> Iterator[tuple[datetime, Decimal | None]]:
    """What an hour of attention is in the currency of the book, from when on; None: nobody says."""
    if stated is None:
        yield ALWAYS, rate
        return
    for each in stated.pieces(ALWAYS, None):
        yield each.since or ALWAYS, worth(rate, each.rate)


def _overlaid(start: datetime, base: Sequence[PriceList], rates: Sequence[Rate], stated: Currency | None) -> PriceList:
    listed = next((each for each in reversed(base) if each.valid_from <= start), PriceList(start, {}))
    under = _converted(listed, stated.at(start)) if stated else listed
    cells = (len(under.tiers) + 1) * (len(under.times) + 1)
    agreed: dict[str, Cells] = {}
    stated_in: dict[str, str] = {}
    unknown: set[str] = set()
    for rate in rates:
        for unit, price in rate.at(start).items():
            if unit not in agreed and price is None:
                unknown.add(unit)
            elif unit not in unknown and price is not None:
                agreed.setdefault(unit, (notation.WIDE.multiply(price, Decimal(units()[unit].per)),) * cells)
                stated_in.setdefault(unit, rate.currency.name if rate.currency else "")
    unknown |= under.unknown - agreed.keys()
    if not (agreed or unknown):
        return replace(under, valid_from=start)
    own = {unit: each for unit, each in {**under.own, **agreed}.items() if unit not in unknown}
    return replace(under, valid_from=start, own=own, catalogue=under.own, agreed=stated_in, unknown=frozenset(unknown))


def _converted(one: PriceList, rate: Decimal | None) -> PriceList:
    """A list in the currency of the book; where nobody says what its own is worth, it has no price."""
    if rate is None:
        return replace(one, own={}, unknown=frozenset(one.own))
    own = {unit: tuple(notation.WIDE.multiply(_rounded(price), rate) for price in one.own[unit]) for unit in one.own}
    return replace(one, own=own)


def _terms(one: PriceList, unit: str, seller: str) -> Terms | None:
    return None if seller in one.agreed else terms(one.rules, unit, seller)


def _ruled(one: PriceList, unit: str, seller: str, cells: Cells) -> Cells:
    found = _terms(one, unit, seller)
    # From the list price as the tables keep it, so that anybody can redo it; rounded once more, at the end.
    return tuple(notation.WIDE.multiply(_rounded(price), found.factor) for price in cells) if found else cells


def _completed(own: Mapping[str, Cells], unknown: frozenset[str] = frozenset()) -> dict[str, tuple[bool, str, Cells]]:
    found = {unit: _found(unit, own, unknown) for unit in units() if unit not in unknown}
    return {unit: each for unit, each in found.items() if each is not None}


def _found(name: str, own: Mapping[str, Cells], unknown: frozenset[str]) -> tuple[bool, str, Cells] | None:
    """Whether a unit has a price of its own, the unit whose price it is, and the price."""
    unit = units()[name]
    for same in (name, unit.same_as):
        if same in own:
            return True, same, own[same]
    if unit.same_as in unknown:
        return None
    return next(((False, lender, own[lender]) for lender in unit.borrows if lender in own), None)


def _by_cell(by_unit: Sequence[Cells]) -> list[list[Decimal]]:
    return [[_rounded(price) for price in cell] for cell in zip(*by_unit, strict=True)]


def _rounded(price: Decimal) -> Decimal:
    # Some catalogue prices carry the noise of a float in their last digits.
    return price.quantize(_QUANTUM, ROUND_HALF_EVEN, notation.WIDE)
