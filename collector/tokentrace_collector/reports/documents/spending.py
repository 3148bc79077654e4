"""What was spent, by whom and on what; what was booked of it, and what other prices would change."""

from __future__ import annotations

from typing import Literal, TypedDict

from tokentrace_collector.reports.documents.requests import Coverage, Ratios

Unit = Literal["calls", "lines"]


class Sampled(TypedDict):
    """What a sampler kept: each of it stands for numerator / denominator."""

    numerator: str
    """As text: it may be larger than what other readers of JSON take for a whole number. So may the next."""
    denominator: str
    observed: int
    tokens: str
    cost: str | None
    """None by the prices of an earlier run, which are kept of hours alone."""


class Population(TypedDict):
    """All calls that there were, as those tell that a sampler kept: as all is now, also in closed months.

    Reviews, capacity, fixed costs and commitments are what they are: no sampler makes more or less of them.
    """

    unit: Unit
    """What is counted: calls; or lines of them, where token classes, sub-components or agents are told apart."""
    observed: int
    estimated_count: str | None
    """None where nothing was sampled, as are the next two."""
    estimated_tokens: str | None
    estimated_total: str | None
    coverage: float
    """What was observed, of what there was; below 1 the total is a lower bound."""
    sampled: list[Sampled]
    """By ratio; what is not in it stands for itself."""


class Share(TypedDict):
    """What one group cost in one period: a sum over lines of cost."""

    period: str | None
    """An hour with its offset, a day, a week like 2026-W48, a month; None for all time."""
    group: dict[str, str] | None
    """By dimension, empty where nothing was named; None for all the groups that are not listed by themselves."""
    currency: str
    total: str
    components: dict[str, str]
    estimated: str
    """The part that rests on an estimate."""
    allocated: str
    """The part that is a share of capacity, of what was promised, or of a review of several requests."""
    corrections: str
    """The part that corrects closed months."""
    tokens: str
    lines: Coverage
    """Lines that have a price, of all and of calls of unknown usage; short of all, the total is a lower bound."""
    population: Population | None
    """None where nothing in the answer was sampled."""
    ratios: Ratios


class Paid(TypedDict):
    """What one invoice of a provider came to when it was paid; beside what requests cost, and in none of it."""

    provider: str
    month: str
    """Like 2026-11."""
    currency: str
    """Of the invoice."""
    invoiced: str
    """What the books have of it in that currency: what was charged, each at the rate of its day."""
    rate: str
    """At which it was paid."""
    charge_currency: str
    """Of all that follows."""
    charged: str
    paid: str
    difference: str
    """`paid` less `charged`."""
    other: str
    """What the provider charged in other currencies, of which the rate says nothing."""
    lines: Coverage
    """Lines that have a price, of all and of calls of unknown usage."""


class Booking(TypedDict):
    """What the charges of a month come to that are booked in a month: another one, where it is a correction."""

    charge_period: str
    """The month, like 2026-10, as is the next."""
    booking_period: str
    currency: str
    amount: str
    lines: int
    """Of cost; of a correction those that came less those that went, as are the next."""
    unpriced: int


class Month(TypedDict):
    """A closed month; or the first open one, with what is to be corrected in it."""

    booking_period: str
    closed_at: str | None
    """ISO 8601, UTC; None: it is open."""
    charges: list[Booking]
    """By currency; of an open month, none."""
    corrections: list[Booking]
    """By month of charge and currency."""


class Repriced(TypedDict):
    """What something costs by the prices of the books, and by others."""

    by: str
    """`all`, `model` or `team`."""
    name: str
    currency: str
    before: str
    after: str
    delta: str
    lines: int
    unpriced_before: int
    """Lines and calls without an amount."""
    unpriced_after: int
