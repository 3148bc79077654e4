"""The aliases of a price book: names that calls carry, and those under which their prices are known."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import globs


class Name(NamedTuple):
    """What is called, as one knows it."""

    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name of a provider, of a model, or of models that are named alike."""

    provider: str | None
    """None: whoever sells it."""
    model: str | None
    """It may hold one `*`, and what that stands for goes where `to` has one; None: every model."""
    to: Name
    """Empty: that part of the name stays."""

    def of(self, told: Name) -> Name | None:
        """The other name; None where this is none of its business, or changes nothing."""
        rest = self._rest(told.model)
        if self.provider not in (None, told.provider) or rest is None:
            return None
        found = Name(self.to.provider or told.provider, self.to.model.replace("*", rest) or told.model)
        return None if found == told else found

    def leads_to(self, other: Alias) -> bool:
        """Whether a name that it gives may be one that the other changes."""
        if other is self and "*" not in self.to.model:
            return False
        provider = self.to.provider or self.provider
        model = self.to.model or self.model
        return (None in (provider, other.provider) or provider == other.provider) and (
            None in (model, other.model) or globs.meet(_glob(model or ""), _glob(other.model or ""))
        )

    @property
    def is_shortening(self) -> bool:
        """Whether a name can lose something each time, and so comes to an end."""
        return not self.to.provider and len(self.to.model) < len(self.model or "") and "*" in self.to.model

    def _rest(self, model: str) -> str | None:
        if self.model is None or self.model == model:
            return ""
        before, star, after = self.model.partition("*")
        is_alike = star and len(model) >= len(before) + len(after)
        if is_alike and model.startswith(before) and model.endswith(after):
            return model[len(before) : len(model) - len(after)]
        return None


def known_as(told: Name, aliases: Sequence[Alias]) -> Name:
    """The name at the end of a chain of aliases, the first that fits at each step."""
    found: Name | None = told
    while found is not None:
        told, found = found, next((name for each in aliases if (name := each.of(told))), None)
    return told


def read(nodes: Sequence[yaml.Node]) -> tuple[Alias, ...]:
    """The aliases of a book, none of which leads in a circle."""
    found = [_alias(node) for node in nodes]
    for node, one in zip(nodes, found, strict=True):
        if not one.is_shortening and one in _reached(one, found):
            told = " ".join(filter(None, (one.provider, one.model)))
            notation.reject(
                node, f"The alias of {told!r} leads back to itself. Name what the catalogue or a rate knows"
            )
    return tuple(found)


def _reached(one: Alias, aliases: Sequence[Alias]) -> list[Alias]:
    reached, waiting = list[Alias](), [one]
    while waiting:
        here = waiting.pop()
        further = [each for each in aliases if here.leads_to(each) and each not in reached]
        reached += further
        waiting += further
    return reached


def _alias(node: yaml.Node) -> Alias:
    entries = notation.entries(node, {"provider", "model", "to"}, needed=("to",))
    provider, model = (notation.text(entries[name]) if name in entries else None for name in ("provider", "model"))
    if not (provider or model):
        notation.reject(node, "An alias of everything names nothing. Name a provider, a model or both")
    if isinstance(entries["to"], yaml.MappingNode):
        names = notation.entries(entries["to"], {"provider", "model"})
        to = Name(*(notation.text(names[part]) if part in names else "" for part in Name._fields))
    else:
        to = Name("", notation.text(entries["to"])) if model else Name(notation.text(entries["to"]), "")
    if not any(to):
        notation.reject(entries["to"], "An alias to nothing renames nothing. Name what the catalogue or a rate knows")
    _check_stars(entries, provider, model, to)
    return Alias(provider, model, to)


def _check_stars(entries: dict[str, yaml.Node], provider: str | None, model: str | None, to: Name) -> None:
    if "*" in (provider or "") + to.provider:
        notation.reject(
            entries["to"], "An alias has the whole name of a provider. Leave `provider` out for all of them"
        )
    if (model or "").count("*") > 1 or to.model.count("*") > (model or "").count("*"):
        notation.reject(
            entries["to"],
            f"{model or ''!r} to {to.model!r} cannot be followed. Write one `*` in `model`, and one in `to`",
        )


def _glob(model: str) -> str:
    return "*".join(map(glob.escape, model.split("*")))
