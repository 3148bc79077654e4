"""The capacity pools of a price book, read and checked: what an hour costs, whom it serves, and what power it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NoReturn, TypeAlias

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import capital, division
from tokentrace_collector.prices.division import Division
from tokentrace_collector.prices.exchange import Exchange, rounded

Idle: TypeAlias = Literal["weighted", "none", "reserved"]
"""Who carries what stood idle of an hour: its calls, by what they used; nobody; or teams, by what they reserved."""
_MICRO = 6
_MOST = 10**9
_HOURS_OF_YEAR = 8760
_COSTS: tuple[str, ...] = ("capex", "rental", "ops", "kwh")
"""Parts of an hour that cost something by themselves."""
_MEASURES: tuple[str, ...] = ("residual", "years", "wacc", "kw", "pue")
_PLACES: Mapping[str, int] = {**dict.fromkeys(_MEASURES, _MICRO), **dict.fromkeys(_COSTS, notation.FINEST)}
_NEEDS = {"capex": "years", "years": "capex", "residual": "capex", "wacc": "capex", "kwh": "kw", "pue": "kw"}


@dataclass(frozen=True, slots=True)
class Pool:
    """Capacity paid by the hour, and the calls it serves."""

    id: str
    hourly_cost: Decimal
    """In the currency that it is stated in, if it has `steps`."""
    provider: str = "*"
    model: str = "*"
    host: str = "*"
    tenants: Division = field(default_factory=Division)
    """Whose capacity it is: the volume of one tenant never shows in the figures of another."""
    input: Decimal = Decimal(1)
    """Weight of an input token against the others."""
    cached: Decimal = Decimal(0)
    output: Decimal = Decimal(1)
    capacity: Decimal | None = None
    """Weighted tokens per second at saturation; None: hours are charged by busy time."""
    since: datetime | None = None
    until: datetime | None = None
    kilowatts: Decimal | None = None
    """Power that it takes, what cooling and losses take on top included; None: nobody says."""
    grid_g_per_kwh: Decimal | None = None
    """Grams of CO2 equivalent that a kilowatt-hour stands for where it is; None: nobody says."""
    idle: Idle = "weighted"
    reserved: Mapping[str, int] = field(default_factory=dict[str, int])
    """What of it each team has reserved, in whole shares of their sum."""
    steps: tuple[tuple[datetime, Decimal], ...] = ()
    """What an hour costs in the currency of the book, from when on; none: always the same."""


def read(nodes: list[yaml.Node], money: Exchange) -> tuple[Pool, ...]:
    """The pools of a book, the first that serves a call first."""
    found: dict[str, Pool] = {}
    for node in nodes:
        pool = _pool(node, money)
        if pool.id in found:
            notation.reject(node, f"There are two pools {pool.id!r}. Give each its own id")
        found[pool.id] = pool
    return tuple(found.values())


def _pool(node: yaml.Node, money: Exchange) -> Pool:
    known = {
        "id", "hourly_cost", "hourly", "currency", "grid_g_per_kwh", "match", "tenant", "tenants", "weights",
        "capacity", "idle", "from", "to",
    }  # fmt: skip
    entries = notation.entries(node, known, needed=("id", "match"))
    match = notation.entries(entries["match"], {"provider", "model", "host"})
    if not match:
        notation.reject(
            entries["match"], "A pool that matches everything serves nothing. Name a provider, model or host"
        )
    weights = notation.entries(entries["weights"], {"input", "cached", "output"}) if "weights" in entries else {}
    weight = {name: notation.money(each, places=_MICRO) for name, each in weights.items()}
    capacity = notation.money(entries["capacity"], places=_MICRO) if "capacity" in entries else None
    if capacity == 0:
        notation.reject(entries["capacity"], "A capacity of 0 serves nothing. Leave it out to charge by busy time")
    since, until = notation.period(entries)
    notation.check_reach(entries)
    exact, kilowatts = _hour(node, entries)
    idle, reserved = _idle(entries.get("idle"))
    return Pool(
        id=notation.text(entries["id"]),
        hourly_cost=rounded(exact),
        provider=notation.glob(match, "provider"),
        model=notation.glob(match, "model"),
        host=notation.glob(match, "host"),
        tenants=division.read(entries),
        input=weight.get("input", Decimal(1)),
        cached=weight.get("cached", Decimal(0)),
        output=weight.get("output", Decimal(1)),
        capacity=capacity,
        since=since,
        until=until,
        kilowatts=kilowatts,
        grid_g_per_kwh=_grid(entries.get("grid_g_per_kwh"), kilowatts),
        idle=idle,
        reserved=reserved,
        steps=tuple(_steps(entries, exact, since, until, money)),
    )


def _idle(node: yaml.Node | None) -> tuple[Idle, Mapping[str, int]]:
    if node is None:
        return "weighted", {}
    if isinstance(node, yaml.MappingNode):
        return "reserved", division.reserved(node)
    if (written := notation.text(node)) not in ("weighted", "none"):
        notation.reject(
            node, f"`idle: {written}` says nobody who pays it. Write `weighted`, `none`, or the shares of teams"
        )
    return ("none" if written == "none" else "weighted"), {}


def _steps(
    entries: Mapping[str, yaml.Node], exact: Fraction, since: datetime | None, until: datetime | None, money: Exchange
) -> Iterator[tuple[datetime, Decimal]]:
    currency = money.of(entries)
    if currency is None:
        return
    currency.check_always(entries["currency"], since, until)
    for each in currency.pieces(since, until):
        if each.since and each.rate:
            yield each.since, rounded(exact * Fraction(each.rate))


def _hour(node: yaml.Node, entries: Mapping[str, yaml.Node]) -> tuple[Fraction, Decimal | None]:
    """What an hour costs, and the kilowatts it takes."""
    if "hourly" not in entries:
        if "hourly_cost" not in entries:
            notation.reject(
                node, "Nothing says what an hour of this pool costs. Write `hourly_cost`, or its parts under `hourly`"
            )
        return Fraction(notation.money(entries["hourly_cost"])), None
    if "hourly_cost" in entries:
        written = notation.text(entries["hourly_cost"])
        notation.reject(
            entries["hourly"], f"An hour costs `hourly_cost: {written}` already. Leave out that, or `hourly`"
        )
    parts = _parts(entries["hourly"])
    cost = _cost(parts)
    if cost >= _MOST:
        notation.reject(
            entries["hourly"], f"An hour would cost {rounded(cost):f}. Write parts that come to less than 10^9"
        )
    # Six places by six places are no more than twelve, so nothing is rounded.
    return cost, rounded(parts["kw"] * parts.get("pue", Fraction(1))) if "kw" in parts else None


def _parts(node: yaml.Node) -> Mapping[str, Fraction]:
    """What an hour is made of, exactly."""
    entries = notation.entries(node, set(_PLACES))
    if not any(name in entries for name in _COSTS):
        notation.reject(node, f"Nothing here costs anything. Write one of {', '.join(_COSTS)}")
    for name, needed in _NEEDS.items():
        if name in entries and needed not in entries:
            notation.reject(entries[name], f"`{name}` says nothing without `{needed}`. Write both, or neither")
    parts = {name: Fraction(notation.money(each, places=_PLACES[name])) for name, each in entries.items()}
    if parts.get("residual", 0) > 1:
        _refuse(entries["residual"], "A residual of {} is more than was paid. Write 0.15 for 15 % of `capex`")
    if parts.get("years") == 0:
        _refuse(entries["years"], "In {} years nothing is written off. Write for how many years it is used")
    if parts.get("wacc", 0) > 1:
        _refuse(entries["wacc"], "A cost of capital of {} is more than all of it each year. Write 0.08 for 8 %")
    if parts.get("wacc") and parts["years"] > capital.MOST_YEARS:
        _refuse(
            entries["years"],
            f"In {{}} years nobody's capital is tied up. Write at most {capital.MOST_YEARS} with `wacc`",
        )
    if parts.get("pue", 1) < 1:
        _refuse(entries["pue"], "A PUE of {} is less power than the machines take. Write 1.3 for 30 % on top")
    return parts


def _refuse(node: yaml.Node, why: str) -> NoReturn:
    notation.reject(node, why.format(notation.text(node)))


def _cost(parts: Mapping[str, Fraction]) -> Fraction:
    """What is written off in an hour and its cost of capital, its power, and what else is paid for it."""
    nothing = Fraction(0)
    power = parts.get("kw", nothing) * parts.get("pue", Fraction(1)) * parts.get("kwh", nothing)
    running = power + parts.get("ops", nothing) + parts.get("rental", nothing)
    if "capex" not in parts:
        return running
    residual, wacc = (parts.get(name, nothing) for name in ("residual", "wacc"))
    return capital.yearly(parts["capex"], residual, parts["years"], wacc) / _HOURS_OF_YEAR + running


def _grid(node: yaml.Node | None, kilowatts: Decimal | None) -> Decimal | None:
    if node is None:
        return None
    if kilowatts is None:
        notation.reject(
            node,
            f"`grid_g_per_kwh: {notation.text(node)}` says nothing of a pool of unknown power. "
            "Write `kw` under `hourly`",
        )
    return notation.money(node, places=_MICRO)
