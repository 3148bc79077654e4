"""Which prices a call has: its provider, models, tier, host and region, matched against price book and catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import yaml
from genai_prices.types import ModelInfo, Provider

from tokentrace_collector import files, notation
from tokentrace_collector.prices import catalogue
from tokentrace_collector.prices.aliases import Name, known_as
from tokentrace_collector.prices.book import Book
from tokentrace_collector.prices.commitments import Commitment
from tokentrace_collector.prices.pools import Pool
from tokentrace_collector.prices.pricelist import PriceList, attention, overlaid, units
from tokentrace_collector.prices.rules import STANDARD, Rule

REVIEW = "human_review"
"""The provider of attention; its models are the roles of the rate card."""

_PLAIN = frozenset({"", "default", "standard", "auto", "on_demand", "none"})
"""Words of providers for service as usual."""
_REGIONS = frozenset({"us", "eu", "apac", "au", "jp", "ca", "global", "us-gov"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a call says about itself that decides its prices."""

    tenant: str
    rate_key: int
    provider: str
    model: str
    request_model: str
    tier: str
    host: str
    region: str


@dataclass(frozen=True, slots=True)
class Match:
    """The price list of a call, and the capacity pool that serves it."""

    catalogue: str = ""
    """Edition of the catalogue, or hash of the price book; empty where no price is known."""
    provider: str = ""
    model: str = ""
    context: str = ""
    is_exact: bool = False
    """The model that answered and its tier are themselves priced."""
    matched_by: str = ""
    pool: str = ""
    lists: Sequence[PriceList] = field(default=())
    """Price lists of the book, still to be stored; those of the catalogue are."""
    commitments: Sequence[str] = ()
    """Those that may cover it, by id; the first is used first."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A model of the catalogue in one context."""

    provider: Provider
    model: ModelInfo
    context: str
    is_exact: bool


def match(seen: Seen, book: Book) -> Match:
    """The prices that apply to a call, and what was promised that covers it."""
    if seen.provider == REVIEW:
        return _review(seen, book)
    seen = _known_as(seen, book)
    return replace(_priced(seen, book), commitments=[each.id for each in book.commitments if _covers(each, seen)])


def _known_as(seen: Seen, book: Book) -> Seen:
    """A call under the names that the aliases of the book lead to."""
    answered, asked = (known_as(Name(seen.provider, each), book.aliases) for each in (seen.model, seen.request_model))
    return replace(
        seen,
        provider=answered.provider if seen.model else asked.provider,
        # An alias of every model gives no name to one that has none.
        model=answered.model if seen.model else "",
        request_model=asked.model if seen.request_model else "",
    )


def _priced(seen: Seen, book: Book) -> Match:
    """The prices of a call: the book's where it names the model, else the catalogue's."""
    pool = next((each.id for each in book.pools if _serves(each, seen)), "")
    for name, how in _names(seen):
        listed = _listed(seen.provider, name, seen.tier)
        rates = [each for each in book.rates if _globs((each.provider, seen.provider), (each.model, name))]
        rules = _rules(seen, name, listed, book)
        stated = book.money.catalogue
        if rates or rules or (listed and stated):
            lists = overlaid(_price_lists(listed) if listed else (), rates, rules, stated)
            exact = how == "model" and (bool(rates) or _is_vouched(seen, listed, rules))
            context = within(seen.tier, rules)
            return Match(book.sha, seen.provider, name, context, exact, "price book" if rates else how, pool, lists)
        if listed:
            owner, exact = _owner(listed), how == "model" and listed.is_exact
            return Match(catalogue.EDITION, owner.id, listed.model.id, listed.context, exact, how, pool)
    return Match(pool=pool)


def _rules(seen: Seen, name: str, listed: _Listed | None, book: Book) -> list[Rule]:
    """Those of the book for what the catalogue asks of a call; what it does not sell, they cannot change."""
    if listed is None:
        return []
    names, tiers = (name, listed.model.id), (seen.tier, plain_tier(seen.tier))
    where = {"host": [seen.host], "region": [seen.region]}
    said = {"provider": [seen.provider], "model": names, "tier": tiers} | where
    return [each for each in book.rules if each.covers(said)]


def _is_vouched(seen: Seen, listed: _Listed | None, rules: Sequence[Rule]) -> bool:
    is_named = seen.provider != "" and any("tier" in each.match for each in rules)
    return is_named or (listed is not None and listed.is_exact)


def within(tier: str, rules: Sequence[Rule]) -> str:
    """The context of prices that rules decide: where they depend on the host or region, those of another are others."""
    hosts = sorted({each.match["host"] for each in rules if "host" in each.match})
    regions = sorted({each.match["region"] for each in rules if "region" in each.match})
    return " ".join(filter(None, (tier, *(f"@{host}" for host in hosts), *(f"@region={name}" for name in regions))))


def plain_tier(tier: str) -> str:
    """A tier of service as rules call it: one word for service as usual."""
    return STANDARD if tier in _PLAIN else tier


def _review(seen: Seen, book: Book) -> Match:
    rate = book.review_roles.get(seen.model, book.review_rate)
    if rate is None:
        return Match()
    hours = Decimal(units()["review_seconds"].per) / 3600
    lists = [
        PriceList(since, {} if price is None else {"review_seconds": (notation.WIDE.multiply(price, hours),)})
        for since, price in attention(rate, book.review_currency)
    ]
    return Match(book.sha, REVIEW, seen.model, "", is_exact=True, matched_by="price book", lists=lists)


def _serves(pool: Pool, seen: Seen) -> bool:
    named = any(fnmatchcase(name, pool.model) for name in (seen.model, seen.request_model))
    return seen.tenant in pool.tenants and named and _globs((pool.provider, seen.provider), (pool.host, seen.host))


def _covers(one: Commitment, seen: Seen) -> bool:
    named = any(fnmatchcase(name, one.model) for name in (seen.model, seen.request_model))
    pairs = (one.provider, seen.provider), (one.host, seen.host), (one.tier, seen.tier)
    return one.tenant == seen.tenant and named and _globs(*pairs)


def _globs(*pairs: tuple[str, str]) -> bool:
    return all(fnmatchcase(text, glob) for glob, text in pairs)


def _names(seen: Seen) -> Iterator[tuple[str, str]]:
    """The names under which a model may be known, the surest first."""
    said = [name for name in (seen.model, seen.request_model) if name]
    yield from zip(said, ("model" if seen.model else "request model", "request model"), strict=False)
    for name in said:
        # publishers/google/models/gemini-…, models/gemini-…
        if "/" in name:
            yield name.rpartition("/")[2], "last part of the name"
        # us.anthropic.claude-…: a Bedrock profile that serves a model from several regions.
        region, _, rest = name.partition(".")
        if rest and region in _REGIONS:
            yield rest, "name without its region"


def _listed(provider: str, name: str, tier: str) -> _Listed | None:
    seller = _seller(provider, name)
    model = seller.find_model(name, all_providers=catalogue.snapshot().providers) if seller else None
    if seller is None or model is None:
        return None
    # What a provider resells at the prices of another is not known to have the other's discounts.
    contexts = catalogue.contexts(model) if any(each is model for each in seller.models) else {}
    tier = catalogue.STANDARD if tier in _PLAIN else tier
    known = tier == catalogue.STANDARD or tier in contexts
    return _Listed(seller, model, tier if known else catalogue.STANDARD, known and provider != "")


def _seller(provider: str, model: str) -> Provider | None:
    """The catalogue's provider; for self-hosted models there is none, and none is guessed."""
    names = _catalogue_names()
    if provider in names and names[provider] is None:
        return None
    try:
        return catalogue.snapshot().find_provider(model, names.get(provider, provider) or None, None)
    except LookupError:
        return None


def _owner(listed: _Listed) -> Provider:
    """The provider under whose name the catalogue keeps the model; another than the seller where it resells."""
    providers = (listed.provider, *catalogue.snapshot().providers)
    return next(each for each in providers if any(model is listed.model for model in each.models))


def _price_lists(listed: _Listed) -> list[PriceList]:
    found = catalogue.price_lists(listed.model, catalogue.contexts(listed.model)[listed.context])
    return found if listed.is_exact else [replace(each, applies=False) for each in found]


def sold_as(provider: str) -> list[str]:
    """The names under which calls tell of a provider of the catalogue."""
    return [name for name, found in _catalogue_names().items() if found == provider] or [provider]


def provider_name(told: str) -> str | None:
    """The OpenTelemetry name of a provider that is told by that name or by an alias; None where nobody knows it."""
    return _telemetry_names().get(told)


def names() -> str:
    """Which provider is which of the catalogue, as a text to compare."""
    return repr(sorted(_catalogue_names().items()))


@cache
def _catalogue_names() -> dict[str, str | None]:
    """OpenTelemetry provider name or alias → the provider's id in the catalogue."""
    return {name: each["catalogue"] for each in _providers() for name in (each["name"], *each["aliases"])}


@cache
def _telemetry_names() -> dict[str, str]:
    """OpenTelemetry provider name or alias → the name."""
    return {name: each["name"] for each in _providers() for name in (each["name"], *each["aliases"])}


def _providers() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((files.root() / "registry" / "providers.yaml").read_text())[
        "providers"
    ]
    return found
