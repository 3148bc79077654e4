"""The aliases of a price book: names that calls carry, and those under which their prices are known."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices import globs

_MOST_NAMES = 1000


class Name(NamedTuple):
    """What is called, as one knows it."""

    provider: str
    model: str


class _Some(NamedTuple):
    """Names that are alike: None for any, and a model with a `*` for all that are named so."""

    provider: str | None
    model: str | None


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

    def after(self, some: _Some) -> _Some | None:
        """What becomes of names of which only so much is known; None where none of them is changed."""
        if None not in (self.provider, some.provider) and self.provider != some.provider:
            return None
        provider = self.to.provider or some.provider or self.provider
        if some.model is not None and "*" not in some.model:
            rest = self._rest(some.model)
            found = None if rest is None else _Some(provider, self.to.model.replace("*", rest) or some.model)
            return None if found == some else found
        if None not in (self.model, some.model) and not globs.meet(_glob(self.model or ""), _glob(some.model or "")):
            return None
        return _Some(provider, self.to.model or some.model or self.model)

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
        if not one.is_shortening and _is_circular(one, found):
            told = " ".join(filter(None, (one.provider, one.model)))
            notation.reject(
                node, f"The alias of {told!r} leads back to itself. Name what the catalogue or a rate knows"
            )
    return tuple(found)


def _is_circular(one: Alias, aliases: Sequence[Alias]) -> bool:
    first = one.after(_Some(one.provider, one.model))
    reached, waiting = {first}, [first]
    # Names without end are those that an alias makes longer each time.
    while waiting and len(reached) < _MOST_NAMES:
        here = waiting.pop()
        for each in aliases:
            further = here and each.after(here)
            if further and each is one:
                return True
            if further and further not in reached:
                reached.add(further)
                waiting.append(further)
    return bool(waiting)


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
