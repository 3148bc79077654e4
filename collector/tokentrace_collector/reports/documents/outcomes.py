"""What work achieved, beside what it cost."""

from __future__ import annotations

from typing import TypedDict

from tokentrace_collector.reports.documents.requests import Coverage


class Pieces(TypedDict):
    """How many pieces of work there were, by what is known of them."""

    all: int
    succeeded: int
    failed: int
    """Of known outcome, and no success: failures, and what was partial, abandoned or escalated."""
    unknown: int
    """Nobody has said: that is not failed."""


class Bounds(TypedDict):
    """Where a ratio lies, whatever the unknown outcomes are; None where nobody knows, or there is no divisor."""

    low: float | None
    high: float | None


class Money(TypedDict):
    """Where an amount lies, whatever the unknown outcomes are; None where there is nothing to divide by."""

    low: str | None
    high: str | None


class Achieved(TypedDict):
    """What some pieces of work cost and achieved."""

    pieces: Pieces
    total: str
    """Of all their runs: what failed, was done again and was reviewed included."""
    estimated: str
    """The part of it that rests on an estimate."""
    rework: str
    """The part of it that went into runs which were done again later."""
    tokens: int
    costs: Coverage
    """Pieces whose cost is known in full, of all; short of all, what follows from the total is a lower bound."""
    success_rate: Bounds
    """From all unknown failed, to all unknown succeeded; so are the other bounds."""
    cost_per_outcome: Money
    """The total by the successes."""
    cost_with_fallback: Money | None
    """What a piece comes to where a person does those that did not succeed; None where nobody said at what cost."""
    value: str
    """As reported, at the rate of the time of the outcome."""
    values: Coverage
    """Successes whose value is known in this currency, of all; short of all, the value is a lower bound."""
    other_values: dict[str, str]
    """By currency: what nobody knows the worth of in this one; in no figure."""
    roi: Bounds
    """(value - total) / total; unknown outcomes that succeeded are worth what others were.

    Without a lower bound where not all costs are known, and without an upper one where not all values are.
    """
    break_even_success_rate: float | None
    """The success rate at which the value of the successes, as it is on average, pays for all."""
    value_per_million_tokens: str | None


class Outcomes(TypedDict):
    """What the work of one group that began in one period cost and achieved."""

    period: str | None
    """Where a day or a month begins (UTC); None for all time."""
    group: dict[str, str]
    """By dimension, empty where nothing was named."""
    currency: str
    matured_before: str | None
    """The first day (UTC) of which outcomes may still be missing; None: nothing is waited for."""
    matured: Achieved
    """Of days before that one: these are the figures to go by."""
    everything: Achieved
    """With the days of which outcomes may still be missing."""
