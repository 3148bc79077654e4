"""What is paid whether it is used or not, how far it is used, and what energy it takes."""

from __future__ import annotations

from typing import Literal, TypedDict

from tokentrace_collector.reports.documents.requests import Coverage


class Utilisation(TypedDict):
    """How far one commitment was used in one period, or in several together."""

    commitment: str
    kind: str
    since: str
    until: str
    settled: bool
    """All of it is over: what is unused is lost, and in the books."""
    fee: str
    promised: str
    """Weighted units of capacity, or money of spending; so for the next two."""
    covered: str
    beyond: str
    used: str
    unused: str
    at_risk: str
    """What would be unused if nothing more came; in no total."""
    overflow: str
    covered_cost: str
    """What it covered, at the prices that hold without it."""
    utilisation: float | None
    break_even: float | None
    """The utilisation from which on it costs less than no commitment, by what it covered; None where nothing tells."""
    rate_full: str | None
    """What a unit comes to where all of it is used: a weighted unit, or of spending a unit of money at other prices."""
    rate_effective: str | None
    """What a unit of what it covered came to, with what stood idle or is at risk."""
    saving: str
    """What it covered, at the prices that hold without it, less what it costs; negative where it costs more."""
    unpriced: int
    """Calls it covers of which no other price is known: where there are any, costs without it are lower bounds."""


class Drawn(TypedDict):
    """What a pool drew: energy, or what that stands for."""

    total: str
    used: str
    """In the part of the time, or of the capacity, that served calls."""
    idle: str
    basis: Literal["stated_power"]
    """Nobody measured it: it is the power that the price book states, by the hour, at work or not."""
    hours: Coverage
    """Those of which it is known, of all; short of all, the figures are lower bounds."""


class Capacity(TypedDict):
    """What one pool of capacity cost in one period, and how far it was used."""

    pool: str
    since: str
    """Where the period begins: an hour, a day or a month (UTC)."""
    until: str
    """The end of the last hour of it that is booked."""
    seconds: int
    """Those that are charged."""
    cost: str
    used: str
    idle: str
    unallocated: str
    """The part of the idle cost that no request carries, for there was none in the hour."""
    utilisation: float | None
    """The used part of the cost; None where it cost nothing."""
    served: str
    """Weighted tokens."""
    rate_full: str | None
    """What a million of them took of the cost."""
    rate_effective: str | None
    """What a million of them came to, with what stood idle: the rate to compare with an API."""
    overloaded_hours: int
    """Those in which more was served than the stated capacity allows: it is stated too low."""
    kwh: Drawn | None
    """None where the price book states no power."""
    co2e_grams: Drawn | None
    """Grams of CO2 equivalent; None where the price book does not state those of a kilowatt-hour."""
