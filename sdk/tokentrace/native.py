"""Libraries that trace themselves: while we meter a call, their own span of it stays away."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import wrapt

from tokentrace import context


def silence(function: str) -> Callable[[ModuleType], Callable[[], object]]:
    """Make `function` of a module, which opens the library's own span, open none while a call is metered."""

    def opened(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs) if context.metering.get() is None else None

    def attach(module: ModuleType) -> Callable[[], object]:
        if not hasattr(module, function):
            # A release that does not trace itself yet.
            return lambda: None
        handle = wrapt.wrap_function_wrapper(module, function, opened)
        return partial(wrapt.unwrap_object, module, function, handle, missing_ok=True)

    return attach
