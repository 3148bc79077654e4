"""What models behind an API took of energy and carbon, as a library estimates it."""

from __future__ import annotations

from typing import Literal, TypedDict

from tokentrace_collector.reports.documents.requests import Coverage


class Range(TypedDict):
    """The least and the most that an estimate allows."""

    min: str
    max: str


class Served(TypedDict):
    """What somebody else answers for."""

    calls: int
    tokens: int


class UnknownEnergy(TypedDict):
    """What one model behind an API wrote."""

    provider: str
    model: str
    """As calls tell it."""
    calls: int
    uncounted_calls: int
    """Those of which nobody says how much they wrote."""
    tokens: int
    """All output: text, reasoning, audio and images that are counted in tokens."""


class ModelEnergy(UnknownEnergy):
    """What one model behind an API took, as a library estimates it."""

    answers: int
    """Calls that wrote something; each takes the time to the first token, too."""
    estimated_as: list[str]
    """Provider and model, as the library knows them."""
    zone: str
    """Of the electricity mix."""
    kwh: Range
    co2e_grams: Range
    """Grams of CO2 equivalent of the electricity, as of a pool of capacity."""
    hardware_co2e_grams: Range
    """Grams of CO2 equivalent of making the machines, in none of the others."""
    warnings: list[str]
    """What the library says against the figures."""


class Energy(TypedDict):
    """What models behind an API took in one period, as a library estimates it."""

    period: str | None
    """Where a day or a month begins (UTC); None for all time."""
    basis: Literal["ecologits"]
    """Nobody measured it, and no provider says it."""
    version: str
    tokens: Coverage
    """Those of models that the library knows, of all; short of all, the figures are of less than there was."""
    calls: Coverage
    """The same of calls; one of which nobody says how much it wrote is not known."""
    kwh: Range
    co2e_grams: Range
    hardware_co2e_grams: Range
    models: list[ModelEnergy]
    unknown: list[UnknownEnergy]
    """Models that the library does not know, in no figure."""
    pools: Served
    """By capacity of one's own, in no figure: its energy is told with it."""
