"""Everything that is kept of a trace, a user or a tenant, deleted: from journal, dead letters and every table."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tokentrace_collector.ingest.drain import Drain
from tokentrace_collector.journal.deadletters import DeadLetters, Letter
from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.otlp import mention
from tokentrace_collector.reports.documents.upkeep import Deleted
from tokentrace_collector.rollup.deletion import Scrub, Wanted
from tokentrace_collector.store.database import StoreError

DEAD_LETTERS = "dead_letters"
"""What they are called among the tables of a report."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One deletion, where a journal is being drained into the store."""

    journal: Journal
    drain: Drain
    letters: DeadLetters
    patience: float
    """Seconds until what was accepted has to be stored."""

    def run(self, wanted: Wanted, take_out: Callable[[Wanted, Scrub], dict[str, int]]) -> Deleted:
        """Delete; `take_out` does it in the database. Raises StoreError where that does not take what was accepted.

        What was accepted before is stored first and its files go, so that nothing is left that could be stored later.
        """
        if not self.journal.clear(self.patience):
            told = self.drain.trouble or "It takes long."
            raise StoreError(f"What was accepted has to be stored first. {told}", is_transient=True)

        forgotten = 0

        def scrub(traces: Collection[tuple[str, str]]) -> None:
            nonlocal forgotten
            forgotten = self.letters.forget(lambda letter: concerns(letter, wanted, traces))

        with self.drain.held():
            rows = take_out(wanted, scrub)
        return Deleted(rows=rows | ({DEAD_LETTERS: forgotten} if forgotten else {}))


def counted(wanted: Wanted, rows: dict[str, int], letters: DeadLetters) -> Deleted:
    """What a deletion would take out; dead letters that only traces of a user tell of are not among them."""
    found = sum(concerns(letter, wanted) for letter in letters.read())
    return Deleted(rows=rows | ({DEAD_LETTERS: found} if found else {}))


def concerns(letter: Letter, wanted: Wanted, traces: Collection[tuple[str, str]] = ()) -> bool:
    """Whether a dead letter is of what is to be deleted, or of traces that are."""
    own = [trace for tenant, trace in traces if tenant == letter.tenant]
    if letter.tenant != wanted.tenant:
        return bool(own) and mention.is_of(letter.content, traces=own)
    if wanted.kind == "tenant":
        return True
    if wanted.kind == "trace":
        return mention.is_of(letter.content, traces=[*own, wanted.id])
    return mention.is_of(letter.content, user=wanted.id, traces=own)
