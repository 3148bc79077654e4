"""What the code that is running now belongs to: attribution, role, the call being metered."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tokentrace.calls.meter import Meter
    from tokentrace.request.section import Entry
    from tokentrace.tracing import Tracing


class Role(NamedTuple):
    """What a call is for."""

    name: str
    source: str
    """Who says so: `explicit`, the application; or `framework`."""


@dataclass(frozen=True, slots=True, eq=False)
class Tagged:
    """What a block of code is attributed to: its own tags over those around it."""

    attributes: Mapping[str, str]
    """By attribute name."""

    by: object = None
    """Who opened the block."""

    around: Tagged | None = None


UNTAGGED = Tagged({})

attribution: ContextVar[Tagged] = ContextVar("tokentrace_attribution", default=UNTAGGED)
"""The attribution of the request."""

process_attribution: Mapping[str, str] = {}
"""Attribution attributes of everything in this process; those of the request win."""

role: ContextVar[Role | None] = ContextVar("tokentrace_role", default=None)
"""Role of the nearest enclosing section that has one."""

entry: ContextVar[Entry | None] = ContextVar("tokentrace_section", default=None)
"""The innermost stay in a section."""

tracing: Tracing | None = None
"""Where spans begin, while the process is instrumented."""

metering: ContextVar[Meter | None] = ContextVar("tokentrace_metering", default=None)
"""The call that is being made in this context, so that its HTTP attempts find it."""


def tags(tagged: Tagged | None = None) -> Mapping[str, str]:
    """The attribution attributes of what runs now, or is tagged otherwise, in this process."""
    told = (attribution.get() if tagged is None else tagged).attributes
    return {**process_attribution, **told} if process_attribution else told
