"""The checks of `tokentrace prices doctor`: what the pricing of a period says about the prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from tokentrace_collector.cli import amounts, price_changes
from tokentrace_collector.cli.examination import Finding
from tokentrace_collector.prices.difference import PriceChange
from tokentrace_collector.reports.documents.prices import ModelPricing, PriceFindings

_SURE = frozenset({"model", "price book"})
_CENT = Decimal(100)


def judged(
    found: PriceFindings, others: Sequence[PriceChange], today: date, tolerance: Decimal, stale: int
) -> list[Finding]:
    """What to make of it: `others` is what another source says otherwise, `tolerance` in per cent, `stale` in days."""
    checks = [_age(found, today, stale)]
    for each in found["models"]:
        checks += _unpriced(each, found["tokens"])
        checks += _doubtful(each)
        checks += _disputed(each, found["currency"], tolerance)
    used = {tuple(name) for each in found["models"] for name in each["rated_as"]}
    checks += [Finding("changed", "note", price_changes.line(each)) for each in found["changes"]]
    checks += [
        Finding("elsewhere", "note", price_changes.line(each))
        for each in others
        if (each["provider"], each["model"]) in used
    ]
    if not found["models"]:
        checks.append(Finding("calls", "note", "No call is in the books of this period."))
    elif all(each.state == "ok" for each in checks):
        told = f"all {amounts.count(found['tokens'])} tokens have a price of the model that answered"
        checks.append(Finding("prices", "ok", told))
    return checks


def _age(found: PriceFindings, today: date, stale: int) -> Finding:
    named = found["catalogue"] or "no catalogue yet"
    if found["newest_price"] is None:
        return Finding("catalogue", "note", f"{named}: no price of it tells from when it holds.")
    days = (today - date.fromisoformat(found["newest_price"])).days
    told = f"{named}: its newest price is of {found['newest_price']}, {amounts.count(days)} days ago"
    if days > stale:
        return Finding("catalogue", "note", f"{told}. See what has changed: `tokentrace prices update`.")
    return Finding("catalogue", "ok", told)


def _unpriced(each: ModelPricing, all_tokens: int) -> Iterator[Finding]:
    if not each["unpriced_calls"]:
        return
    part = amounts.share(Decimal(each["unpriced_tokens"]), Decimal(all_tokens)) or "0 %"
    yield Finding(
        "unpriced",
        "failed",
        f"{_name(each)}: {amounts.count(each['unpriced_calls'])} of {amounts.count(each['calls'])} calls used "
        f"something without a price, {amounts.count(each['unpriced_tokens'])} tokens, {part} of all. "
        "Name one in the price book.",
    )


def _doubtful(each: ModelPricing) -> Iterator[Finding]:
    rated_as = ", ".join(" ".join(name) for name in each["rated_as"])
    if each["rated_as"] and not set(each["matched_by"]) <= _SURE:
        how = ", ".join(way for way in each["matched_by"] if way not in _SURE)
        yield Finding("found by", "note", f"{_name(each)}: rated as {rated_as}, found by its {how}.")
    elif each["rated_as"] and not each["is_exact"]:
        yield Finding(
            "found by", "note", f"{_name(each)}: rated as {rated_as}, for want of prices of its tier of service."
        )
    if each["borrowed_calls"]:
        told = f"{amounts.count(each['borrowed_calls'])} calls were rated in part at the price of a related unit."
        yield Finding("borrowed", "note", f"{_name(each)}: {told}")
    if each["free_calls"]:
        yield Finding(
            "free", "note", f"{_name(each)}: {amounts.count(each['free_calls'])} calls used something that costs 0."
        )


def _disputed(each: ModelPricing, currency: str, tolerance: Decimal) -> Iterator[Finding]:
    said, computed = Decimal(each["reported"]["said"]), Decimal(each["reported"]["computed"])
    if not each["reported"]["calls"] or abs(said - computed) * _CENT <= tolerance * max(said, computed):
        return
    decimals = amounts.places(max(said, computed))
    sides = f"{amounts.money(said, currency, decimals)}, list prices make {amounts.money(computed, currency, decimals)}"
    yield Finding(
        "reported",
        "failed",
        f"{_name(each)}: {amounts.count(each['reported']['calls'])} calls are said to cost {sides}.",
    )


def _name(each: ModelPricing) -> str:
    return " ".join(filter(None, (each["provider"], each["model"]))) or "(no model)"
