"""What the code that is running now belongs to: attribution, role, the call being metered."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentrace.meter import Meter

attribution: ContextVar[Mapping[str, str]] = ContextVar("tokentrace_attribution", default={})  # noqa: B039  (never mutated)
"""Attribution attributes of the request, by attribute name."""

process_attribution: Mapping[str, str] = {}
"""Attribution attributes of everything in this process; those of the request win."""

role: ContextVar[str | None] = ContextVar("tokentrace_role", default=None)
"""Role of the nearest enclosing step."""

metering: ContextVar[Meter | None] = ContextVar("tokentrace_metering", default=None)
"""The call that is being made in this context, so that its HTTP attempts find it."""
