"""Commitments: what was promised to a provider for a term, and the periods in which the promise falls due."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from tokentrace_collector import notation
from tokentrace_collector.prices.exchange import Currency

Kind: TypeAlias = Literal["usage", "spend"]
Step: TypeAlias = Literal["minute", "hour", "day", "month", "term"]
Scheme: TypeAlias = Literal["take_or_pay", "linear"]

STEPS: tuple[str, ...] = get_args(Step)
SCHEMES: tuple[str, ...] = get_args(Scheme)
_SECONDS: Mapping[str, int] = {"minute": 60, "hour": 3600}
_UNITS = 10**notation.FINEST


def _nothing() -> Mapping[str, Decimal]:
    return {}


class EdgeError(ValueError):
    """A term that cuts a period in two; the message says which."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """Capacity, or an amount of spending, that is paid for whether it is used or not."""

    id: str
    kind: Kind
    price: Decimal
    """What is owed for each `per`, as it is stated: the fee of capacity, the amount of spending."""
    per: Step
    settle: Step
    """Over which period use is counted; what is unused at its end is lost."""
    since: datetime
    until: datetime
    zone: str = "UTC"
    """Where days and months begin."""
    quantity: Decimal | None = None
    """Weighted units of one settlement period; None: it is money that was promised."""
    discount: Decimal = Decimal(0)
    """The share taken off the price of what counts towards an amount of spending."""
    scheme: Scheme = "take_or_pay"
    """`linear`: a used unit costs r·(2 - u) at utilisation u, and nothing else is owed."""
    weights: Mapping[str, Decimal] = field(default_factory=_nothing)
    """Bucket or meter → units of capacity that one of it takes. What is not named here is not covered."""
    provider: str = "*"
    model: str = "*"
    host: str = "*"
    tier: str = "*"
    tenant: str = "default"
    currency: Currency | None = None
    """In which the price is stated; None: in that of the book."""

    @property
    def order(self) -> tuple[bool, datetime, str]:
        """What is used first: capacity before spending, then what ends first."""
        return self.kind == "spend", self.until, self.id

    def pots(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The periods from one moment to another for which figures are made: as settled, but hours for minutes."""
        step: Step = "hour" if self.settle == "minute" else self.settle
        return _periods(self, step, max(since, self.since), min(until, self.until))

    def windows(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The settlement periods of one pot."""
        return _periods(self, self.settle, since, until)

    def fee(self, since: datetime, until: datetime) -> Decimal:
        """What a part of the term costs: parts add up to the price, to the last digit."""
        return Decimal(self._owed(until) - self._owed(since)).scaleb(-notation.FINEST, notation.WIDE)

    def _owed(self, moment: datetime) -> int:
        price = int(self.price.scaleb(notation.FINEST, notation.WIDE))
        if self.per in _SECONDS:
            return round(sum((price * part for part in self._hours(moment)), Fraction(0)) / _SECONDS[self.per])
        edges = periods(self.per, self.since, self.until, self.zone)
        place = min(bisect_right(edges, moment), len(edges) - 1) - 1
        first, last = edges[place], edges[place + 1]
        before, now = _owed_before(self.currency, price, tuple(edges))[place : place + 2]
        return before + round(Fraction((now - before) * _seconds(moment - first), _seconds(last - first)))

    def _hours(self, moment: datetime) -> Iterator[Fraction]:
        """The seconds up to a moment, each as many times as its money is worth."""
        if self.currency is None:
            yield Fraction(_seconds(moment - self.since))
            return
        for each in self.currency.pieces(self.since, moment):
            if each.since and each.until and each.rate and each.since < each.until:
                yield _seconds(each.until - each.since) * Fraction(each.rate)


@cache
def _owed_before(currency: Currency | None, price: int, edges: tuple[datetime, ...]) -> Sequence[int]:
    """What is owed up to each edge: a period is charged at its beginning, and at the rate of then."""
    rates = (Fraction(1) if currency is None else currency.known(each) for each in edges[:-1])
    return tuple(itertools.accumulate((round(price * rate) for rate in rates), initial=0))


@cache
def periods(step: Step, since: datetime, until: datetime, zone: str) -> Sequence[datetime]:
    """Where the days or months of a term begin and end; EdgeError where the term cuts one in two."""
    if step == "term":
        edges = [since, until]
    else:
        edges = [each for each in _midnights(step, since, until, zone) if since <= each <= until]
    if not edges or edges[0] != since or edges[-1] != until:
        raise EdgeError(f"A {step} in {zone} is cut in two. Let the term begin and end where a {step} does")
    if any(each.minute or each.second or each.microsecond for each in edges):
        raise EdgeError(f"Figures are of whole hours (UTC), and a {step} in {zone} begins within one. Write UTC times")
    return edges


def _midnights(step: Step, since: datetime, until: datetime, zone: str) -> Iterator[datetime]:
    where = ZoneInfo(zone)
    day = since.astimezone(where).date()
    day = day if step == "day" else day.replace(day=1)
    while (edge := datetime.combine(day, time(), where).astimezone(UTC)) <= until:
        yield edge
        day = day + timedelta(days=1) if step == "day" else _next_month(day)


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _periods(one: Commitment, step: Step, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The periods of a term that have a part between two moments."""
    if (seconds := _SECONDS.get(step)) is not None:
        length = timedelta(seconds=seconds)
        edge = one.since + (since - one.since) // length * length
        while edge < until:
            yield edge, edge + length
            edge += length
        return
    edges = periods(step, one.since, one.until, one.zone)
    for first, last in itertools.pairwise(edges):
        if first < until and last > since:
            yield first, last


def _seconds(length: timedelta) -> int:
    return length.days * 86_400 + length.seconds
