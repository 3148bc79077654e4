"""What one source of prices says otherwise than another, and what changes within one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import TypedDict

from tokentrace_collector import notation
from tokentrace_collector.prices.book import BookError
from tokentrace_collector.prices.listing import Cell, Listing, Place, Step, per


class PriceChange(TypedDict):
    """A price before and after, as a JSON document; None where there is none."""

    provider: str
    model: str
    context: str
    """Tier of service; empty is standard."""
    unit: str
    """Bucket or meter."""
    per: int
    """Units that one price buys."""
    above_tokens: int
    from_second: int
    valid_from: str
    """ISO 8601, UTC: since when they differ, or when the price changed."""
    valid_to: str | None
    """Until when; None: from then on."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """Two prices of one cell from one moment to another."""

    since: datetime
    until: datetime | None
    before: Decimal | None
    after: Decimal | None


def differences(before: Listing, after: Listing, at: datetime, *, shared: bool = False) -> list[PriceChange]:
    """Where two sources differ, and from when to when; at a moment alone where one of them knows no dates.

    `shared` leaves out models that only one of them prices.
    """
    if before.currency != after.currency:
        told = f"These are prices in {before.currency}, and those in {after.currency}"
        raise BookError(f"{told}. Compare books of one `currency`.")
    if not (before.is_dated and after.is_dated):
        before, after = _now(before, at), _now(after, at)
    both = _models(before) & _models(after)
    places = sorted(place for place in {**before.prices, **after.prices} if not shared or place[:2] in both)
    return [
        _change(place, cell, span)
        for place in places
        for cell, span in _spans(before.prices.get(place, ()), after.prices.get(place, ()))
    ]


def changes(listing: Listing, since: datetime, until: datetime) -> list[PriceChange]:
    """The prices of one source that became others within a period."""
    return [
        _change(place, cell, Span(new.since, None, _at(old.cells, cell), _at(new.cells, cell)))
        for place, steps in sorted(listing.prices.items())
        for old, new in pairwise(steps)
        if since < new.since <= until
        for cell in sorted({**old.cells, **new.cells})
        if _at(old.cells, cell) != _at(new.cells, cell)
    ]


def models(found: Sequence[PriceChange]) -> int:
    """How many models differ."""
    return len({(each["provider"], each["model"]) for each in found})


def _now(listing: Listing, at: datetime) -> Listing:
    held = {place: next((s for s in reversed(steps) if s.since <= at), None) for place, steps in listing.prices.items()}
    return Listing({place: [Step(at, step.cells)] for place, step in held.items() if step and step.cells})


def _models(listing: Listing) -> set[tuple[str, str]]:
    return {(provider, model) for provider, model, _, _ in listing.prices}


def _spans(before: Sequence[Step], after: Sequence[Step]) -> Iterator[tuple[Cell, Span]]:
    edges = sorted({step.since for step in (*before, *after)})
    cells = sorted({cell for step in (*before, *after) for cell in step.cells})
    for cell in cells:
        open_since: datetime | None = None
        held: tuple[Decimal | None, Decimal | None] = (None, None)
        for edge in edges:
            pair = (_held(before, edge, cell), _held(after, edge, cell))
            if pair == held:
                continue
            if open_since is not None and held[0] != held[1]:
                yield cell, Span(open_since, edge, *held)
            open_since, held = edge, pair
        if open_since is not None and held[0] != held[1]:
            yield cell, Span(open_since, None, *held)


def _held(steps: Sequence[Step], moment: datetime, cell: Cell) -> Decimal | None:
    step = next((each for each in reversed(steps) if each.since <= moment), None)
    return _at(step.cells, cell) if step else None


def _at(cells: Mapping[Cell, Decimal], cell: Cell) -> Decimal | None:
    """The price of a cell, also where prices are divided less finely than by it."""
    second, tokens = cell
    slot = max((each for each, _ in cells if each <= second), default=None)
    tier = max((each for at, each in cells if at == slot and each <= tokens), default=None)
    return None if slot is None or tier is None else cells[slot, tier]


def _change(place: Place, cell: Cell, span: Span) -> PriceChange:
    provider, model, context, unit = place
    return {
        "provider": provider,
        "model": model,
        "context": context,
        "unit": unit,
        "per": per(unit),
        "above_tokens": cell[1],
        "from_second": cell[0],
        "valid_from": _written(span.since),
        "valid_to": _written(span.until) if span.until else None,
        "before": _amount(span.before),
        "after": _amount(span.after),
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize(notation.WIDE):f}"
