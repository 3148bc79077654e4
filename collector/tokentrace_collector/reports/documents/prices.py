"""What a unit costs, and how calls came to their prices."""

from __future__ import annotations

from typing import TypedDict

from tokentrace_collector.prices.difference import PriceChange


class UnitPrice(TypedDict):
    """What a number of units costs."""

    amount: str
    per: int


class PriceCell(TypedDict):
    """Prices at one time of day, for requests of one size."""

    from_second: int
    """Of the day, UTC."""
    above_tokens: int
    """Input tokens that a request must exceed."""
    prices: dict[str, UnitPrice]
    """By bucket or meter."""


class Price(TypedDict):
    """The price list of one model from one moment on."""

    provider: str
    model: str
    context: str
    """Tier of service; empty is standard."""
    source: str
    """Edition: the catalogue with its version, or the rating run of a price book."""
    valid_from: str
    currency: str
    cells: list[PriceCell]


class Said(TypedDict):
    """What somebody said that calls cost, beside what prices make of them."""

    calls: int
    """Those of which somebody said it, and everything of which has a price."""
    said: str
    computed: str


class ModelPricing(TypedDict):
    """How the calls of one model came to their prices."""

    provider: str
    model: str
    """As calls tell it."""
    calls: int
    total: str
    tokens: int
    unpriced_tokens: int
    unpriced_calls: int
    """Those that used something of which no price is known."""
    borrowed_calls: int
    """Those that were rated, in part, at the price of a related unit."""
    free_calls: int
    """Those with a price of 0 for something that they used."""
    matched_by: list[str]
    """How its prices were found: model, request model, price book, or by a part of the name; empty where none were."""
    rated_as: list[list[str]]
    """Provider and model whose prices they are."""
    is_exact: bool
    """Model and tier of service were found themselves."""
    reported: Said


class PriceFindings(TypedDict):
    """How the calls of a period came to their prices."""

    catalogue: str
    """Edition of the catalogue that is rated by."""
    currency: str
    """Of all amounts."""
    newest_price: str | None
    """When the latest of its prices began that holds: the catalogue is at least as new."""
    tokens: int
    """Of all calls of the period."""
    models: list[ModelPricing]
    """The dearest first."""
    changes: list[PriceChange]
    """Prices of these models that changed within the period."""
