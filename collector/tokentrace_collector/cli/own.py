"""A collector in the process of a command, for as long as the command runs."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from tokentrace_collector import assembly
from tokentrace_collector.cli.remote import Remote
from tokentrace_collector.config import Config
from tokentrace_collector.serve import Addresses


class OwnCollector:
    """Receives and keeps while the context lasts; `store` None is a temporary one."""

    def __init__(self, store: str | None, config: Config) -> None:
        self._store = store
        self._config = config
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            store = self._store
            if store is None:
                store = f"chdb://{opened.enter_context(tempfile.TemporaryDirectory(prefix='tokentrace-'))}/store"
            config = replace(self._config, store=store)
            self._collector = opened.enter_context(assembly.collector(config))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def addresses(self) -> Addresses:
        """Where it answers."""
        return self._collector.addresses

    def settled(self) -> Remote:
        """The books, with everything in them that has been accepted so far."""
        books = Remote(self.addresses.api)
        books.rollup("run")
        return books
