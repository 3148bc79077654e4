"""What an integration is: where to cut into a library, and what passes there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

from tokentrace.reading import NOTHING, Format
from tokentrace.tap import Listener

EVERY: Any = object()
"""Stands for whatever HTTP client sends while a call is made, where a library does not say beforehand which."""


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
    """The HTTP client whose sends are the attempts of this call, or `EVERY`; None where nobody can count them."""

    reads_body: bool = True
    """Whether the bodies of those sends are in `format`; where not, it is the result that is read."""

    facts: Mapping[str, Any] = NOTHING
    """What only the request tells of its bill, such as characters to be spoken: for the `count` of the format."""


Describe: TypeAlias = Callable[[Call], Request | None]
"""Turns a call into a `Request`; None lets it through unmetered."""

Tap: TypeAlias = Callable[[Any, Listener], Any]
"""Has a listener read along with a result, and gives what the application gets; None where nothing is to follow."""


@dataclass(frozen=True, slots=True)
class Seam:
    """A function of the library that makes exactly one provider call, or hands out the answers to several."""

    module: str
    name: str
    describe: Describe
    awaited: bool = False

    tap: Tap | None = None
    """For a result that is neither read at once nor a generator."""

    follow: Callable[[Call, Any], bool | None] | None = None
    """For a stream that carries one call after the other: whether a part is the last of its call; None if of none."""


Kept: TypeAlias = Callable[[Call, Any, Format], bytes | None]
"""The body that an answer carries, by the call that sent the request; None where the result tells more."""


@dataclass(frozen=True, slots=True)
class AttemptSeam:
    """A function of the library that makes exactly one HTTP request of a call."""

    module: str
    name: str
    awaited: bool = False

    kept: Kept | None = None
    """For a library with answers of its own; None for those of httpx and httpx2."""


@dataclass(frozen=True, slots=True)
class Integration:
    """A library we meter."""

    library: str
    """The distribution, as its installer calls it."""

    seams: tuple[Seam, ...]
    attempts: tuple[AttemptSeam, ...] = ()
    attach: Mapping[str, Callable[[ModuleType], Callable[[], object]]] | None = None
    """By module: what else is to be done once it is imported; returns how to undo it."""
