"""How much a credential may take: of the receivers, and of SQL."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one credential may take; None is as much as there is room for, or what the collector allows everybody."""

    requests_per_second: float | None = None
    bytes_per_second: float | None = None
    queries: int | None = None
    """Questions of SQL under way at once."""
    query_seconds: float | None = None
    """How long one may take."""
    query_memory_bytes: int | None = None
    """What one may hold in memory."""
    query_rows: int | None = None
    """Rows of one answer."""
    query_result_bytes: int | None = None
    """The size of one answer, before it is written in a format."""

    def over(self, general: Allowance) -> Allowance:
        """This one, completed by another."""
        own = {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}
        return Allowance(**{name: getattr(general, name) for name in NAMES} | own)


NAMES = tuple(field.name for field in fields(Allowance))
"""Every limit there is."""

RATES = frozenset({"requests_per_second", "bytes_per_second", "query_seconds"})
"""Those that need not be whole numbers."""
