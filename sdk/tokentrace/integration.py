"""What an integration is: where to cut into a library, and what passes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

from tokentrace.reading import Format


class Call(NamedTuple):
    """One invocation of a patched function."""

    instance: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def arg(self, position: int, name: str) -> Any:
        """The argument `name`, however it was passed."""
        return self.kwargs.get(name, self.args[position] if position < len(self.args) else None)


class Request(NamedTuple):
    """What a call asks for. A tuple, for one is made on every call: a frozen dataclass costs twice as much."""

    provider: str
    """The client's own provider, by its OpenTelemetry name; the host may say otherwise."""

    operation: str
    model: str | None
    format: Format
    """The wire format of the response."""

    host: str | None = None
    port: int | None = None
    stream: bool = False
    scope: str = "call"
    """`call`, or `retrieve` where the response was created by another call."""

    http: Any = None
    """The HTTP client whose sends are the attempts of this call; None where the library counts them elsewhere."""


Describe: TypeAlias = Callable[[Call], Request | None]
"""Turns a call into a `Request`; None lets it through unmetered."""


@dataclass(frozen=True, slots=True)
class Seam:
    """A function of the library that makes exactly one provider call."""

    module: str
    name: str
    describe: Describe
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class AttemptSeam:
    """A function of the library that makes exactly one HTTP request of a call."""

    module: str
    name: str
    awaited: bool = False


@dataclass(frozen=True, slots=True)
class Integration:
    """A library we meter."""

    library: str
    """The distribution, as its installer calls it."""

    seams: tuple[Seam, ...]
    attempts: tuple[AttemptSeam, ...] = ()
    attach: Mapping[str, Callable[[ModuleType], Callable[[], object]]] | None = None
    """By module: what else is to be done once it is imported; returns how to undo it."""
