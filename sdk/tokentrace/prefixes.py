"""Which beginnings of prompts this process has sent before. Of a prompt only hashes are kept, and none leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import monotonic
from typing import NamedTuple

from tokentrace.prompt import Piece, mark

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

    Nobody waits: each step is one operation of a dictionary. What two threads do at once may cost a beginning that
    could have been known, and never more than that.
    """

    def __init__(self) -> None:
        self._young: dict[int, float] = {}
        self._old: dict[int, float] = {}

    def repeated(self, recipient: tuple[str, str | None], prompt: Sequence[Piece]) -> Repeated:
        """What of the prompt was sent before; from now on, all of it was."""
        young, old, now = self._young, self._old, monotonic()
        ever = lately = 0
        goes_on = True
        for place, beginning in enumerate(_beginnings(recipient, prompt), 1):
            sent = young.get(beginning) or old.get(beginning)
            goes_on = goes_on and sent is not None
            if goes_on and sent is not None:
                ever = place
                lately = place if now - sent <= LIFE else lately
            young[beginning] = now
        if len(young) > MOST:
            # What was not sent again since the last time goes.
            self._young, self._old = {}, young
        return Repeated(ever, lately)


def _beginnings(recipient: tuple[str, str | None], prompt: Sequence[Piece]) -> Iterator[int]:
    so_far = hash(recipient)
    for _, content in prompt:
        # The kind is no part of it: what was the question is history the next time.
        told = mark(content) if isinstance(content, str) else content.mark
        if not told and not isinstance(content, str):
            return
        so_far = hash((so_far, told))
        yield so_far
