"""The store itself, asked while no collector holds it."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime

from tokentrace_collector.assembly import Accountant
from tokentrace_collector.counters import Counters
from tokentrace_collector.deletion import Deletion, counted
from tokentrace_collector.ingest.drain import Drain
from tokentrace_collector.journal.deadletters import DEAD_LETTERS, DeadLetters
from tokentrace_collector.journal.entries import JOURNAL, Journal
from tokentrace_collector.prices import rates
from tokentrace_collector.prices.book import Book
from tokentrace_collector.reports import (
    answers,
    breakdown,
    capacity,
    commitments,
    energy,
    focus,
    months,
    outcomes,
    payments,
    pricing,
)
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.reports.commitments import Question
from tokentrace_collector.reports.documents.capacity import Capacity, Utilisation
from tokentrace_collector.reports.documents.energy import Energy
from tokentrace_collector.reports.documents.outcomes import Outcomes
from tokentrace_collector.reports.documents.prices import Price, PriceFindings
from tokentrace_collector.reports.documents.requests import Request, RequestReport
from tokentrace_collector.reports.documents.spending import Month, Paid, Share
from tokentrace_collector.reports.documents.upkeep import Deleted, RollupOutcome, Task
from tokentrace_collector.reports.focus import Export
from tokentrace_collector.rollup.deletion import Kind, Wanted
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books

_PATIENCE = 60.0


class Local:
    """The store itself, while no collector holds it."""

    def __init__(self, store: Store, price_book: Book, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._books = Books(store, tenant)
        self._book = price_book

    def requests(self, wanted: Filter) -> list[Request]:
        """The requests that match."""
        return answers.requests(self._books, wanted)

    def request(self, trace_id: str) -> RequestReport | None:
        """One request with its spans."""
        return answers.request(self._books, trace_id)

    def costs(self, wanted: Breakdown) -> list[Share]:
        """What was spent, divided."""
        return breakdown.shares(self._books, wanted)

    def agents(self, since: datetime, limit: int) -> list[Share]:
        """What was spent, by agent."""
        return breakdown.agents(self._books, since, limit)

    def focus(self, wanted: Export) -> bytes:
        """What was spent, as a FOCUS file."""
        return focus.written(self._books, wanted)

    def prices(self, provider: str, model: str) -> list[Price]:
        """The price lists that hold now."""
        rates.load(self._store, self._book)
        return answers.prices(self._books, provider, model, datetime.now(UTC))

    def findings(self, since: datetime, until: datetime) -> PriceFindings:
        """How the calls of a period came to their prices."""
        return pricing.findings(self._books, since, until)

    def commitments(self, wanted: Question) -> list[Utilisation]:
        """How far what was promised is used."""
        return commitments.utilisation(self._books, wanted)

    def payments(self, wanted: payments.Question) -> list[Paid]:
        """What invoices in other currencies came to when they were paid."""
        return payments.payments(self._books, wanted)

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
        return capacity.capacity(self._books, wanted)

    def energy(self, wanted: energy.Question) -> list[Energy]:
        """What models behind an API took, as a library estimates it."""
        return energy.energy(self._books, wanted)

    def outcomes(self, wanted: outcomes.Question) -> list[Outcomes]:
        """What work achieved, beside what it cost."""
        return outcomes.outcomes(self._books, wanted, datetime.now(UTC))

    def rollup(self, what: Task) -> RollupOutcome:
        """Recompute here and now."""
        return Accountant(self._store, self._book)(what)

    def delete(self, kind: Kind, named: str, *, is_dry: bool) -> Deleted:
        """Delete here and now, of the journal that is beside the store."""
        wanted = Wanted(named) if kind == "tenant" else Wanted(self._tenant, kind, named)
        accountant, directory = Accountant(self._store, self._book), self._store.address.directory
        letters = DeadLetters(directory / DEAD_LETTERS)
        if is_dry:
            return counted(wanted, accountant.count(wanted), letters)
        with ExitStack() as ending:
            journal = ending.enter_context(closing(Journal(directory / JOURNAL)))
            drain = Drain(journal, self._store.sibling, letters, Counters(), spans=1, seconds=0)
            drain.start()
            ending.callback(drain.stop, _PATIENCE)
            return Deletion(journal, drain, letters, _PATIENCE).run(wanted, accountant.delete)

    def reprice(self, wanted: Repricing) -> RollupOutcome:
        """Rate everything here and now."""
        return Accountant(self._store, self._book)(replace(wanted, tenant=self._tenant))

    def close(self, wanted: Closing) -> RollupOutcome:
        """Close a month here and now."""
        return Accountant(self._store, self._book)(replace(wanted, tenant=self._tenant))

    def months(self) -> list[Month]:
        """The closed months."""
        return months.months(self._books)
