"""What other currencies are worth in the one of a price book, from one day to the next."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import yaml

from tokentrace_collector import notation

USD = "USD"
"""The currency of the catalogue."""
_CODE = re.compile(r"[A-Z]{3}")
_PLACES = 12
_MOST = 10**6
_ALWAYS, _EVER = 0, 2**33


class Piece(NamedTuple):
    """A part of a period in which one rate holds."""

    since: datetime | None
    until: datetime | None
    rate: Decimal | None
    """None: nobody says."""


@dataclass(frozen=True, slots=True)
class Currency:
    """What one of another currency is, in that of the book."""

    name: str
    rates: tuple[tuple[datetime, Decimal], ...]
    """From when on; each holds until the next."""
    until: datetime | None = None
    """Until when the last holds; None: from then on."""

    def pieces(self, since: datetime | None, until: datetime | None) -> Iterator[Piece]:
        """The parts of a period, each with its rate; before the first and after the last there is none."""
        steps: list[tuple[datetime | None, Decimal | None]] = [(None, None), *self.rates, (self.until, None)]
        for (first, rate), (last, _) in pairwise([*steps, (None, None)] if self.until else steps):
            begin = max(filter(None, (since, first)), default=None)
            end = min(filter(None, (until, last)), default=None)
            if begin is None or end is None or begin < end:
                yield Piece(begin, end, rate)

    def at(self, moment: datetime) -> Decimal | None:
        """The rate at a moment; None: nobody says."""
        place = bisect_right(self.rates, moment, key=itemgetter(0))
        is_over = self.until is not None and moment >= self.until
        return None if place == 0 or is_over else self.rates[place - 1][1]

    def known(self, moment: datetime) -> Fraction:
        """The rate at a moment of which the book was refused, were it not known."""
        rate = self.at(moment)
        if rate is None:
            raise LookupError(f"Nothing says what 1 {self.name} is at {_written(moment)}.")
        return Fraction(rate)

    def edges(self, since: datetime | None, until: datetime | None) -> Iterator[datetime]:
        """When, within a period, a rate begins or the last one ends."""
        for edge in (*(each for each, _ in self.rates), self.until):
            if edge and (since is None or since < edge) and (until is None or edge < until):
                yield edge

    def check(self, node: yaml.Node, since: datetime | None, until: datetime | None) -> None:
        """Refuse what lies, by what is known of it, where there is no rate."""
        lies = "Write a rate for it under `fx`, or let"
        first = self.rates[0][0]
        if since is not None and since < first:
            notation.reject(
                node, f"Nothing says what 1 {self.name} is before {_written(first)}. {lies} this begin there"
            )
        if self.until is not None and until is not None and until > self.until:
            notation.reject(
                node, f"Nothing says what 1 {self.name} is from {_written(self.until)} on. {lies} this end there"
            )

    def check_always(self, node: yaml.Node, since: datetime | None, until: datetime | None) -> None:
        """Refuse what may lie where there is no rate."""
        if since is None:
            notation.reject(
                node,
                f"Nothing says what 1 {self.name} is before {_written(self.rates[0][0])}. "
                "Write `from`, so that nothing is to be paid before",
            )
        if until is None and self.until is not None:
            notation.reject(
                node,
                f"Nothing says what 1 {self.name} is from {_written(self.until)} on. "
                "Write `to`, or leave out that of the last rate",
            )
        self.check(node, since, until)


def _no_others() -> Mapping[str, Currency]:
    return {}


@dataclass(frozen=True, slots=True)
class Exchange:
    """The currency of a book, and what it knows of others."""

    currency: str = USD
    others: Mapping[str, Currency] = field(default_factory=_no_others)

    @property
    def catalogue(self) -> Currency | None:
        """The currency of the catalogue; None: it is that of the book."""
        return self.others.get(USD)

    def parameters(self) -> Mapping[str, Sequence[int | str]]:
        """What is known of each currency, its own too, for a statement: times in seconds, rates in 1e-12."""
        rows: list[tuple[str, int, int, int]] = [(self.currency, _ALWAYS, _EVER, 10**_PLACES)]
        for name, one in self.others.items():
            for since, until, rate in one.pieces(None, None):
                if since and rate:
                    end = int(until.timestamp()) if until else _EVER
                    rows.append((name, int(since.timestamp()), end, int(rate.scaleb(_PLACES))))
        names, begins, ends, rates = map(list, zip(*rows, strict=True))
        return {"currencies": names, "rates_since": begins, "rates_until": ends, "rates": rates}

    def of(self, entries: Mapping[str, yaml.Node]) -> Currency | None:
        """The currency in which something states its amounts; None: that of the book."""
        node = entries.get("currency")
        code = self.currency if node is None else _code(node, notation.text(node))
        if node is None or code == self.currency:
            return None
        if code not in self.others:
            notation.reject(node, f"Nothing says what 1 {code} is. Write its rates under `fx`")
        return self.others[code]


def worth(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    """An amount of another currency, exactly; None where there is no rate."""
    return None if rate is None else notation.WIDE.multiply(amount, rate)


def rounded(exact: Fraction) -> Decimal:
    """An amount rounded once, half to even, at the last place that is kept."""
    return Decimal(round(exact * 10**notation.FINEST)).scaleb(-notation.FINEST, notation.WIDE)


def read(currency: yaml.Node | None, node: yaml.Node | None) -> Exchange:
    """The currency of a book, and its rates of others."""
    own = USD if currency is None else _code(currency, notation.text(currency))
    found: dict[str, Currency] = {}
    for name, each in notation.pairs(node):
        if _code(each, name) == own:
            notation.reject(each, f"1 {own} is 1 {own}, the currency of this book. Name another")
        found[name] = _currency(name, each)
    if currency is not None and own != USD and USD not in found:
        notation.reject(currency, f"The catalogue is in USD. Write what 1 USD is in {own} under `fx`")
    return Exchange(own, found)


class _Entry(NamedTuple):
    since: datetime
    until: datetime | None
    rate: Decimal
    node: yaml.Node


def _currency(name: str, node: yaml.Node) -> Currency:
    entries = sorted((_entry(each) for each in notation.items(node)), key=lambda each: each.since)
    if not entries:
        notation.reject(node, f"Nothing says what 1 {name} is. Write `- {{from: 2026-01-01, rate: 1.0832}}`")
    for one, following in pairwise(entries):
        if one.since == following.since or (one.until or following.since) > following.since:
            notation.reject(
                following.node,
                f"There are two rates of {name} for {_written(following.since)}. Let one end where the other begins",
            )
        if one.until and one.until < following.since:
            notation.reject(
                following.node,
                f"Nothing says what 1 {name} is from {_written(one.until)} to {_written(following.since)}. "
                "Let one rate end where the next begins",
            )
    return Currency(name, tuple((each.since, each.rate) for each in entries), entries[-1].until)


def _entry(node: yaml.Node) -> _Entry:
    entries = notation.entries(node, {"from", "to", "rate"}, needed=("from", "rate"))
    since, until = notation.period(entries)
    for name, moment in (("from", since), ("to", until)):
        # Capacity is paid by the hour, at one rate.
        if moment and (moment.minute or moment.second or moment.microsecond):
            notation.reject(
                entries[name], f"`{name}: {notation.text(entries[name])}` is within an hour. Write a whole one"
            )
    worth_of_one = rate(entries["rate"])
    if since is None:
        notation.reject(node, "Nothing says since when this rate holds. Write `from`")
    return _Entry(since, until, worth_of_one, node)


def rate(node: yaml.Node) -> Decimal:
    """What 1 of a currency is in another."""
    found = notation.money(node, places=_PLACES, below=_MOST)
    if found == 0:
        notation.reject(node, "A rate of 0 makes everything free. Write what 1 of it is in that of the book")
    return found


def _code(node: yaml.Node, written: str) -> str:
    if not _CODE.fullmatch(written):
        notation.reject(node, f"{written!r} is no currency. Write its three letters, such as EUR")
    return written


def _written(moment: datetime) -> str:
    text = moment.isoformat().replace("+00:00", "Z")
    return text.removesuffix("T00:00:00Z")
