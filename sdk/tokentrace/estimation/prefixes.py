"""Which beginnings of prompts this process has sent before. Of a prompt only hashes are kept, and none leaves."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import NamedTuple

from tokentrace.usage.prompt import SHORT, Piece, mark

MOST = 16_384
"""Beginnings that are kept at least; twice as many at most."""

LIFE = 3600.0
"""Seconds for which providers keep a prefix at their longest usual price of writing it."""


class Repeated(NamedTuple):
    """How many pieces at the beginning of a prompt were sent before, in this order and to the same model."""

    ever: int
    lately: int
    """Those of the last `LIFE` seconds."""


class Prefixes:
    """Remembers beginnings.

    Nobody waits: each step is one operation of a dictionary, and all beginnings of a prompt are in the same one. What
    two threads do at once may cost a beginning that could have been known, and never more than that.
    """

    def __init__(self) -> None:
        self._young: dict[int, float] = {}
        self._old: dict[int, float] = {}

    def repeated(self, recipient: tuple[str, str | None], prompt: Sequence[Piece]) -> Repeated:
        """What of the prompt was sent before; from now on, all of it was."""
        young, old, now = self._young, self._old, monotonic()
        beginnings = _beginnings(recipient, prompt)
        # With a beginning all shorter ones were sent, and none of them earlier: the longest tells of all.
        ever = len(beginnings)
        while ever and beginnings[ever - 1] not in young and beginnings[ever - 1] not in old:
            ever -= 1
        lately = ever
        while lately:
            beginning = beginnings[lately - 1]
            if now - (young.get(beginning) or old.get(beginning, 0.0)) <= LIFE:
                break
            lately -= 1
        young.update(dict.fromkeys(beginnings, now))
        if len(young) > MOST:
            # What was not sent again since the last time goes.
            self._young, self._old = {}, young
        return Repeated(ever, lately)


def _beginnings(recipient: tuple[str, str | None], prompt: Sequence[Piece]) -> list[int]:
    so_far = hash(recipient)
    found: list[int] = []
    for _, content in prompt:
        # The kind is no part of it: what was the question is history the next time.
        if isinstance(content, str):
            so_far = hash((so_far, content if len(content) <= SHORT else mark(content)))
        elif told := content.mark:
            so_far = hash((so_far, told))
        else:
            break
        found.append(so_far)
    return found
