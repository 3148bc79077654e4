"""Which periods of which commitments are to be worked out again, and what they are worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from tokentrace_collector import notation
from tokentrace_collector.prices.commitments import Commitment

COLUMNS = (
    "tenant", "commitment", "rank", "since", "until", "pot_since", "pot_until", "settled", "fee", "quantity", "kept",
    "is_linear",
)  # fmt: skip

Pot: TypeAlias = tuple[str, datetime, datetime]
"""A commitment, by id, and a period of it for which figures are made."""
_HOUR = timedelta(hours=1)
_MICRO = 6


def affected(
    commitments: Sequence[Commitment],
    touched: Iterable[tuple[str, datetime]],
    met: Iterable[Collection[str]],
    known: Mapping[tuple[str, datetime], bool],
    latest: datetime,
) -> set[Pot]:
    """The periods of hours that were touched; those that are new, or over and not settled; and what these bear upon.

    `known` are those worked out before, and whether they were settled; `met` are commitments that cover the same calls:
    what one does not cover, the next does.
    """
    by_id = {each.id: each for each in commitments}
    found = {
        (each.id, since, until)
        for each in commitments
        for since, until in each.pots(each.since, min(latest, each.until))
        if (each.id, since) not in known or (until <= latest and not known[each.id, since])
    }
    for name, hour in touched:
        if name in by_id:
            found |= {(name, *pot) for pot in by_id[name].pots(hour, hour + _HOUR)}
    neighbours = _neighbours(met)
    waiting = [pot for pot in found if pot[0] in neighbours]
    while waiting:
        name, since, until = waiting.pop()
        for other in neighbours[name] & by_id.keys():
            reached = {(other, *pot) for pot in by_id[other].pots(since, until)} - found
            found |= reached
            waiting += reached
    return found


def rows(commitments: Sequence[Commitment], pots: Collection[Pot], latest: datetime) -> Iterator[tuple[Any, ...]]:
    """The settlement periods of pots, as the database keeps them; COLUMNS are its columns."""
    by_id = {each.id: (rank, each) for rank, each in enumerate(commitments)}
    for name, pot_since, pot_until in sorted(pots):
        rank, one = by_id[name]
        quantity = None if one.quantity is None else int(one.quantity.scaleb(_MICRO, notation.WIDE))
        kept = int((1 - one.discount).scaleb(_MICRO))
        for since, until in one.windows(pot_since, pot_until):
            fee = int(one.fee(since, until).scaleb(notation.FINEST, notation.WIDE))
            yield (
                one.tenant, name, rank, since, until, pot_since, pot_until, int(pot_until <= latest), fee, quantity,
                kept, int(one.scheme == "linear"),
            )  # fmt: skip


def _neighbours(met: Iterable[Collection[str]]) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for names in met:
        for name in names:
            found[name] |= {*names} - {name}
    return found
