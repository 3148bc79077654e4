"""How long things are kept: spans as received, spans as read, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_SPANS_AT_LEAST = timedelta(days=1)
_CALLS_AT_LEAST = timedelta(days=2)


class RetentionError(ValueError):
    """Times that cannot be kept together."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each is kept, from when it came; None: as long as what follows it here, the last for ever.

    Sums by hour are kept for ever.
    """

    raw: timedelta | None = None
    """Spans as received, `otel_traces`."""
    calls: timedelta | None = None
    """Spans as read, `llm_calls`: so long a late span has its whole trace recomputed."""
    costs: timedelta | None = None
    """What is made of them by call and by trace, by when it was spent; in whole months."""

    def __post_init__(self) -> None:
        for name, kept, least in (("raw", self.raw, _SPANS_AT_LEAST), ("calls", self.calls, _CALLS_AT_LEAST)):
            if kept is not None and kept < least:
                raise RetentionError(
                    f"The retention {name}={told(kept)} is too short. Keep them {told(least)} or longer."
                )
        for (name, kept), (longer, then) in (
            (("raw", self.raw), ("calls", self.calls)),
            (("raw", self.raw), ("costs", self.costs)),
            (("calls", self.calls), ("costs", self.costs)),
        ):
            if kept is not None and then is not None and kept > then:
                raise RetentionError(
                    f"The retention {name}={told(kept)} is longer than {longer}={told(then)}, which is made of them. "
                    f"Keep {longer} as long, or longer."
                )

    @property
    def raw_for(self) -> timedelta | None:
        """How long spans as received are kept; None: for ever."""
        return self.raw or self.calls_for

    @property
    def calls_for(self) -> timedelta | None:
        """How long spans as read are kept; None: for ever."""
        return self.calls or self.costs


def told(kept: timedelta) -> str:
    """A time as an operator writes it."""
    hours = int(kept.total_seconds()) // 3600
    return f"{hours}h" if hours % 24 else f"{hours // 24}d"
