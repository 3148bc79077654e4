"""A run of a framework: what the application does, and what is true of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from frameworks.turn import Turn


@dataclass(frozen=True, slots=True)
class Run:
    """An application and the script that its provider plays."""

    name: str
    turns: tuple[Turn, ...]
    play: Callable[[str], str]
    """The application, given the provider's address; gives what it has to say."""

    said: str
    agents: tuple[str, ...]
    """Every agent that works, by its name, once for each time that it is given work."""

    tools: tuple[str, ...]
    """Every tool that works, by its name, once for each time."""

    @property
    def refusals(self) -> int:
        """How often the provider refuses."""
        return sum(turn.status != 200 for turn in self.turns)
