"""Which periods a listing is of, and how they are added up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = datetime(2106, 1, 1, tzinfo=UTC)


class ListingError(ValueError):
    """A question about periods that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which periods are wanted; what is listed says which `known` ones it adds up to."""

    known: ClassVar[tuple[str, ...]] = ()
    per: str
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.per not in self.known:
            raise ListingError(f"The period {self.per!r} is unknown. Known: {', '.join(self.known)}.")

    @property
    def asked(self) -> dict[str, str | datetime]:
        """What a query is asked with; without bounds, of all times."""
        return {"per": self.per, "since": self.since or _ALWAYS, "until": self.until or _NEVER}
