"""Which beginnings of prompts this process has sent before. Of a prompt only hashes are kept, and none leaves."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

MOST = 16_384
"""Beginnings that are kept at least; twice as many at most."""

LIFE = 3600.0
"""Seconds for which providers keep a prefix at their longest usual price of writing it."""


class Prefixes:
    """Remembers beginnings.

    Nobody waits: each step is one operation of a dictionary, and all beginnings of a prompt are in the same one. What
    two threads do at once may cost a beginning that could have been known, and never more than that.
    """

    def __init__(self) -> None:
        self._young: dict[int, float] = {}
        self._old: dict[int, float] = {}

    def repeated(self, beginnings: Sequence[int]) -> tuple[int, int]:
        """How many of a prompt's beginnings were sent before, ever and in the last `LIFE` seconds; now, all were."""
        young, old, now = self._young, self._old, monotonic()
        # With a beginning all shorter ones were sent, and none of them earlier: the longest tells of all.
        ever, when = len(beginnings), None
        while ever and (when := young.get(beginnings[ever - 1]) or old.get(beginnings[ever - 1])) is None:
            ever -= 1
        lately = ever
        while lately and now - (when or 0.0) > LIFE:
            lately -= 1
            when = young.get(beginnings[lately - 1]) or old.get(beginnings[lately - 1])
        young.update(dict.fromkeys(beginnings, now))
        if len(young) > MOST:
            # What was not sent again since the last time goes.
            self._young, self._old = {}, young
        return ever, lately
