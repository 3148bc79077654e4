"""The prices in the database: the catalogue, the price book over it, and which of them each call has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Any

from tokentrace_collector import files
from tokentrace_collector.prices import (
    aliases,
    book,
    catalogue,
    commitments,
    committed,
    division,
    exchange,
    globs,
    platform,
    pools,
    resolution,
    rules,
    terms,
)
from tokentrace_collector.prices.book import Book
from tokentrace_collector.prices.commitments import Commitment
from tokentrace_collector.prices.exchange import rounded
from tokentrace_collector.prices.platform import Fee
from tokentrace_collector.prices.pools import Pool
from tokentrace_collector.prices.pricelist import Row, row, units
from tokentrace_collector.prices.resolution import Match, Seen, match
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import EVERYBODY

TENANT = EVERYBODY
"""The tenant under which the prices of everybody are kept."""

_LISTED = ("tenant", "catalogue", "rank", "provider", "model", "context", "currency")
_RATES = (*_LISTED, *(each.name for each in fields(Row)))
_of_row = attrgetter(*(each.name for each in fields(Row)))
_of_seen = attrgetter(*(each.name for each in fields(Seen)))
_LENDERS = ("tenant", "unit", "preference", "borrows_from")
_RUN = ("tenant", "rating_run", "catalogue", "book_sha", "currency", "book")
_POOL = (
    "tenant", "rating_run", "pool", "hourly_cost", "weight_input", "weight_cached", "weight_output", "capacity",
    "valid_from", "valid_to", "kilowatts", "grid_g_per_kwh", "costs", "kind", "share_by", "team", "service",
    "shares", "share", "idle_policy", "reserved",
)  # fmt: skip
_COMMITMENT = (
    "tenant", "rating_run", "commitment", "kind", "weights", "valid_from", "valid_to", "provider", "model", "price",
    "per", "settle", "quantity", "discount", "scheme", "pricing_currency", "pricing_price",
)  # fmt: skip
_RESOLVED = (
    "rating_run", "tenant", "rate_key", "provider", "model", "request_model", "tier", "host", "region",
    "catalogue", "rate_provider", "rate_model", "rate_context", "is_exact", "matched_by", "pool",
    "commitments",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """A rating run: one evaluation of all prices."""

    id: str
    """The hash of catalogue, price book, and the rules and code that read and match them: equal prices, equal name."""
    book: Book


def load(store: Store, priced_by: Book, *, is_tried: bool = False) -> Run:
    """Put catalogue and book into the database, once for each edition; the run that rates with them.

    What a book says besides, such as how invoices were paid, is that of the last; of one that `is_tried`, it is not.
    """
    run = Run(_name(priced_by), priced_by)
    if not _has(store, "SELECT 1 FROM price_rates WHERE catalogue = {name:String} LIMIT 1", catalogue.EDITION):
        _insert(store, "price_fallbacks", _LENDERS, _lenders())
        _insert(store, "price_rates", _RATES, _catalogue())
    known = store.query("SELECT book FROM rating_runs FINAL WHERE rating_run = {name:String}", name=run.id)
    if not known:
        _insert(store, "capacity_pools", _POOL, (row for each in priced_by.pools for row in _pools(run, each)))
        _insert(store, "capacity_pools", _POOL, (row for each in priced_by.platform for row in _fees(run, each)))
        _insert(store, "commitments", _COMMITMENT, (_commitment(run, each) for each in priced_by.commitments))
    if not known or (known[0]["book"] != priced_by.text and not is_tried):
        text = (TENANT, run.id, catalogue.EDITION, priced_by.sha, priced_by.currency, priced_by.text)
        _insert(store, "rating_runs", _RUN, [text])
    return run


def resolve(store: Store, run: Run, unresolved: str, **parameters: str) -> int:
    """Find the prices of what the rollup rates for the first time, by what asks for it; how many kinds of call."""
    kinds = [Seen(**each) for each in store.query(unresolved, run=run.id, **parameters)]
    matches = [(seen, match(seen, run.book)) for seen in kinds]
    _insert(store, "price_rates", _RATES, (each for _, one in matches for each in _agreed(one, run)))
    _insert(store, "model_resolution", _RESOLVED, (_resolved(run, seen, one) for seen, one in matches))
    return len(kinds)


def _name(priced_by: Book) -> str:
    modules = (
        aliases,
        book,
        commitments,
        committed,
        division,
        exchange,
        globs,
        platform,
        pools,
        rules,
        resolution,
        terms,
    )
    reading = files.fingerprint(*modules, resolution.names())
    return files.fingerprint(catalogue.EDITION, reading, priced_by.sha, repr(priced_by.trust_reported))


def _catalogue() -> Iterator[tuple[Any, ...]]:
    for provider in catalogue.snapshot().providers:
        for model in provider.models:
            for name, context in catalogue.contexts(model).items():
                listed = (TENANT, catalogue.EDITION, 0, provider.id, model.id, name, "USD")
                for each in catalogue.price_lists(model, context):
                    yield *listed, *_of_row(row(each))


def _agreed(one: Match, run: Run) -> Iterator[tuple[Any, ...]]:
    """Rows of the price book; what the catalogue alone decides is stored already."""
    for each in one.lists:
        yield TENANT, run.id, 1, one.provider, one.model, one.context, run.book.currency, *_of_row(row(each))


def _lenders() -> Iterator[tuple[Any, ...]]:
    for unit in units().values():
        for preference, lender in enumerate(unit.borrows, 1):
            yield TENANT, unit.unit, preference, lender


def _pools(run: Run, pool: Pool) -> Iterator[tuple[Any, ...]]:
    weights = (int(each.scaleb(6)) for each in (pool.input, pool.cached, pool.output))
    capacity = None if pool.capacity is None else int(pool.capacity.scaleb(6))
    energy = (pool.kilowatts, pool.grid_g_per_kwh)
    hour = pool.steps[0][1] if pool.steps else pool.hourly_cost
    served = (*weights, capacity, pool.since, pool.until, *energy, list(pool.steps))
    for tenant, shares, place in pool.tenants.parts():
        as_capacity = ("", "", "*", "*", list(shares), place, pool.idle, pool.reserved)
        yield tenant, run.id, pool.id, hour, *served, *as_capacity


def _fees(run: Run, fee: Fee) -> Iterator[tuple[Any, ...]]:
    charges = list(fee.charges())
    as_pool = (0, 0, 0, None, fee.since, fee.until, None, None)
    shared = ("fixed", fee.allocate or "", fee.team, fee.service)
    for tenant, shares, place in fee.tenants.parts():
        yield tenant, run.id, fee.id, Decimal(0), *as_pool, charges, *shared, list(shares), place, "weighted", {}


def _commitment(run: Run, one: Commitment) -> tuple[Any, ...]:
    weights = {unit: int(weight.scaleb(6)) for unit, weight in one.weights.items()}
    price, currency = one.price, run.book.currency
    if one.currency:
        price = rounded(Fraction(one.price) * one.currency.known(one.since))
        currency = one.currency.name
    promised = (one.provider, one.model, price, one.per, one.settle, one.quantity, one.discount, one.scheme)
    return one.tenant, run.id, one.id, one.kind, weights, one.since, one.until, *promised, currency, one.price


def _resolved(run: Run, seen: Seen, one: Match) -> tuple[Any, ...]:
    # A price book lies over one edition of the catalogue, so that its rows are those of the run, not of the book.
    edition = run.id if one.lists else one.catalogue
    found = (edition, one.provider, one.model, one.context, int(one.is_exact), one.matched_by, one.pool)
    return run.id, *_of_seen(seen), *found, list(one.commitments)


def _has(store: Store, question: str, name: str) -> bool:
    return bool(store.query(question, name=name))


def _insert(store: Store, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    by_column = list(zip(*rows, strict=True))
    if by_column:
        store.insert(table, columns, by_column)
