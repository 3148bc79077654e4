"""Threads of a library that belong to who starts them, where the library itself lets them begin without a context."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any


class Pool(ThreadPoolExecutor):
    """Runs everything in a copy of the context that it was submitted from."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As that of the class above."""
        return super().submit(copy_context().run, work, *args, **kwargs)


def carry(module: Any) -> Callable[[], object]:
    """Give a module the pool that keeps the context, in place of the one that it has imported; returns the undo."""
    theirs = module.ThreadPoolExecutor
    module.ThreadPoolExecutor = Pool

    def undo() -> None:
        # Whatever somebody else has put there since, stays.
        if module.ThreadPoolExecutor is Pool:
            module.ThreadPoolExecutor = theirs

    return undo
