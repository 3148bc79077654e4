"""A whole collector: what receives and keeps, with the rollup by the price book and the query API."""

from __future__ import annotations

from tokentrace_collector.api.application import application
from tokentrace_collector.config import Config
from tokentrace_collector.prices import book, edition
from tokentrace_collector.prices.book import Book
from tokentrace_collector.reports import months
from tokentrace_collector.reports.documents.upkeep import RollupOutcome
from tokentrace_collector.retention import Retention
from tokentrace_collector.rollup.deletion import Scrub, Wanted
from tokentrace_collector.rollup.orders import Closing, Order, Repricing
from tokentrace_collector.rollup.recompute import Report, Rollup
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books


class Accountant:
    """Recomputes the costs of one store by one price book."""

    def __init__(self, store: Store, price_book: Book, retention: Retention | None = None) -> None:
        self._store = store
        self._rollup = Rollup(store, price_book, retention=retention)

    def __call__(self, what: Order) -> RollupOutcome:
        """Recompute what has changed, or everything, also as a proof or by other prices; or close a month."""
        if isinstance(what, Repricing):
            done = self._rollup.reprice(what)
            return {**_outcome(done), "rating_run": done.rating_run, "repriced": done.repriced or []}
        if isinstance(what, Closing):
            done = self._rollup.close(what)
            return {**_outcome(done), "months": months.months(Books(self._store, what.tenant))}
        tasks = {"run": self._rollup.tick, "rebuild": self._rollup.rebuild, "verify": self._rollup.verify}
        return _outcome(tasks[what]())

    def count(self, wanted: Wanted) -> dict[str, int]:
        """The rows that a deletion would take out, by table."""
        return self._rollup.count(wanted)

    def delete(self, wanted: Wanted, scrub: Scrub) -> dict[str, int]:
        """Take traces out of every table, and put right what they were part of."""
        return self._rollup.delete(wanted, scrub)


def _outcome(done: Report) -> RollupOutcome:
    return RollupOutcome(
        traces=done.traces,
        seconds=done.seconds,
        unpriced=done.unpriced,
        unread=done.unread,
        late=done.late,
        undecided=done.undecided,
        verified=done.verified,
    )


def collector(config: Config) -> Collector:
    """The collector that a configuration describes, not yet started; its price book is read now."""
    price_book = book.read(config.book) if config.book else Book()
    if file := edition.path():
        edition.read(file)  # What cannot be rated by is told now, not by the first rollup.

    def accountant(store: Store) -> Accountant:
        return Accountant(store, price_book, config.retention)

    return Collector(config, rollup=accountant, api=application)
