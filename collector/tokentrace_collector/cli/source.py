"""Where figures come from: a running collector over HTTP, or else the store itself."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request as HttpRequest, build_opener

from tokentrace_collector.assembly import Accountant
from tokentrace_collector.cli.terminal import Trouble
from tokentrace_collector.counters import Counters
from tokentrace_collector.deletion import Deletion, counted
from tokentrace_collector.ingest.drain import Drain
from tokentrace_collector.journal.deadletters import DEAD_LETTERS, DeadLetters
from tokentrace_collector.journal.entries import JOURNAL, Journal
from tokentrace_collector.prices import rates
from tokentrace_collector.prices.book import Book, BookError, parse as parse_book, read as read_book
from tokentrace_collector.reports import answers, breakdown, capacity, commitments, focus, months, pricing
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.reports.commitments import Question
from tokentrace_collector.reports.documents import (
    Capacity,
    Deleted,
    Month,
    Price,
    PriceFindings,
    Request,
    RequestReport,
    RollupOutcome,
    Share,
    Task,
    Utilisation,
)
from tokentrace_collector.reports.focus import Export
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.rollup.deletion import Kind, Wanted
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

_CURRENT_BOOK = """
SELECT book
FROM rating_runs FINAL
WHERE tenant = {tenant:String} AND rating_run IN (
    SELECT value
    FROM rollup_state FINAL
    WHERE tenant = {tenant:String} AND name = 'rating_run'
)
"""
_PATIENCE = 60.0
_LONG = 3600.0
_PAUSE = 0.2
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

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
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


class _NotYetError(Exception):
    """The collector asks to come again."""


class Remote:
    """A collector that answers over HTTP."""

    def __init__(self, url: str, token: str = "") -> None:
        """At an address; `token` is what the collector is shown, where it lets in only whom it knows."""
        if not url.startswith(("http://", "https://")):
            raise Trouble(f"The collector's address {url!r} is no HTTP address. Write it like http://127.0.0.1:4319.")
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        # The collector is beside us; a proxy for the outside world must not get between.
        self._opener = build_opener(ProxyHandler({}))

    def requests(self, wanted: Filter) -> list[Request]:
        """The requests that match."""
        asked = {name: _parameter(value) for name, value in asdict(wanted).items() if value not in ("", None, False)}
        found: list[Request] = self._ask(f"/v1/traces?{urlencode(asked)}")["traces"]
        return found

    def request(self, trace_id: str) -> RequestReport | None:
        """One request with its spans; None where it is not known."""
        report: RequestReport | None = self._ask(f"/v1/traces/{quote(trace_id or 'latest', safe='')}")
        return report

    def costs(self, wanted: Breakdown) -> list[Share]:
        """What was spent, divided."""
        asked = [("by", name) for name in wanted.by] + list(wanted.only.items())
        plain = {"per": wanted.per, "zone": wanted.zone, "since": wanted.since, "until": wanted.until}
        asked += [(name, _parameter(value)) for name, value in plain.items() if value is not None]
        asked += [("limit", str(wanted.limit))] if wanted.limit else []
        asked += [("run", wanted.run)] if wanted.run else []
        asked += [("infra_view", wanted.infra_view)] if wanted.infra_view != "unused" else []
        found: list[Share] = self._ask(f"/v1/costs?{urlencode(asked)}")["costs"]
        return found

    def agents(self, since: datetime, limit: int) -> list[Share]:
        """What was spent, by agent."""
        asked = {"since": since.isoformat(), "limit": limit}
        found: list[Share] = self._ask(f"/v1/agents?{urlencode(asked)}")["agents"]
        return found

    def focus(self, wanted: Export) -> bytes:
        """What was spent, as a FOCUS file."""
        asked = {name: _parameter(value) for name, value in asdict(wanted).items()}
        content: bytes = self._ask(f"/v1/focus?{urlencode(asked)}", read=_content)
        return content

    def prices(self, provider: str, model: str) -> list[Price]:
        """The price lists that hold now."""
        found: list[Price] = self._ask(f"/v1/prices?{urlencode({'provider': provider, 'model': model})}")["prices"]
        return found

    def findings(self, since: datetime, until: datetime) -> PriceFindings:
        """How the calls of a period came to their prices."""
        asked = {"since": since.isoformat(), "until": until.isoformat()}
        found: PriceFindings = self._ask(f"/v1/prices/findings?{urlencode(asked)}")
        return found

    def health(self) -> dict[str, Any]:
        """How the collector is, as `/readyz` tells; empty where nobody answers that."""
        try:
            with self._opener.open(self._url + "/readyz", timeout=_PATIENCE) as answer:
                body: bytes = answer.read()
        except HTTPError as error:
            with error:
                body = error.read()
        except OSError:
            return {}
        try:
            told: dict[str, Any] = json.loads(body)
        except ValueError:
            # A proxy, or a collector of another release.
            return {}
        return told

    def commitments(self, wanted: Question) -> list[Utilisation]:
        """How far what was promised is used."""
        found: list[Utilisation] = self._ask(f"/v1/commitments?{_periods(wanted)}")["commitments"]
        return found

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
        found: list[Capacity] = self._ask(f"/v1/capacity?{_periods(wanted)}")["capacity"]
        return found

    def rollup(self, what: Task) -> RollupOutcome:
        """Have the collector recompute."""
        outcome: RollupOutcome = self._ask(f"/v1/rollup?what={what}", method="POST")
        return outcome

    def delete(self, kind: Kind, named: str, *, is_dry: bool) -> Deleted:
        """Have the collector delete."""
        body = json.dumps({kind: named, "dry_run": is_dry}).encode()
        deleted: Deleted = self._ask("/v1/deletions", method="POST", body=body)
        return deleted

    def reprice(self, wanted: Repricing) -> RollupOutcome:
        """Have the collector rate everything by other prices."""
        given = {"since": wanted.since, "until": wanted.until, "adopt": wanted.adopt}
        asked = {name: _parameter(value) for name, value in given.items() if value is not None}
        # No body asks for the book in use; an empty book is a book, too.
        book = (wanted.book.text or "version: 1\n").encode() if wanted.book else b""
        outcome: RollupOutcome = self._ask(f"/v1/reprice?{urlencode(asked)}", method="POST", body=book)
        return outcome

    def close(self, wanted: Closing) -> RollupOutcome:
        """Have the collector close a month, by its own clock."""
        outcome: RollupOutcome = self._ask(f"/v1/close?month={wanted.month:%Y-%m}", method="POST")
        return outcome

    def months(self) -> list[Month]:
        """The closed months."""
        found: list[Month] = self._ask("/v1/close")["months"]
        return found

    def _ask(
        self, path: str, method: str = "GET", read: Callable[[Any], Any] = json.load, body: bytes | None = None
    ) -> Any:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._answer(path, method, read, body)
            except _NotYetError as error:
                if time.monotonic() > until:
                    raise Trouble(f"The collector at {self._url} is not ready: {error}") from None
                time.sleep(_PAUSE)

    def _answer(self, path: str, method: str, read: Callable[[Any], Any], body: bytes | None) -> Any:
        try:
            asked = HttpRequest(self._url + path, body, headers=self._headers, method=method)  # noqa: S310 - checked
            # What recomputes everything takes as long as there are calls.
            with self._opener.open(asked, timeout=_LONG if method == "POST" else _PATIENCE) as answer:
                return read(answer)
        except HTTPError as error:
            with error:
                if error.code == HTTPStatus.NOT_FOUND and path.startswith("/v1/traces/"):
                    return None
                if error.code == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in error.headers:
                    raise _NotYetError(_reason(error)) from None
                raise Trouble(f"The collector at {self._url} refused: {_reason(error)}") from None
        except (URLError, TimeoutError, ConnectionError) as error:
            reason = getattr(error, "reason", error)
            raise Trouble(f"Nobody answers at {self._url} ({reason}). Is `tokentrace collector` running?") from None
        except ValueError:
            raise Trouble(f"What answers at {self._url} is no tokentrace collector.") from None


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

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
        return capacity.capacity(self._books, wanted)

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
            yield Local(handle, read_book(book) if book else _book_of(handle), os.environ.get(TENANT) or EVERYBODY)
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


def _book_of(store: Store) -> Book:
    """The price book that the store's figures were made with; a question must not change what they rest on."""
    found = store.query(_CURRENT_BOOK, tenant=EVERYBODY)
    return parse_book(found[0]["book"]) if found else Book()


def _content(answer: Any) -> bytes:
    content: bytes = answer.read()
    return content


def _periods(wanted: Listing) -> str:
    return urlencode({name: _parameter(value) for name, value in asdict(wanted).items() if value is not None})


def _parameter(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _reason(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
