"""Wrappers that are put on the functions of a module and taken off again, for what no seam can say."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, TypeAlias

import wrapt

Wrapper: TypeAlias = Callable[[Any, Any, Any, Any], Any]
"""As wrapt calls it: with what is wrapped, its instance, and the arguments."""


def put(*places: tuple[str, Wrapper]) -> Callable[[ModuleType], Callable[[], object]]:
    """An `attach` that wraps those of these functions that a release has."""

    def attach(module: ModuleType) -> Callable[[], object]:
        undo: list[Callable[[], object]] = []
        for place, wrapper in places:
            if _has(module, place):
                handle = wrapt.wrap_function_wrapper(module, place, wrapper)
                undo.append(functools.partial(wrapt.unwrap_object, module, place, handle, missing_ok=True))

        def detach() -> None:
            while undo:
                # Where somebody has wrapped ours since, it stays, and tells nothing.
                with suppress(wrapt.WrapperNotOutermostError):
                    undo.pop()()

        return detach

    return attach


def _has(module: ModuleType, place: str) -> bool:
    holder, _, function = place.rpartition(".")
    return hasattr(getattr(module, holder, None) if holder else module, function)
