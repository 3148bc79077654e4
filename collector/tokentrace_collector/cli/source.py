"""Where figures come from: a running collector over HTTP, or else the store itself."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tokentrace_collector.cli.local import Local
from tokentrace_collector.cli.remote import Remote
from tokentrace_collector.cli.terminal import Trouble
from tokentrace_collector.prices.book import BookError, read as read_book
from tokentrace_collector.reports import capacity, energy, outcomes, payments, pricing
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
from tokentrace_collector.rollup.deletion import Kind
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.store import dsn, schema
from tokentrace_collector.store.database import Store, StoreError
from tokentrace_collector.tenants import EVERYBODY, Books

ADDRESS_FILE = "collector.json"
"""Beside the store: where the collector that holds it can be asked."""

TOKEN = "TOKENTRACE_TOKEN"  # noqa: S105  (the name of it)
"""In the environment: what a collector is shown that lets in only whom it knows."""
TENANT = "TOKENTRACE_TENANT"
"""In the environment: whose figures are read, where the store itself is asked."""

_KNOCK = 1.0


class Source(Protocol):
    """What the read commands ask."""

    def requests(self, wanted: Filter) -> list[Request]:
        """The requests that match."""
        ...

    def request(self, trace_id: str) -> RequestReport | None:
        """One request with its spans; the latest where the id is empty."""
        ...

    def costs(self, wanted: Breakdown) -> list[Share]:
        """What was spent, divided."""
        ...

    def agents(self, since: datetime, limit: int) -> list[Share]:
        """What was spent, by agent."""
        ...

    def focus(self, wanted: Export) -> bytes:
        """What was spent, as a FOCUS file."""
        ...

    def prices(self, provider: str, model: str) -> list[Price]:
        """The price lists that hold now."""
        ...

    def findings(self, since: datetime, until: datetime) -> PriceFindings:
        """How the calls of a period came to their prices."""
        ...

    def commitments(self, wanted: Question) -> list[Utilisation]:
        """How far what was promised is used."""
        ...

    def payments(self, wanted: payments.Question) -> list[Paid]:
        """What invoices in other currencies came to when they were paid."""
        ...

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
        ...

    def energy(self, wanted: energy.Question) -> list[Energy]:
        """What models behind an API took, as a library estimates it."""
        ...

    def outcomes(self, wanted: outcomes.Question) -> list[Outcomes]:
        """What work achieved, beside what it cost."""
        ...

    def rollup(self, what: Task) -> RollupOutcome:
        """Recompute what changed, or everything; or verify."""
        ...

    def delete(self, kind: Kind, named: str, *, is_dry: bool) -> Deleted:
        """Delete a trace, a user or a tenant; only count where the run is dry."""
        ...

    def reprice(self, wanted: Repricing) -> RollupOutcome:
        """Rate everything by other prices, and say what that changes."""
        ...

    def close(self, wanted: Closing) -> RollupOutcome:
        """Close a month."""
        ...

    def months(self) -> list[Month]:
        """The closed months."""
        ...


@contextmanager
def opened(store: str, url: str | None, book: str | None = None) -> Generator[Source]:
    """The collector at `url`, else the one that holds the store, else the store."""
    try:
        address = dsn.parse(store)
    except dsn.DsnError as error:
        raise Trouble(str(error)) from None
    if found := url or collector_of(address.directory):
        yield Remote(found, os.environ.get(TOKEN, ""))
        return
    try:
        with _local(address) as handle:
            # A question must not change what the figures of the store rest on.
            used = read_book(book) if book else pricing.book(Books(handle))
            yield Local(handle, used, os.environ.get(TENANT) or EVERYBODY)
    except BookError as error:
        raise Trouble(str(error)) from None
    except StoreError as error:
        raise Trouble(f"The store {address} cannot answer: {error}") from None


def collector_of(directory: Path) -> str | None:
    """The address of the collector that holds the store in this directory; None where none is running."""
    try:
        url = str(json.loads((directory / ADDRESS_FILE).read_text())["api"])
        where = urlsplit(url)
        # The file outlives a collector that was killed; its port does not.
        socket.create_connection((where.hostname, where.port), timeout=_KNOCK).close()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url


@contextmanager
def _local(address: dsn.Dsn) -> Generator[Store]:
    if address.embedded and not address.engine_path.is_dir():
        raise Trouble(
            f"There is no store at {address.directory} yet. Start `tokentrace collector`, try "
            "`tokentrace demo --serve`, or name another store with --store."
        )
    with closing(Store.open(address)) as store:
        schema.apply(store)
        yield store
