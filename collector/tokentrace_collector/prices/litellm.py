"""LiteLLM's price file: to compare with the catalogue, and to make a price book of what the catalogue lacks."""

from __future__ import annotations

import glob
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

import yaml

from tokentrace_collector import files, notation
from tokentrace_collector.prices import resolution
from tokentrace_collector.prices.book import Book, BookError, tokens
from tokentrace_collector.prices.listing import Cell, Listing, Place, Step, exact, per
from tokentrace_collector.prices.pricelist import ALWAYS
from tokentrace_collector.prices.resolution import Seen

Prices: TypeAlias = Mapping[tuple[str, str], Mapping[Cell, Decimal]]
"""By context and unit: the price of one, by cell."""

_SAMPLE = "sample_spec"
_MILLION = 6
_PLAIN = {(0, 0)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the file."""

    provider: str
    """OpenTelemetry name, or LiteLLM's own where that is not known."""
    model: str
    """As the provider calls it."""
    prices: Prices


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import makes of a file."""

    book: str
    """A price book, as YAML."""
    rates: int
    left_out: list[str]
    """Models whose price depends on the size of the request, which a rate of a book cannot say."""


def read(content: str, where: str) -> list[Entry]:
    """The models of a file that have a price by token, page, second or search."""
    try:
        # As written: a float would have lost digits before they are prices.
        entries: dict[str, Any] | list[Any] | str | None = json.loads(content, parse_float=Decimal)
    except ValueError as error:
        raise BookError(f"{where} is no JSON: {error}") from error
    if not isinstance(entries, dict) or not any(isinstance(each, dict) for each in entries.values()):
        raise BookError(f"{where} is no price file of LiteLLM: it has no entries by model. Take another file.")
    models: dict[str, dict[str, Any]] = {
        key: each for key, each in entries.items() if key != _SAMPLE and isinstance(each, dict)
    }
    found = (_entry(key, each) for key, each in models.items())
    return [each for each in found if each.prices]


def listing(entries: Sequence[Entry]) -> Listing:
    """The prices of a file under the names of the catalogue, where it knows the model; they hold now."""
    # Of several names of one model its own comes first, then the shortest.
    named = sorted(((_known(each), each) for each in entries), key=lambda one: (len(one[1].model), one[1].model))
    named.sort(key=lambda one: one[0][1] != one[1].model)
    prices: dict[Place, Sequence[Step]] = {}
    taken: set[tuple[str, str]] = set()
    for known, entry in named:
        if known not in taken:
            taken.add(known)
            for (context, unit), cells in entry.prices.items():
                sold = {cell: exact(price * per(unit)) for cell, price in cells.items()}
                prices[*known, context, unit] = [Step(ALWAYS, sold)]
    return Listing(prices, is_dated=False)


def imported(entries: Sequence[Entry], content: str, *, everything: bool = False) -> Imported:
    """A price book of the models that the catalogue has no price of, or of all."""
    lines, left_out = list[str](), list[str]()
    for entry in entries:
        if not everything and _match(entry):
            continue
        plain = {unit: cells for (context, unit), cells in entry.prices.items() if not context}
        if any(set(cells) != _PLAIN for cells in plain.values()):
            left_out.append(f"{entry.provider} {entry.model}")
        elif plain:
            lines.append(_rate(entry, {unit: cells[0, 0] for unit, cells in plain.items()}))
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    head = f"# From a price file of LiteLLM, sha256 {digest}. A rate holds for every tier of service.\nversion: 1\n"
    return Imported(head + ("rates:\n" + "".join(lines) if lines else "rates: []\n"), len(lines), left_out)


def _rate(entry: Entry, prices: Mapping[str, Decimal]) -> str:
    written = ", ".join(f"{unit}: {_per_unit(unit, price)}" for unit, price in prices.items())
    provider, model = (json.dumps(glob.escape(name)) for name in (entry.provider, entry.model))
    return f"  - {{provider: {provider}, model: {model}, prices: {{{written}}}}}\n"


def _per_unit(unit: str, price: Decimal) -> str:
    shift = _MILLION if unit in tokens() else 0
    amount = exact(price).scaleb(shift, notation.WIDE)
    return f"{amount.normalize(notation.WIDE):f}"


def _entry(key: str, said: Mapping[str, Any]) -> Entry:
    prefix, _, rest = key.partition("/")
    told = str(said.get("litellm_provider", prefix))
    provider = resolution.provider_name(told) or resolution.provider_name(told.partition("-")[0]) or told
    is_prefixed = rest and (prefix == told or resolution.provider_name(prefix) == provider)
    prices: dict[tuple[str, str], dict[Cell, Decimal]] = {}
    for context, unit, above, price in _prices(said):
        prices.setdefault((context, unit), {})[0, above] = price
    # A price for long requests alone, or for a tier of service at one size, is no price list.
    return Entry(
        provider, rest if is_prefixed else key, {name: each for name, each in prices.items() if (0, 0) in each}
    )


def _prices(said: Mapping[str, Any]) -> Iterator[tuple[str, str, int, Decimal]]:
    for key, value in said.items():
        read_key = _keys().fullmatch(key)
        if read_key is None or isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
            continue
        units, contexts = _rules()
        for unit in units[read_key["price"]]:
            yield contexts[read_key["tier"] or ""], unit, int(read_key["above"] or 0) * 1000, Decimal(value)


@cache
def _rules() -> tuple[Mapping[str, Sequence[str]], Mapping[str, str]]:
    """Key → units, and ending of a key → context."""
    rules = yaml.safe_load((files.root() / "prices" / "litellm.yaml").read_text())
    units: dict[str, list[str]] = {}
    for unit, key in rules["units"].items():
        units.setdefault(key, []).append(unit)
    return units, {"": "", **rules["contexts"]}


@cache
def _keys() -> re.Pattern[str]:
    units, contexts = _rules()
    prices, tiers = ("|".join(map(re.escape, filter(None, each))) for each in (units, contexts))
    return re.compile(rf"(?P<price>{prices})(?:_above_(?P<above>\d+)k_tokens)?(?P<tier>{tiers})?")


def _known(entry: Entry) -> tuple[str, str]:
    """The catalogue's name of a model; its own where the catalogue does not know it by that very name."""
    found = _match(entry)
    return found or (entry.provider, entry.model)


@cache
def _found(provider: str, model: str) -> tuple[str, str] | None:
    one = resolution.match(Seen("", 0, provider, model, "", "", "", ""), Book())
    return (one.provider, one.model) if one.catalogue and one.matched_by == "model" else None


def _match(entry: Entry) -> tuple[str, str] | None:
    return _found(entry.provider, entry.model)
