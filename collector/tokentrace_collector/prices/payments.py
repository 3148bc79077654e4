"""At which rate of exchange the invoices of providers were really paid, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import exchange, terms
from tokentrace_collector.prices.exchange import Currency, Exchange

KEY = "payments"
"""The entry of a price book; it decides no price, so that another is no other rating run."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An invoice of a month, in another currency than that of the book, and the rate at which it was paid."""

    provider: str
    month: date
    """Its first day."""
    currency: Currency
    rate: Decimal
    """What 1 of it was in the currency of the book."""
    since: datetime
    until: datetime
    """The end of the month where the provider bills."""


def read(nodes: list[yaml.Node], money: Exchange) -> tuple[Payment, ...]:
    """The payments of a book; one for each provider, month and currency."""
    found: dict[tuple[str, date, str], Payment] = {}
    for node in nodes:
        one = _payment(node, money)
        key = one.provider, one.month, one.currency.name
        if key in found:
            notation.reject(
                node,
                f"There are two rates for the {one.currency.name} of {one.provider!r} in {one.month:%Y-%m}. "
                "An invoice that was paid in parts has one rate: what was paid / what was invoiced",
            )
        found[key] = one
    return tuple(found.values())


def _payment(node: yaml.Node, money: Exchange) -> Payment:
    entries = notation.entries(
        node,
        {"provider", "month", "currency", "rate", "time_zone"},
        needed=("provider", "month", "currency", "rate"),
    )
    provider = notation.text(entries["provider"])
    if not provider or any(sign in provider for sign in "*?["):
        notation.reject(entries["provider"], f"An invoice is of one provider, not of {provider!r}. Name it in full")
    currency = money.of(entries)
    if currency is None:
        notation.reject(
            entries["currency"],
            f"{money.currency} is the currency of this book, so nothing is exchanged. Leave this payment out",
        )
    month = _month(entries["month"])
    zone = terms.zone(entries.get("time_zone"))
    since, until = (_midnight(each, zone) for each in (month, _following(month)))
    terms.whole(entries.get("time_zone", entries["month"]), "month", since, until, zone)
    return Payment(provider, month, currency, exchange.rate(entries["rate"]), since, until)


def _month(node: yaml.Node) -> date:
    written = notation.text(node)
    try:
        month = datetime.strptime(written, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        month = None
    if month is None or f"{month:%Y-%m}" != written or not notation.FIRST.year <= month.year < notation.LAST.year:
        notation.reject(node, f"{written!r} is no month. Write one such as 2026-11")
    return month


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def left_out(text: str, root: yaml.Node) -> str:
    """The text of a book without its payments: what decides figures."""
    lines = text.splitlines(keepends=True)
    keys = list(_keys(root))
    for (key, begin), (_, end) in zip(keys, [*keys[1:], ("", len(lines))], strict=True):
        if key == KEY and begin is not None and end is not None:
            # What is said before an entry is about that entry.
            said = [place for place in range(begin, end) if not _is_aside(lines[place])]
            return "".join([*lines[:begin], *lines[said[-1] + 1 :]])
    return text


def _is_aside(line: str) -> bool:
    return not line.strip() or line.startswith("#")


def _keys(root: yaml.Node) -> Iterator[tuple[str, int | None]]:
    """The entries of a book, and the line in which each begins; None: it is not the first of its line."""
    if isinstance(root, yaml.MappingNode):
        for key, _ in root.value:
            yield key.value, None if root.flow_style else key.start_mark.line
