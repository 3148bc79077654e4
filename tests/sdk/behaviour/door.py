"""A door to a provider: one API of one client library, in words that all of them share."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shapes.api import Tokens
from shapes.provider import Answer, refused, reply, stream
from shapes.shape import ASYNC, SYNC

Verb = Callable[..., Any]
"""A way to ask, given a client; what it gives is to be awaited where the client awaits."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How an application sets its client up."""

    url: str
    mode: str
    retries: int = 0
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Door:
    """One API of one client library."""

    name: str
    module: str
    client: Callable[[Settings], Any]
    ask: Verb
    """One answer in one body."""

    open: Verb
    """One answer as a stream, with its usage where one has to ask for it."""

    whole: Any
    """The body of an answer."""

    events: tuple[bytes, ...]
    """The answer as a stream."""

    tokens: Tokens
    """What the provider bills for the answer, whole or streamed."""

    begun: Tokens = field(default_factory=dict)
    """What it has said of that once the application holds the first part."""

    streamed: Callable[..., Answer] = stream
    modes: tuple[str, ...] = (SYNC, ASYNC)
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    """Ways to ask that not every client has."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """What is peculiar: the answers to those verbs, and how an error is told."""

    lacks: frozenset[str] = frozenset()
    """Scenarios in which the library goes ways of its own, so that nobody can say what is to come."""

    @property
    def is_installed(self) -> bool:
        """Whether this environment has it."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False

    def answer(self, **headers: str) -> Answer:
        """An answer in one body."""
        return reply(self.whole, **headers)

    def flow(self, events: Sequence[bytes] | None = None, **ends: Any) -> Answer:
        """An answer as a stream, or the beginning of one."""
        return self.streamed(self.events if events is None else events, **ends)

    def refusal(self, status: int, **headers: str) -> Answer:
        """An answer that is none."""
        return refused(status, **headers)
