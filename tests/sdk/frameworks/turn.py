"""What a scripted model does when it is asked once more, and what the provider bills for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Tokens(NamedTuple):
    """What the provider bills; the cached are part of the input, the thoughts of the output."""

    input: int
    output: int = 0
    reasoning: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """A tool that the model wants to be called."""

    tool: str
    arguments: Mapping[str, Any]

    @property
    def written(self) -> str:
        """The arguments as most providers send them."""
        return json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer, or none."""

    tokens: Tokens
    text: str = ""
    uses: tuple[Use, ...] = ()
    status: int = 200


def says(text: str, *tokens: int) -> Turn:
    """The model answers."""
    return Turn(Tokens(*tokens), text)


def uses(tool: str, *tokens: int, **arguments: Any) -> Turn:
    """The model wants a tool to be called."""
    return Turn(Tokens(*tokens), uses=(Use(tool, arguments),))


def together(*turns: Turn) -> Turn:
    """The model wants several tools at once; it is billed the sum."""
    tokens = Tokens(*map(sum, zip(*(turn.tokens for turn in turns), strict=True)))
    return Turn(tokens, uses=tuple(use for turn in turns for use in turn.uses))


def fails(status: int) -> Turn:
    """The provider refuses, and bills nothing."""
    return Turn(Tokens(0), status=status)
