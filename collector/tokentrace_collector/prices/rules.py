"""The rules of a price book: discounts and multipliers on what the catalogue asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple, TypeAlias

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import globs

Kind: TypeAlias = Literal["discount", "multiplier"]

_KINDS: tuple[Kind, ...] = ("discount", "multiplier")
_MATCH = ("provider", "model", "host", "region", "tier")
_PLACES = 12
_MOST = 1000
_ONE = Decimal(1)
_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
STANDARD = "standard"
"""The tier of a call at ordinary service, as a rule calls it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What some calls cost against the price of the catalogue, from one day to another."""

    id: str
    kind: Kind
    amount: Decimal
    match: Mapping[str, str]
    """Globs, by what they are over: only what the book names."""
    units: frozenset[str]
    """The buckets and meters whose price it changes."""
    since: datetime | None = None
    until: datetime | None = None

    def covers(self, said: Mapping[str, Collection[str]]) -> bool:
        """Whether each glob matches one of the names that a call goes by."""
        return all(any(fnmatchcase(name, glob) for name in said[field]) for field, glob in self.match.items())

    def holds(self, moment: datetime) -> bool:
        """Whether it is in force."""
        since, until = self.period
        return since <= moment < until

    @property
    def period(self) -> tuple[datetime, datetime]:
        """From when to when it is in force."""
        return self.since or _EVER[0], self.until or _EVER[1]

    @property
    def edges(self) -> Sequence[datetime]:
        """When it begins to be in force, and when it ends."""
        return [edge for edge in (self.since, self.until) if edge]

    @property
    def rank(self) -> tuple[int, int, int]:
        """The greater wins: more entries to match, more characters in them, fewer units."""
        return len(self.match), sum(map(globs.letters, self.match.values())), -len(self.units)


class Terms(NamedTuple):
    """What the rules make of the price of one unit."""

    factor: Decimal
    is_vouched: bool
    """A rule that names the tier of service knows what it costs, also where the catalogue does not."""


def terms(rules: Iterable[Rule], unit: str, seller: str) -> Terms | None:
    """What a unit costs that is sold at the price of `seller`, by the rules in force; None: they leave it alone."""
    found = [each for each in rules if not each.units.isdisjoint((unit, seller))]
    chosen: list[Rule] = []
    for kind in _KINDS:
        of_kind = [each for each in found if each.kind == kind]
        if of_kind:
            chosen.append(max(of_kind, key=lambda each: (each.rank, unit in each.units)))
    if not chosen:
        return None
    factor = _ONE
    for each in chosen:
        factor = notation.WIDE.multiply(factor, _ONE - each.amount if each.kind == "discount" else each.amount)
    return Terms(factor, any("tier" in each.match for each in chosen))


def read(nodes: Sequence[yaml.Node], units: Collection[str], tokens: Collection[str]) -> tuple[Rule, ...]:
    """The rules of a book, as they stand there."""
    found: dict[str, Rule] = {}
    for node in nodes:
        rule = _rule(node, units, tokens)
        if rule.id in found:
            notation.reject(node, f"There are two rules {rule.id!r}. Give each its own id")
        for other in found.values():
            if shared := _contested(rule, other):
                told = f"a {rule.kind} on {', '.join(sorted(shared)[:3])}"
                notation.reject(
                    node,
                    f"{rule.id!r} and {other.id!r} set {told} of the same calls, and neither is narrower. "
                    "Let one match more, or end where the other begins",
                )
        found[rule.id] = rule
    return tuple(found.values())


def _contested(one: Rule, other: Rule) -> frozenset[str]:
    """The units of which nobody could say which of two rules decides."""
    shared = one.units & other.units
    meet = (
        one.kind == other.kind
        and max(one.period[0], other.period[0]) < min(one.period[1], other.period[1])
        and all(globs.meet(one.match.get(name, "*"), other.match.get(name, "*")) for name in _MATCH)
    )
    return shared if meet and not (_is_narrower(one, other) or _is_narrower(other, one)) else frozenset()


def _is_narrower(one: Rule, other: Rule) -> bool:
    if len(one.match) != len(other.match):
        return len(one.match) > len(other.match)
    if one.match == other.match:
        return one.units < other.units
    # Which of a longer host and a longer model says more, nobody knows.
    return one.match.keys() == other.match.keys() and all(
        glob == other.match[name] or globs.letters(glob) > globs.letters(other.match[name])
        for name, glob in one.match.items()
    )


def _rule(node: yaml.Node, units: Collection[str], tokens: Collection[str]) -> Rule:
    entries = notation.entries(node, {"id", "match", "on", "from", "to", *_KINDS}, needed=("id", "match"))
    kinds: list[Kind] = [kind for kind in _KINDS if kind in entries]
    if len(kinds) != 1:
        notation.reject(node, "A rule has either a `discount` or a `multiplier`. Write one of them")
    match = {name: notation.text(each) for name, each in notation.entries(entries["match"], set(_MATCH)).items()}
    if not match:
        notation.reject(entries["match"], 'Nothing is matched. Name what is meant, or write `provider: "*"` for all')
    since, until = notation.period(entries)
    return Rule(
        id=notation.text(entries["id"]),
        kind=kinds[0],
        amount=_discount(entries["discount"]) if kinds[0] == "discount" else _multiplier(entries["multiplier"]),
        match={name: glob for name, glob in match.items() if glob != "*"},
        units=_on(entries["on"], units, tokens) if "on" in entries else frozenset(units),
        since=since,
        until=until,
    )


def _discount(node: yaml.Node) -> Decimal:
    discount = notation.money(node, places=_PLACES)
    if discount > 1:
        notation.reject(node, f"A discount of {notation.text(node)} pays for being used. Write 0.2 for 20 %")
    return discount


def _multiplier(node: yaml.Node) -> Decimal:
    multiplier = notation.money(node, places=_PLACES, below=_MOST)
    if multiplier == 0:
        notation.reject(node, "A multiplier of 0 makes everything free. Write `discount: 1` if that is what was agreed")
    return multiplier


def _on(node: yaml.Node, units: Collection[str], tokens: Collection[str]) -> frozenset[str]:
    groups = {"tokens": frozenset(tokens), "meters": frozenset(units) - frozenset(tokens)}
    found: set[str] = set()
    for each in notation.items(node):
        name = notation.text(each)
        if name not in groups and name not in units:
            notation.reject(each, f"{name!r} is no bucket or meter. Use one of {', '.join((*groups, *sorted(units)))}")
        found |= groups.get(name, {name})
    if not found:
        notation.reject(node, "A rule on nothing changes nothing. Leave `on` out for everything")
    return frozenset(found)
