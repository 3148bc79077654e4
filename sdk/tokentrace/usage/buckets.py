"""Token counts of one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tokentrace.attributes import INPUT_BUCKETS, OUTPUT_BUCKETS

_NONE: Mapping[str, Any] = {}
"""Never written to."""


class Usage(NamedTuple):
    """What a provider bills for one call, sorted into disjoint buckets."""

    buckets: Mapping[str, int] = _NONE
    """Tokens by bucket, none of them zero; their sum is the total that the provider reports."""

    meters: Mapping[str, float] = _NONE
    """Billed counts that are not tokens."""

    flags: Mapping[str, Any] = _NONE
    """What is special about the counts; empty where a provider reported a plain, billed, complete usage."""

    sub: tuple[Mapping[str, Any], ...] = ()
    """Separately priced parts of the same answer: `{kind, model?, buckets, meters?}`."""

    zeros: frozenset[str] = frozenset()
    """Buckets that the provider says are zero. A bucket neither here nor in `buckets` was not mentioned."""

    @property
    def input(self) -> int | None:
        """All input tokens, cached ones included; None where the provider did not say."""
        return self._total(_INPUT)

    @property
    def output(self) -> int | None:
        """All output tokens, hidden ones included; None where the provider did not say."""
        return self._total(_OUTPUT)

    @property
    def reasoning(self) -> int | None:
        """The output tokens spent on reasoning; None where the provider did not say."""
        return self._total(_REASONING)

    @property
    def cache_read(self) -> int | None:
        """The input tokens read from a cache; None where the provider did not say."""
        return self._total(_CACHE_READ)

    @property
    def cache_write(self) -> int | None:
        """The input tokens written to a cache; None where the provider did not say."""
        return self._total(_CACHE_WRITE)

    def _total(self, names: frozenset[str]) -> int | None:
        total = None
        # An answer has few buckets of all that there can be.
        for name, count in self.buckets.items():
            if name in names:
                total = count if total is None else total + count
        return 0 if total is None and not self.zeros.isdisjoint(names) else total


_INPUT = frozenset(INPUT_BUCKETS)
_OUTPUT = frozenset(OUTPUT_BUCKETS)
_REASONING = frozenset({"output_reasoning"})
_CACHE_READ = frozenset(name for name in INPUT_BUCKETS if name.startswith("cache_read"))
_CACHE_WRITE = frozenset(name for name in INPUT_BUCKETS if name.startswith("cache_write"))
