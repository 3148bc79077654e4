"""What invoices in other currencies came to when they were paid, beside what was charged at the rates of the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    invoiced: Fraction
    """The same, in the currency of the invoice."""


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
    named = {"since": one.since, "until": one.until}
    rows = books.query(schema.sql("reports/paid_lines"), provider=one.provider, **named)
    statements = _statements(books, one.provider, {row["rating_run"] for row in rows} - {""})
    parts, others = [], Fraction(0)
    for row in rows:
        part = _line(row, statements.get(row["rating_run"]), one) if row["currency"] == book.currency else None
        if part:
            parts.append(part)
        elif row["currency"] == book.currency:
            others += Fraction(row["amount"])
    promised = dict(_promised(book, one))
    for row in books.query(schema.sql("reports/paid_commitments"), **named):
        # Under its own price the fee of a period is that of its currency.
        if (each := promised.get(row["commitment"])) is None or not row["fee"]:
            continue
        charged = Fraction(row["booked"])
        if each.currency and each.currency.name == one.currency.name:
            stated = Fraction(replace(each, currency=None).fee(row["since"], row["until"]))
            parts.append(_Part(charged, charged * stated / Fraction(row["fee"])))
        else:
            others += charged
    charged = sum((each.charged for each in parts), Fraction(0))
    invoiced = sum((each.invoiced for each in parts), Fraction(0))
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


def _promised(book: Book, one: Payment) -> Iterator[tuple[str, Commitment]]:
    """The commitments that an invoice is about: one that names several providers is on the first of their invoices."""
    invoices = [each for each in book.payments if (each.month, each.currency) == (one.month, one.currency)]
    for each in book.commitments:
        named = [paid for paid in invoices if each.provider != "*" and fnmatchcase(paid.provider, each.provider)]
        if named[:1] == [one]:
            yield each.id, each


def _line(row: Mapping[str, Any], statement: Statement | None, one: Payment) -> _Part | None:
    """What was charged in the currency of an invoice; None: it was charged in another."""
    if statement is None:
        return None
    name, hour = (row["model"], row["tier"], row["unit"]), row["hour"]
    stated = USD if row["status"] == _REPORTED else statement.currency(name, hour, row["price"])
    worth = statement.worth(one.currency.name, hour) if stated == one.currency.name else None
    if worth is None:
        return None
    return _Part(Fraction(row["amount"]), Fraction(row["amount"]) / Fraction(worth))


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
