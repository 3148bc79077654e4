"""Our own errors never reach the application."""

from __future__ import annotations

import logging
import os
from types import TracebackType

log = logging.getLogger("tokentrace")

failures: dict[str, int] = {}
"""How often something of ours has failed, by what was being done."""


class quietly:  # noqa: N801  (reads as a statement: `with quietly("reading a response"):`)
    """Log an error of ours instead of raising it. Under test (`TOKENTRACE_STRICT=1`), raise it."""

    __slots__ = ("doing",)

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> bool:
        return isinstance(error, Exception) and note(self.doing, error)


def note(doing: str, error: Exception) -> bool:
    """Log an error of ours; False where it is to be raised instead, under test."""
    if os.environ.get("TOKENTRACE_STRICT") == "1":
        return False
    failures[doing] = failures.get(doing, 0) + 1
    log.error("tokentrace failed while %s; the application is not affected", doing, exc_info=error)
    return True
