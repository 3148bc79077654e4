"""The commitments of a price book, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices.commitments import SCHEMES, STEPS, Commitment, EdgeError, Kind, Scheme, Step, periods

_MICRO = 6
_MOST_UNITS = 10**15
_KNOWN = {
    "usage": {"quantity", "price", "weights", "scheme"},
    "spend": {"amount", "discount"},
}
_ALWAYS = {"id", "kind", "match", "tenant", "settle", "time_zone", "from", "to"}
_MATCH = {"provider", "model", "host", "tier"}


def read(nodes: list[yaml.Node], units: Collection[str], tokens: Collection[str]) -> tuple[Commitment, ...]:
    """The commitments of a book, in the order in which they are used."""
    found: dict[str, Commitment] = {}
    for node in nodes:
        one = _commitment(node, units, tokens)
        if one.id in found:
            notation.reject(node, f"There are two commitments {one.id!r}. Give each its own id")
        found[one.id] = one
    return tuple(sorted(found.values(), key=lambda one: one.order))


def _commitment(node: yaml.Node, units: Collection[str], tokens: Collection[str]) -> Commitment:
    entries = notation.entries(
        node, _ALWAYS.union(*_KNOWN.values()), needed=("id", "kind", "match", "settle", "from", "to")
    )
    kind = cast("Kind", _one_of(entries["kind"], tuple(_KNOWN)))
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
    settle = cast("Step", _one_of(entries["settle"], STEPS))
    zone = _zone(entries.get("time_zone"))
    since, until = (_moment(entries[name], zone) for name in ("from", "to"))
    if since >= until:
        notation.reject(entries["to"], f"`to: {notation.text(entries['to'])}` does not lie after `from`")
    price, per = _price(entries["price" if kind == "usage" else "amount"], settle)
    for step in dict.fromkeys((settle, per)):
        _whole(entries["from"], step, since, until, zone)
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
        scheme=cast("Scheme", _one_of(entries["scheme"], SCHEMES)) if "scheme" in entries else "take_or_pay",
        weights=_weights(entries["weights"], units, tokens) if kind == "usage" else {},
        tenant=notation.text(entries["tenant"]) if "tenant" in entries else "default",
        **globs,
    )


def _one_of(node: yaml.Node, known: Collection[str]) -> str:
    written = notation.text(node)
    if written not in known:
        notation.reject(node, f"{written!r} is not known here. Write one of {', '.join(known)}")
    return written


def _zone(node: yaml.Node | None) -> str:
    if node is None:
        return "UTC"
    written = notation.text(node)
    try:
        return ZoneInfo(written).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        notation.reject(node, f"There is no time zone {written!r}. Write one such as America/Los_Angeles")


def _moment(node: yaml.Node, zone: str) -> datetime:
    """A date is its midnight where the provider settles; a time without an offset is UTC, as everywhere."""
    moment = notation.moment(node)
    if len(notation.text(node)) == len("2026-01-31"):
        return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return moment


def _price(node: yaml.Node, settle: Step) -> tuple[Decimal, Step]:
    if isinstance(node, yaml.ScalarNode):
        return notation.money(node), settle
    entries = notation.entries(node, {"amount", "per"}, needed=("amount", "per"))
    return notation.money(entries["amount"]), cast("Step", _one_of(entries["per"], STEPS))


def _whole(node: yaml.Node, step: Step, since: datetime, until: datetime, zone: str) -> None:
    if step not in ("minute", "hour"):
        try:
            periods(step, since, until, zone)
        except EdgeError as error:
            notation.reject(node, str(error))
    elif any(each.minute or each.second or each.microsecond for each in (since, until)):
        notation.reject(node, "The term begins or ends within an hour. Write whole hours")


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
