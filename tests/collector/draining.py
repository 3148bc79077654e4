"""A journal being emptied into a store, for tests that watch it."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from tokentrace_collector.counters import Counters
from tokentrace_collector.ingest.drain import Drain
from tokentrace_collector.journal.deadletters import DeadLetters
from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.store.database import Store

NOW = 1_767_225_600_000_000_000


class Draining:
    """A journal being emptied into a store."""

    def __init__(self, directory: Path, open_store: Callable[[], Store]) -> None:
        self.journal = Journal(directory / "journal")
        self.counters = Counters()
        self.letters = directory / "dead-letters.jsonl"
        letters = DeadLetters(self.letters)
        self.drain = Drain(self.journal, open_store, letters, self.counters, spans=10, seconds=0)

    def __enter__(self) -> Self:
        self.drain.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.drain.stop(30)
        self.journal.close()

    def append(self, body: bytes, spans: int = 1) -> None:
        self.journal.append(Entry("default", body, "", spans, len(body), NOW)).result()
