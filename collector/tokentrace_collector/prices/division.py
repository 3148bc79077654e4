"""Shares of a price book that make one whole: of tenants that pay something together, of teams that reserved it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices.exchange import rounded
from tokentrace_collector.tenants import EVERYBODY

_PLACES = 6
_FINEST = 10**_PLACES
"""Of how many parts a whole may consist: with more, products would outgrow the numbers of the database."""
_FRACTION = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


class Part(NamedTuple):
    """What of a whole is a tenant's."""

    tenant: str
    shares: Sequence[int]
    """Those of all tenants, in lowest terms; empty: the whole is this tenant's alone."""
    place: int
    """Which of them is this tenant's, from 1 on."""

    def of(self, whole: Decimal) -> Decimal:
        """The tenant's part of an amount, by itself: only the database splits an hour to the last digit."""
        if not self.shares:
            return whole
        return rounded(Fraction(whole) * self.shares[self.place - 1] / sum(self.shares))


@dataclass(frozen=True, slots=True)
class Division:
    """Contract shares of tenants, which are one whole."""

    shares: tuple[tuple[str, Fraction], ...] = ((EVERYBODY, Fraction(1)),)

    def __contains__(self, tenant: object) -> bool:
        return any(name == tenant for name, _ in self.shares)

    def parts(self) -> Iterator[Part]:
        """What each tenant has of it."""
        whole = math.lcm(*(share.denominator for _, share in self.shares))
        counts = [int(share * whole) for _, share in self.shares] if len(self.shares) > 1 else []
        for place, (tenant, _) in enumerate(self.shares, 1):
            yield Part(tenant, counts, place)


def read(entries: Mapping[str, yaml.Node]) -> Division:
    """Whose an entry of a book is, by its `tenant` or `tenants`."""
    node = entries.get("tenants")
    if node is None:
        return Division(((notation.text(entries["tenant"]), Fraction(1)),)) if "tenant" in entries else Division()
    if "tenant" in entries:
        one = notation.text(entries["tenant"])
        notation.reject(node, f"It is `tenant: {one}`'s already. Leave out that, or `tenants`")
    shares = _whole(node)
    if "from" not in entries:
        # Else it would be paid from the first use on, and what one tenant pays would follow from what another does.
        notation.reject(node, "Nothing says since when the tenants share this. Write `from`")
    return Division(shares)


def reserved(node: yaml.Node) -> Mapping[str, int]:
    """What of a whole each name has reserved, in lowest terms, by name."""
    shares = _whole(node)
    whole = math.lcm(*(share.denominator for _, share in shares))
    return {name: int(share * whole) for name, share in shares}


def _whole(node: yaml.Node) -> tuple[tuple[str, Fraction], ...]:
    shares = tuple((name, _share(name, each)) for name, each in notation.pairs(node))
    total = sum((share for _, share in shares), Fraction(0))
    if total != 1:
        notation.reject(node, f"The shares come to {_written(total)}. Write shares that come to 1, such as 0.6 and 0.4")
    if math.lcm(*(share.denominator for _, share in shares)) > _FINEST:
        notation.reject(node, f"These shares have no common denominator up to {_FINEST}. Round them")
    # By name: which is written first changes nothing.
    return tuple(sorted(shares))


def _share(tenant: str, node: yaml.Node) -> Fraction:
    written = notation.text(node)
    if found := _FRACTION.fullmatch(written):
        share = Fraction(int(found[1]), int(found[2]))
    else:
        share = Fraction(notation.money(node, places=_PLACES))
    if not 0 < share <= 1:
        notation.reject(node, f"A share of {written} is none of a whole. Write 0.4 or 2/5, or leave out {tenant!r}")
    return share


def _written(total: Fraction) -> str:
    places = total * _FINEST
    return f"{Decimal(int(places)).scaleb(-_PLACES).normalize():f}" if places.denominator == 1 else str(total)
