"""The commitments of a price book, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import cast

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import terms
from tokentrace_collector.prices.commitments import SCHEMES, STEPS, Commitment, Kind, Scheme, Step
from tokentrace_collector.prices.exchange import Exchange

_MICRO = 6
_MOST_UNITS = 10**15
_KNOWN = {
    "usage": {"quantity", "price", "weights", "scheme"},
    "spend": {"amount", "discount"},
}
_ALWAYS = {"id", "kind", "match", "tenant", "settle", "time_zone", "currency", "from", "to"}
_MATCH = {"provider", "model", "host", "tier"}


def read(
    nodes: list[yaml.Node], units: Collection[str], tokens: Collection[str], money: Exchange
) -> tuple[Commitment, ...]:
    """The commitments of a book, in the order in which they are used."""
    found: dict[str, Commitment] = {}
    for node in nodes:
        one = _commitment(node, units, tokens, money)
        if one.id in found:
            notation.reject(node, f"There are two commitments {one.id!r}. Give each its own id")
        found[one.id] = one
    return tuple(sorted(found.values(), key=lambda one: one.order))


def _commitment(node: yaml.Node, units: Collection[str], tokens: Collection[str], money: Exchange) -> Commitment:
    entries = notation.entries(
        node, _ALWAYS.union(*_KNOWN.values()), needed=("id", "kind", "match", "settle", "from", "to")
    )
    kind = cast("Kind", terms.one_of(entries["kind"], tuple(_KNOWN)))
    for name in entries.keys() - _ALWAYS - _KNOWN[kind]:
        notation.reject(
            entries[name], f"A commitment of {kind} has no {name!r}. Known: {', '.join(sorted(_KNOWN[kind]))}"
        )
    for name in ("quantity", "price", "weights") if kind == "usage" else ("amount",):
        if name not in entries:
            notation.reject(node, f"A commitment of {kind} needs the entry {name!r}")
    match = notation.entries(entries["match"], _MATCH)
    if not match:
        notation.reject(entries["match"], "A commitment to everybody covers nothing. Name a provider, model or host")
    settle = cast("Step", terms.one_of(entries["settle"], STEPS))
    zone = terms.zone(entries.get("time_zone"))
    since, until = terms.term(entries, zone)
    price, per = terms.price(entries["price" if kind == "usage" else "amount"], STEPS, settle)
    for step in dict.fromkeys((settle, per)):
        terms.whole(entries["from"], step, since, until, zone)
    currency = money.of(entries)
    if currency:
        currency.check(entries["currency"], since, until)
    globs = {name: notation.text(each) for name, each in match.items()}
    return Commitment(
        id=notation.text(entries["id"]),
        kind=kind,
        price=price,
        per=per,
        settle=settle,
        since=since,
        until=until,
        zone=zone,
        quantity=_quantity(entries["quantity"]) if kind == "usage" else None,
        discount=_discount(entries.get("discount")),
        scheme=cast("Scheme", terms.one_of(entries["scheme"], SCHEMES)) if "scheme" in entries else "take_or_pay",
        weights=_weights(entries["weights"], units, tokens) if kind == "usage" else {},
        tenant=notation.text(entries["tenant"]) if "tenant" in entries else "default",
        currency=currency,
        **globs,
    )


def _quantity(node: yaml.Node) -> Decimal:
    quantity = notation.money(node, places=_MICRO, below=_MOST_UNITS)
    if quantity == 0:
        notation.reject(node, "A quantity of 0 covers nothing. Write the units of one settlement period")
    return quantity


def _discount(node: yaml.Node | None) -> Decimal:
    if node is None:
        return Decimal(0)
    discount = notation.money(node, places=_MICRO)
    if discount > 1:
        notation.reject(node, f"A discount of {notation.text(node)} pays for being used. Write 0.2 for 20 %")
    return discount


def _weights(node: yaml.Node, units: Collection[str], tokens: Collection[str]) -> Mapping[str, Decimal]:
    classes: Mapping[str, Callable[[str], bool]] = {
        "output": lambda unit: unit.startswith("output_"),
        "cached": lambda unit: unit.startswith("cache_read"),
        "input": lambda unit: not unit.startswith(("output_", "cache_read")),
    }
    told = dict(notation.pairs(node))
    for name, each in told.items():
        if name not in units and name not in classes:
            known = ", ".join((*classes, *sorted(units)))
            notation.reject(each, f"{name!r} is no bucket or meter. Use one of {known}")
    weight = {name: notation.money(each, places=_MICRO) for name, each in told.items()}
    if not any(weight.values()):
        notation.reject(node, "Nothing here takes capacity. Give a bucket or meter a weight above 0")
    spread = {
        unit: weight[name] for name, belongs in classes.items() if name in weight for unit in tokens if belongs(unit)
    }
    return spread | {name: each for name, each in weight.items() if name in units}
