"""In which currency the price of a line is stated, as the price book that rated it has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from tokentrace_collector.prices.book import Book
from tokentrace_collector.prices.exchange import USD
from tokentrace_collector.prices.pricelist import PriceList, row, stated_in
from tokentrace_collector.prices.resolution import Seen, match

_HOUR = timedelta(hours=1)


class Statement:
    """What one book states about the calls that were seen."""

    def __init__(self, book: Book, seen: Iterable[Seen]) -> None:
        self._book = book
        self._lists: dict[tuple[str, str], list[Sequence[PriceList]]] = {}
        for each in seen:
            self._lists.setdefault((each.model, each.tier), []).append(match(each, book).lists)
        self._found: dict[tuple[str, str, str, datetime, Decimal | None], str | None] = {}

    def currency(self, name: tuple[str, str, str], hour: datetime, price: Decimal | None) -> str | None:
        """That of a price of a model, tier and unit in an hour; None: it has none."""
        key = (*name, hour, price)
        if key not in self._found:
            self._found[key] = self._currency(name, hour, price)
        return self._found[key]

    def worth(self, currency: str, hour: datetime) -> Decimal | None:
        """What 1 of a currency was in that of the book; None: nobody says."""
        other = self._book.money.others.get(currency)
        return other.at(hour) if other else None

    def _currency(self, name: tuple[str, str, str], hour: datetime, price: Decimal | None) -> str | None:
        model, tier, unit = name
        stated = list(self._stated(self._lists.get((model, tier)) or [()], unit, hour))
        if len({each for each, _ in stated}) > 1:
            # An agreement begins within the hour, or goes by a name that lines do not tell: the price says which it is.
            stated = [(each, one) for each, one in stated if one is not None and _asks(one, unit, price)] or stated
        return stated[0][0]

    def _stated(
        self, known: Iterable[Sequence[PriceList]], unit: str, hour: datetime
    ) -> Iterator[tuple[str | None, PriceList | None]]:
        """The currencies in which a price may be stated, each with a list that does."""
        for lists in known:
            if not lists:
                # What the catalogue alone decides has no list of the book.
                yield USD, None
            for each in _within(lists, hour):
                yield stated_in(each, unit, self._book.currency), each


def _within(lists: Sequence[PriceList], hour: datetime) -> Sequence[PriceList]:
    """Those that hold in an hour or in a part of it."""
    first = max((place for place, each in enumerate(lists) if each.valid_from <= hour), default=0)
    return [each for each in lists[first:] if each.valid_from < hour + _HOUR]


def _asks(one: PriceList, unit: str, price: Decimal | None) -> bool:
    kept = row(one)
    prices: Mapping[str, set[Decimal]] = {
        each: {cell[place] for cell in kept.prices} for place, each in enumerate(kept.units)
    }
    return price in prices.get(unit, set())
