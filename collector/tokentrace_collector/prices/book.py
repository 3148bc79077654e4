"""The price book: what the user pays that no catalogue knows. YAML, validated, with exact decimals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tokentrace_collector import files, notation
from tokentrace_collector.prices import aliases, committed, exchange, payments, platform, pools, rules
from tokentrace_collector.prices.aliases import Alias
from tokentrace_collector.prices.commitments import Commitment
from tokentrace_collector.prices.exchange import Currency, Exchange
from tokentrace_collector.prices.payments import Payment
from tokentrace_collector.prices.platform import Fee
from tokentrace_collector.prices.pools import Pool
from tokentrace_collector.prices.rules import Rule

_MILLION = 6
"""Prices of tokens are written per million: so many places are gone once it is one."""
_DEFAULT_TRUST = ("openrouter", "x_ai")
"""Providers that say, in their documentation and in every answer, what they bill for it."""

_KNOWN = {
    "version", "currency", "fx", "aliases", "rates", "rules", "human_review", "gpu_pools", "platform", "commitments",
    "payments", "trust_reported",
}  # fmt: skip


def _none() -> Mapping[str, Decimal]:
    return {}


class BookError(ValueError):
    """A price book that cannot be taken at its word."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Prices agreed for some models of some providers, from one day to another."""

    provider: str
    """A glob over OpenTelemetry provider names."""
    model: str
    prices: Mapping[str, Decimal]
    """Bucket or meter → price of one, as it is stated."""
    since: datetime | None = None
    until: datetime | None = None
    currency: Currency | None = None
    """In which it is stated; None: in that of the book."""

    def at(self, moment: datetime) -> Mapping[str, Decimal | None]:
        """The prices that hold at a moment, in the currency of the book; None: nobody says what the other is worth."""
        if (self.since is not None and moment < self.since) or (self.until is not None and moment >= self.until):
            return {}
        if self.currency is None:
            return self.prices
        rate = self.currency.at(moment)
        return {unit: exchange.worth(price, rate) for unit, price in self.prices.items()}

    @property
    def edges(self) -> Sequence[datetime]:
        """When its prices change."""
        own = [edge for edge in (self.since, self.until) if edge]
        return own if self.currency is None else [*own, *self.currency.edges(self.since, self.until)]


@dataclass(frozen=True, slots=True)
class Book:
    """A whole price book; an empty one leaves everything to the catalogue."""

    rates: tuple[Rate, ...] = ()
    rules: tuple[Rule, ...] = ()
    """On what the catalogue asks; a rate wins over them."""
    aliases: tuple[Alias, ...] = ()
    """The rest of the book is about the names that these lead to."""
    review_rate: Decimal | None = None
    """Cost of an hour of attention; None: reviews are not priced."""
    review_roles: Mapping[str, Decimal] = field(default_factory=_none)
    review_currency: Currency | None = None
    """In which attention is paid; None: in that of the book."""
    pools: tuple[Pool, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    """In the order in which they are used."""
    platform: tuple[Fee, ...] = ()
    """What is paid whoever calls."""
    trust_reported: tuple[str, ...] = _DEFAULT_TRUST
    """Who is taken at their word on what a call cost: providers, or what computes it on the way, such as `litellm`."""
    money: Exchange = field(default_factory=Exchange)
    """The currency of all figures, and what it knows of others."""
    payments: tuple[Payment, ...] = ()
    """At which rates invoices were paid; they change no figure."""
    text: str = ""
    rated: str = ""
    """What of the text decides figures."""

    @property
    def currency(self) -> str:
        """In which all figures are."""
        return self.money.currency

    @property
    def sha(self) -> str:
        """What names this book: what decides figures is equal text, equal name."""
        return hashlib.sha256(self.rated.encode()).hexdigest()[:16]


def read(path: str | Path) -> Book:
    """The price book in a file."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BookError(f"The price book {str(path)!r} cannot be read: {error}.") from error
    return parse(text)


def parse(text: str) -> Book:
    """The price book that a YAML text describes."""
    try:
        node = notation.compose(text)
        return Book(text=text, rated=text) if node is None else _book(node, text)
    except notation.NotationError as error:
        raise BookError(f"The price book cannot be used. {error}") from error


@cache
def tokens() -> frozenset[str]:
    """The buckets: units that are sold by the million."""
    buckets = _registry()["buckets"]
    return frozenset(each["id"] for side in ("input", "output") for each in buckets[side])


@cache
def units() -> frozenset[str]:
    """Everything that can have a price: buckets, meters, and the request itself."""
    return tokens() | {each["id"] for each in _registry()["meters"]} | {"requests"}


def _registry() -> Mapping[str, Any]:
    registry: Mapping[str, Any] = yaml.safe_load((files.root() / "registry" / "attributes.yaml").read_text())
    return registry


def _book(node: yaml.Node, text: str) -> Book:
    entries = notation.entries(node, _KNOWN, needed=("version",))
    if notation.text(entries["version"]) != "1":
        notation.reject(entries["version"], "This collector reads `version: 1`")
    money = exchange.read(entries.get("currency"), entries.get("fx"))
    known = {"rate_per_hour", "roles", "currency"}
    reviews = notation.entries(entries["human_review"], known) if "human_review" in entries else {}
    trusted = entries.get("trust_reported")
    gpu_pools = pools.read(notation.items(entries.get("gpu_pools")), money)
    promised = _commitments(entries.get("commitments"), {each.id for each in gpu_pools}, money)
    taken = {each.id for each in gpu_pools} | {each.id for each in promised}
    return Book(
        rates=tuple(_rate(each, money) for each in notation.items(entries.get("rates"))),
        rules=rules.read(notation.items(entries.get("rules")), units(), tokens()),
        aliases=aliases.read(notation.items(entries.get("aliases"))),
        review_rate=notation.money(reviews["rate_per_hour"]) if "rate_per_hour" in reviews else None,
        review_roles={name: notation.money(each) for name, each in notation.pairs(reviews.get("roles"))},
        review_currency=money.of(reviews),
        pools=gpu_pools,
        commitments=promised,
        platform=platform.read(notation.items(entries.get("platform")), money, taken),
        trust_reported=tuple(map(notation.text, notation.items(trusted))) if trusted else _DEFAULT_TRUST,
        money=money,
        payments=payments.read(notation.items(entries.get(payments.KEY)), money),
        text=text,
        rated=payments.left_out(text, node),
    )


def _rate(node: yaml.Node, money: Exchange) -> Rate:
    known = {"provider", "model", "prices", "currency", "from", "to"}
    entries = notation.entries(node, known, needed=("prices",))
    prices = dict(_price(unit, each) for unit, each in notation.pairs(entries["prices"]))
    if not prices:
        notation.reject(entries["prices"], "A rate without prices changes nothing. Name a bucket or meter")
    since, until = notation.period(entries)
    currency = money.of(entries)
    if currency:
        currency.check(entries["currency"], since, until)
    named = notation.glob(entries, "provider"), notation.glob(entries, "model")
    return Rate(*named, prices, since, until, currency)


def _price(unit: str, node: yaml.Node) -> tuple[str, Decimal]:
    if unit not in units():
        notation.reject(node, f"{unit!r} is no bucket or meter. Use one of {', '.join(sorted(units()))}")
    if unit in tokens():
        return unit, notation.money(node, places=notation.FINEST - _MILLION).scaleb(-_MILLION, notation.WIDE)
    return unit, notation.money(node)


def _commitments(node: yaml.Node | None, taken: set[str], money: Exchange) -> tuple[Commitment, ...]:
    nodes = notation.items(node)
    found = committed.read(nodes, units(), tokens(), money)
    if shared := sorted(taken & {each.id for each in found}):
        notation.reject(nodes[0], f"{shared[0]!r} is a pool already. Give each commitment its own id")
    return found
