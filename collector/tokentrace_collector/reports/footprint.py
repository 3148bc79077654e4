"""What an answer of a model behind an API takes of energy and carbon, as ecologits estimates it; only this asks it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

from tokentrace_collector.notation import WIDE
from tokentrace_collector.prices.aliases import Name
from tokentrace_collector.reports.listing import ListingError

_MANY = 1_000_000
# More digits than an estimate has, and few enough to be added up exactly.
_SHARP = Context(prec=12)
_WORLD = "WOR"
_OF_OTHERS = frozenset({"electricity-mix-adpe-world", "electricity-mix-pe-world", "electricity-mix-wue-world"})
"""Warnings of impacts that are not told here."""


class MissingError(Exception):
    """The library is not installed; the message says how to."""


class ZoneError(ListingError):
    """An electricity mix that the library does not know; the message says which it knows."""


class Slope(NamedTuple):
    """What an answer takes by itself, and what each of its tokens adds."""

    answer: Decimal
    token: Decimal

    def of(self, answers: int, tokens: int) -> Decimal:
        """What so many answers with so many tokens in all take, exactly."""
        return WIDE.add(WIDE.multiply(self.answer, Decimal(answers)), WIDE.multiply(self.token, Decimal(tokens)))


class Span(NamedTuple):
    """The least and the most that is likely."""

    least: Slope
    most: Slope


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a model takes."""

    name: Name
    """As the library knows it."""
    zone: str
    """Of the electricity mix."""
    kwh: Span
    grams: Span
    """Of CO2 equivalent, for the electricity."""
    hardware_grams: Span
    """Of CO2 equivalent, for making the machines: the share of their life that it takes."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """The estimates of one release, with one electricity mix, or that of each provider's data centres."""

    zone: str | None

    def __post_init__(self) -> None:
        mixes = _modules().mixes.electricity_mixes
        if self.zone is not None and mixes.find_electricity_mix(self.zone) is None:
            known = ", ".join(sorted(each.zone for each in mixes.list_electricity_mixes()))
            raise ZoneError(f"The zone {self.zone!r} is unknown. Known: {known}.")

    @property
    def version(self) -> str:
        """The release."""
        return str(_modules().ecologits.__version__)

    def footprint(self, names: Iterable[Name]) -> Footprint | None:
        """That of the first name which the library knows; None where it knows none."""
        models = _modules().models.models
        known = (each for each in names if models.find_model(each.provider, each.model) is not None)
        return next((self._estimated(each) for each in known), None)

    def _estimated(self, name: Name) -> Footprint:
        tracing = _modules().tracing
        zone = self.zone or tracing.PROVIDER_CONFIG_MAP[name.provider].datacenter_location or _WORLD
        # A latency without end is what the library takes where it knows none: with it, and only then, an estimate
        # is a straight line, from the time to the first token on.
        none, many = (tracing.llm_impacts(*name, tokens, math.inf, zone) for tokens in (0, _MANY))
        return Footprint(
            name=name,
            zone=zone,
            kwh=_span(none.energy, many.energy),
            grams=_span(none.usage.gwp, many.usage.gwp, 1000),
            hardware_grams=_span(none.embodied.gwp, many.embodied.gwp, 1000),
            warnings=tuple(each.message for each in many.warnings or () if each.code not in _OF_OTHERS),
        )


def _span(none: Any, many: Any, units: int = 1) -> Span:
    lines = zip(_ends(none.value), _ends(many.value), strict=True)
    least, most = (Slope(_sharp(start * units), _sharp((end - start) * units / _MANY)) for start, end in lines)
    return Span(least, most)


def _ends(value: Any) -> tuple[float, float]:
    """A range, or a figure that is both its ends."""
    return getattr(value, "min", value), getattr(value, "max", value)


def _sharp(figure: float) -> Decimal:
    return _SHARP.create_decimal_from_float(figure)


class _Modules(NamedTuple):
    ecologits: ModuleType
    mixes: ModuleType
    models: ModuleType
    tracing: ModuleType


@cache
def _modules() -> _Modules:
    loggers = logging.getLoggerClass()
    try:
        import ecologits  # noqa: PLC0415 - of an extra, and asked for by one command
        from ecologits import electricity_mix_repository, model_repository  # noqa: PLC0415
        from ecologits.tracers import utils  # noqa: PLC0415
    except ImportError as error:
        raise MissingError(
            f"Energy is estimated with the package 'ecologits', which cannot be imported ({error}). "
            "Install it with: pip install 'tokentrace[energy]'"
        ) from None
    finally:
        # It makes every later logger of the process one of its own kind.
        logging.setLoggerClass(loggers)
    # Its warnings stand beside each figure.
    logging.getLogger("ecologits").disabled = True
    return _Modules(ecologits, electricity_mix_repository, model_repository, utils)
