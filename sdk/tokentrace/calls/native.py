"""Libraries that trace themselves: while we meter a call, their own span of it stays away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from operator import attrgetter
from types import ModuleType
from typing import Any

import wrapt
from opentelemetry.trace import INVALID_SPAN, Span

from tokentrace import context


def _nothing() -> None:
    """What a function gives that opens no span."""


def unrecorded() -> AbstractContextManager[Span]:
    """Stands for a block with a span as its target: nothing is recorded, and the current span stays current."""
    return nullcontext(INVALID_SPAN)


def silence(function: str, instead: Callable[[], object] = _nothing) -> Callable[[ModuleType], Callable[[], object]]:
    """Make `function` of a module, which opens the library's own span, open none while a call is metered."""

    def opened(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs) if context.metering.get() is None else instead()

    def attach(module: ModuleType) -> Callable[[], object]:
        try:
            attrgetter(function)(module)
        except AttributeError:
            # A release that does not trace itself yet.
            return lambda: None
        handle = wrapt.wrap_function_wrapper(module, function, opened)
        return partial(wrapt.unwrap_object, module, function, handle, missing_ok=True)

    return attach
