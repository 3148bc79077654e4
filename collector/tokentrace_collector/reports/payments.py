"""What invoices in other currencies came to when they were paid, beside what was charged at the rates of the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any, ClassVar

from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.prices.commitments import Commitment
from tokentrace_collector.prices.exchange import USD, rounded
from tokentrace_collector.prices.payments import Payment
from tokentrace_collector.prices.resolution import Seen
from tokentrace_collector.prices.statement import Statement
from tokentrace_collector.reports import pricing
from tokentrace_collector.reports.documents.spending import Paid
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

_REPORTED = "reported"


@dataclass(frozen=True, slots=True)
class Question(Listing):
    """Which months are wanted: those that begin (UTC) within the bounds, wherever their provider bills."""

    known: ClassVar[tuple[str, ...]] = ("month",)
    per: str = "month"


@dataclass(frozen=True, slots=True)
class _Part:
    """What was charged at one rate."""

    charged: Fraction
    invoiced: Fraction | None
    """The same, in the currency of the invoice; None: it was charged in another."""


def payments(books: Books, wanted: Question) -> list[Paid]:
    """The invoices whose rate the price book knows, by month, provider and currency."""
    book = pricing.book(books)
    paid = [each for each in book.payments if _is_wanted(each, wanted)]
    paid.sort(key=lambda each: (each.month, each.provider, each.currency.name))
    return [_paid(books, book, each) for each in paid]


def _is_wanted(one: Payment, wanted: Question) -> bool:
    begin = datetime.combine(one.month, time(), UTC)
    return not (wanted.since and begin < wanted.since) and not (wanted.until and begin >= wanted.until)


def _paid(books: Books, book: Book, one: Payment) -> Paid:
    rows = books.query(schema.sql("reports/paid_lines"), provider=one.provider, since=one.since, until=one.until)
    parts = [*_pieces(books, book, one, rows), *_fees(books, book, one)]
    charged = sum((each.charged for each in parts if each.invoiced is not None), Fraction(0))
    invoiced = sum((each.invoiced for each in parts if each.invoiced is not None), Fraction(0))
    others = sum((each.charged for each in parts if each.invoiced is None), Fraction(0))
    difference = rounded(invoiced * Fraction(one.rate) - charged)
    lines, unpriced = (sum(row[name] for row in rows) for name in ("lines", "unpriced"))
    return {
        "provider": one.provider,
        "month": f"{one.month:%Y-%m}",
        "currency": one.currency.name,
        "invoiced": decimal(rounded(invoiced)),
        "rate": decimal(one.rate),
        "charge_currency": book.currency,
        "charged": decimal(rounded(charged)),
        "paid": decimal(rounded(charged + Fraction(difference))),
        "difference": decimal(difference),
        "other": decimal(rounded(others)),
        "lines": {"known": lines - unpriced, "of": lines},
    }


def _pieces(books: Books, book: Book, one: Payment, rows: Sequence[Mapping[str, Any]]) -> Iterator[_Part]:
    """What was charged by the piece."""
    statements = _statements(books, one.provider, {row["rating_run"] for row in rows} - {""})
    told = _told(books, one) if any(row["status"] == _REPORTED for row in rows) else None
    for row in rows:
        # A month that was booked in another currency than the book now has adds up with nothing of it.
        if row["currency"] == book.currency:
            yield _line(row, statements.get(row["rating_run"]), told, one)


def _fees(books: Books, book: Book, one: Payment) -> Iterator[_Part]:
    """What was charged for commitments."""
    promised = dict(_promised(book, one))
    for row in books.query(schema.sql("reports/paid_commitments"), since=one.since, until=one.until):
        if (each := promised.get(row["commitment"])) is None or not row["fee"]:
            continue
        booked, invoiced = Fraction(row["booked"]), None
        if each.currency and each.currency.name == one.currency.name:
            # Without its rates, the fee of a period is as it is stated.
            stated = replace(each, currency=None).fee(row["since"], row["until"])
            invoiced = booked * Fraction(stated) / Fraction(row["fee"])
        yield _Part(booked, invoiced)


def _promised(book: Book, one: Payment) -> Iterator[tuple[str, Commitment]]:
    """The commitments that an invoice is about: one that names several providers is on the first of their invoices."""
    invoices = [each for each in book.payments if (each.month, each.currency) == (one.month, one.currency)]
    for each in book.commitments:
        named = [paid for paid in invoices if each.provider != "*" and fnmatchcase(paid.provider, each.provider)]
        if named[:1] == [one]:
            yield each.id, each


def _told(books: Books, one: Payment) -> str | None:
    """In which currency calls were said to cost what they were charged; None: in several, and lines tell no more."""
    asked = {"provider": one.provider, "since": one.since, "until": one.until}
    found = {row["currency"] for row in books.query(schema.sql("reports/paid_reported"), **asked)} or {USD}
    return found.pop() if len(found) == 1 else None


def _line(row: Mapping[str, Any], statement: Statement | None, told: str | None, one: Payment) -> _Part:
    amount, name = Fraction(row["amount"]), (row["model"], row["tier"], row["unit"])
    if statement is None:
        return _Part(amount, None)
    stated = told if row["status"] == _REPORTED else statement.currency(name, row["hour"], row["price"])
    worth = statement.worth(one.currency.name, row["hour"]) if stated == one.currency.name else None
    return _Part(amount, None if worth is None else amount / Fraction(worth))


def _statements(books: Books, provider: str, runs: set[str]) -> Mapping[str, Statement]:
    """What the books of rating runs state about the calls of a provider."""
    if not runs:
        return {}
    texts = {row["rating_run"]: row["book"] for row in books.query(schema.sql("reports/books"), runs=sorted(runs))}
    seen: dict[str, list[Seen]] = {}
    for row in books.query(schema.sql("reports/paid_names"), provider=provider):
        run = row.pop("rating_run")
        seen.setdefault(run, []).append(Seen(**row))
    return {run: Statement(parse(text), seen.get(run, [])) for run, text in texts.items()}
