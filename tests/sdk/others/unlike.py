"""What other instrumentations tell of a call otherwise than ours does, or not at all, though the provider said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from others.likeness import OTHERWISE, UNTOLD


@dataclass(frozen=True, slots=True)
class Unlike:
    """An exception that is known; the test fails where it is no longer needed."""

    doors: tuple[str, ...]
    """The doors of the clients where it is so."""
    field: str
    how: str
    why: str

    @property
    def differences(self) -> set[tuple[str, str, str]]:
        """As `likeness` finds them."""
        return {(door, self.field, self.how) for door in self.doors}


UNLIKE: Mapping[str, tuple[Unlike, ...]] = {}
"""By the name of who tells."""
