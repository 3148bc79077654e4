"""What a person does about a journal: looks at what waits, and takes out or puts back while no collector runs."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tokentrace_collector.journal import lock, progress
from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.journal.deadletters import DeadLetters, Letter
from tokentrace_collector.journal.entries import JOURNAL, Journal
from tokentrace_collector.journal.segment import Entry, Segment, UnreadableError
from tokentrace_collector.otlp import decode, from_json


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that is not settled."""

    number: int
    entry: Entry
    is_under_way: bool
    """Whether it is of the batch that is being inserted."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What has become of a dead letter."""

    letter: Letter
    refused: str = ""
    """Why it stays one."""


def waiting(directory: Path) -> Iterator[Waiting]:
    """The entries that the database does not have yet, the oldest first; also while a collector runs."""
    journal = directory / JOURNAL
    settled, reached = _settled(journal), progress.load(journal / "progress")
    cut = reached.cut if reached else None
    for segment in Segment.of(journal):
        try:
            # By their weights first: the bodies of all would be too much at once.
            for number in segment.weights(settled):
                for entry in segment.read(number, number).values():
                    yield Waiting(number, entry, cut is not None and cut.first <= number <= cut.last)
        except UnreadableError:
            # A collector removes what it has settled.
            if segment.path.exists():
                raise


def one(directory: Path, number: int) -> Entry:
    """An entry that waits."""
    journal = directory / JOURNAL
    if number > _settled(journal):
        for segment in Segment.of(journal):
            if (entry := segment.read(number, number).get(number)) is not None:
                return entry
    raise JournalError(f"There is no entry {number} in the journal of {directory}. `tokentrace journal ls` lists them.")


def set_aside(directory: Path, number: int, letters: DeadLetters, reason: str) -> None:
    """Make an entry a dead letter; raises InUseError while a collector runs."""
    with _held(directory):
        entry = one(directory, number)
        segment = next(each for each in reversed(Segment.of(directory / JOURNAL)) if each.first <= number)
        # First kept, then taken out: who dies in between has it twice, and never not at all.
        letters.keep([(entry.plain, reason)], tenant=entry.tenant)
        segment.blank(number)


def replay(directory: Path, letters: DeadLetters, ids: Collection[str]) -> Iterator[Replayed]:
    """Put dead letters into the journal, all where no id is given; raises InUseError while a collector runs.

    One that still cannot be stored stays a dead letter.
    """
    with closing(Journal(directory / JOURNAL)) as journal:
        kept: set[str] = set()
        try:
            for letter in [each for each in letters.read() if not ids or each.id in ids]:
                refused = _put_back(letter, journal)
                if not refused:
                    kept.add(letter.id)
                yield Replayed(letter, refused)
        finally:
            # Once, for the file is written anew: who dies before puts them back twice, and they are stored once.
            letters.remove(kept)


def _put_back(letter: Letter, journal: Journal) -> str:
    """Put a letter on disk again; why not, where it still cannot be stored."""
    is_json, now = letter.content.lstrip().startswith(b"{"), time.time_ns()
    try:
        accepted = (from_json if is_json else decode).accept(letter.content, now=now)
    except ValueError as error:
        return str(error)
    if accepted.rejected or not accepted.spans:
        return accepted.rejected[0].reason if accepted.rejected else "There is no span in it."
    journal.append(Entry(letter.tenant, accepted.body, "", accepted.spans, len(accepted.body), now)).result()
    return ""


def _settled(journal: Path) -> int:
    """The number of the last entry that the database has."""
    if (reached := progress.load(journal / "progress")) is not None:
        return reached.settled
    return next((segment.first - 1 for segment in Segment.of(journal)), 0)


@contextmanager
def _held(directory: Path) -> Generator[None]:
    held = lock.hold(directory / JOURNAL / "lock", f"The store {directory}")
    try:
        yield
    finally:
        os.close(held)
