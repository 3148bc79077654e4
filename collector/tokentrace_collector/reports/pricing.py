"""How the calls of a period came to their prices: what has none, how they were found, what others say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from tokentrace_collector.prices import difference, listing
from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.prices.listing import Listing, Place, Step
from tokentrace_collector.prices.pricelist import PriceList
from tokentrace_collector.reports.documents.prices import ModelPricing, PriceFindings, Said
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books


def findings(books: Books, since: datetime, until: datetime) -> PriceFindings:
    """How the calls that were charged within a period came to their prices."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    money = book(books).money
    asked = {"since": since, "until": until, "currency": money.currency, **money.parameters()}
    found = [_model(row) for row in books.query(schema.sql("reports/pricing"), **asked)]
    used = {tuple(each) for model in found for each in model["rated_as"]}
    rows = [row for row in books.query(schema.sql("reports/price_history")) if (row["provider"], row["model"]) in used]
    edition = books.query(schema.sql("reports/edition"), at=until)
    newest: datetime | None = edition[0]["newest"] if edition else None
    return {
        "catalogue": edition[0]["catalogue"] if edition else "",
        "currency": money.currency,
        "newest_price": newest.astimezone(UTC).date().isoformat() if newest else None,
        "tokens": sum(each["tokens"] for each in found),
        "models": found,
        "changes": difference.changes(_history(rows), since, until),
    }


def book(books: Books) -> Book:
    """The price book that figures are made with."""
    found = books.query(schema.sql("reports/book"))
    return parse(found[0]["book"]) if found else Book()


def _model(row: Mapping[str, Any]) -> ModelPricing:
    return {
        "provider": row["provider"],
        "model": row["model"],
        "calls": row["calls"],
        "total": decimal(row["cost"]),
        "tokens": row["tokens"],
        "unpriced_tokens": row["unpriced_tokens"],
        "unpriced_calls": row["unpriced_calls"],
        "borrowed_calls": row["borrowed_calls"],
        "free_calls": row["free_calls"],
        "matched_by": [each for each in row["found_by"] if each],
        "rated_as": [list(each) for each in row["rated_as"]],
        "is_exact": bool(row["exact"]),
        "reported": Said(calls=row["reported_calls"], said=decimal(row["said"]), computed=decimal(row["computed"])),
    }


def _history(rows: Sequence[Mapping[str, Any]]) -> Listing:
    prices: dict[Place, Sequence[Step]] = {}
    for (provider, model, context), lists in groupby(rows, lambda row: (row["provider"], row["model"], row["context"])):
        prices |= listing.steps((provider, model, context), _lists(lists))
    return Listing(prices)


def _lists(rows: Iterable[Mapping[str, Any]]) -> list[PriceList]:
    return [
        PriceList(
            row["valid_from"].astimezone(UTC),
            {
                unit: tuple(cell[place] for cell in row["prices"])
                for place, unit in enumerate(row["units"])
                if row["is_own"][place]
            },
            tuple(row["tiers"]),
            tuple(row["times"]),
        )
        for row in rows
    ]
