"""Fixed costs of a price book: what is paid by the month whoever calls, such as a gateway or a vector database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias, cast, get_args

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import division, terms
from tokentrace_collector.prices.commitments import Step, periods
from tokentrace_collector.prices.division import Division
from tokentrace_collector.prices.exchange import Currency, Exchange, rounded

Policy: TypeAlias = Literal["calls", "tokens"]

_POLICIES: tuple[str, ...] = get_args(Policy)
_STEPS: tuple[Step, ...] = ("hour", "day", "month", "term")
_HOUR = 3600
_KNOWN = {"id", "price", "currency", "match", "tenant", "tenants", "allocate", "time_zone", "from", "to"}


@dataclass(frozen=True, slots=True)
class Fee:
    """A fixed cost, from one day to another."""

    id: str
    price: Decimal
    """Of each `per`, as it is stated."""
    per: Step
    since: datetime
    until: datetime
    zone: str = "UTC"
    """Where days and months begin."""
    tenants: Division = field(default_factory=Division)
    team: str = "*"
    """Whose it is of theirs: a glob, in which `*` and `?` mean something."""
    service: str = "*"
    allocate: Policy | None = None
    """By what it is shared among the calls of an hour; None: it is theirs together, and of no trace."""
    currency: Currency | None = None

    def charges(self) -> Iterator[tuple[datetime, Decimal]]:
        """What is charged when, in the currency of the book, for the time until the next: at the rate of then."""
        if self.per == "hour":
            for since, until, rate in self._pieces():
                hours = Fraction(int((until - since).total_seconds()), _HOUR)
                yield since, rounded(Fraction(self.price) * hours * rate)
            return
        for since, _ in pairwise(periods(self.per, self.since, self.until, self.zone)):
            yield since, rounded(Fraction(self.price) * self._rate(since))

    def _pieces(self) -> Iterator[tuple[datetime, datetime, Fraction]]:
        if self.currency is None:
            yield self.since, self.until, Fraction(1)
            return
        for since, until, rate in self.currency.pieces(self.since, self.until):
            if since and until and rate:
                yield since, until, Fraction(rate)

    def _rate(self, moment: datetime) -> Fraction:
        return Fraction(1) if self.currency is None else self.currency.known(moment)


def read(nodes: list[yaml.Node], money: Exchange, taken: Collection[str]) -> tuple[Fee, ...]:
    """The fixed costs of a book; none has a name that is taken."""
    found: dict[str, Fee] = {}
    for node in nodes:
        fee = _fee(node, money)
        if fee.id in taken:
            notation.reject(node, f"{fee.id!r} is a pool or a commitment already. Give each fixed cost its own id")
        if fee.id in found:
            notation.reject(node, f"There are two fixed costs {fee.id!r}. Give each its own id")
        found[fee.id] = fee
    return tuple(found.values())


def _fee(node: yaml.Node, money: Exchange) -> Fee:
    entries = notation.entries(node, _KNOWN, needed=("id", "price", "from", "to"))
    zone = terms.zone(entries.get("time_zone"))
    since, until = terms.term(entries, zone)
    price, per = terms.price(entries["price"], _STEPS, "month")
    terms.whole(entries["from"], per, since, until, zone)
    match = notation.entries(entries["match"], {"team", "service"}) if "match" in entries else {}
    for each in match.values():
        if "[" in notation.text(each):
            notation.reject(each, f"{notation.text(each)!r} has a bracket. Here only `*` and `?` stand for others")
    currency = money.of(entries)
    if currency:
        currency.check(entries["currency"], since, until)
    policy = terms.one_of(entries["allocate"], _POLICIES) if "allocate" in entries else None
    return Fee(
        id=notation.text(entries["id"]),
        price=price,
        per=per,
        since=since,
        until=until,
        zone=zone,
        tenants=division.read(entries),
        team=notation.glob(match, "team"),
        service=notation.glob(match, "service"),
        allocate=cast("Policy | None", policy),
        currency=currency,
    )
