"""The database of the collector's tests: one engine per worker, one database per test."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from clickhouse_server import Server

from tokentrace_collector.prices import rates
from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.retention import Retention
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

EPOCH = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""When the spans of a ledger begin, unless they say later."""

_numbers = count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of the one embedded engine this process may have, kept open for the session."""
    directory = tmp_path_factory.mktemp("store")
    anchor = Store.open(f"chdb://{directory}")
    yield directory
    anchor.close()


@pytest.fixture
def empty_store(engine: Path) -> Iterator[Store]:
    """A store whose database does not exist yet."""
    opened = Store.open(f"chdb://{engine}?database=test_{next(_numbers)}")
    yield opened
    opened.drop_database()
    opened.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A store with all tables, empty."""
    schema.apply(empty_store)
    return empty_store


@pytest.fixture
def server(engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(tmp_path)  # A server caches schemas that it gets as text, and this one does so where it runs.
    running = Server(engine / "engine")
    yield running
    running.stop()


@pytest.fixture
def served(server: Server, store: Store) -> Iterator[Store]:
    """The database of `store`, through the server."""
    with closing(Store.open(f"{server.address}/{store.address.database}")) as opened:
        yield opened


class Ledger:
    """Spans put into a store as they would arrive, and what the rollup makes of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.book = Book()
        self.retention: Retention | None = None
        self._rollup: Rollup | None = None
        self._waiting: list[dict[str, Any]] = []

    @property
    def rollup(self) -> Rollup:
        self._rollup = self._rollup or Rollup(self.store, self.book, retention=self.retention)
        return self._rollup

    def priced_by(self, book: str) -> "Ledger":
        """Use another price book from now on."""
        self.book, self._rollup = parse(book), None
        return self

    @staticmethod
    def ago(days: float) -> float:
        """So many days before now, in seconds after the epoch of the tests."""
        return (datetime.now(UTC) - EPOCH).total_seconds() - days * 86_400

    def kept(self, **days: float | None) -> "Ledger":
        """Keep things so long from now on."""
        times = {name: None if kept is None else timedelta(days=kept) for name, kept in days.items()}
        self.retention, self._rollup = Retention(**times), None
        return self

    def span(
        self,
        trace: str,
        span: str,
        parent: str = "",
        *,
        at: float = 0,
        seconds: float = 1,
        failed: bool = False,
        **more: Any,
    ) -> None:
        """A span `at` seconds after the epoch of the tests; attributes with dots come in `said`."""
        resource = more.pop("resource", {})
        began = int((EPOCH.timestamp() + at) * 1_000_000) * 1_000
        self._waiting.append({
            "Timestamp": began,
            "Duration": int(seconds * 1_000_000) * 1_000,
            "TraceId": trace,
            "SpanId": span,
            "ParentSpanId": parent,
            "TraceState": more.pop("state", ""),
            "SpanName": more.pop("name", span),
            "ServiceName": "agent",
            "ScopeName": more.pop("library", "tokentrace"),
            "ResourceAttributes": resource,
            "SpanAttributes": {key: str(value) for key, value in more.pop("said", {}).items()},
            "StatusCode": "Error" if failed else "Unset",
            "Events.Timestamp": [began for _ in more.get("attempts", ())],
            "Events.Name": ["tokentrace.attempt" for _ in more.get("attempts", ())],
            "Events.Attributes": [{key: str(value) for key, value in each.items()} for each in more.pop("attempts", ())],
            "Tenant": more.pop("tenant", "default"),
        })  # fmt: skip
        assert not more, f"unknown: {more}"

    def call(
        self,
        trace: str,
        span: str,
        parent: str = "",
        *,
        model: str = "gpt-6-sol",
        provider: str = "openai",
        **more: Any,
    ) -> None:
        """A call of our SDK; `tokens` and `meters` by name, the rest of its attributes in `said`."""
        said = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "tokentrace.usage.scope": "call",
            "tokentrace.usage.source": "reported",
        }
        said |= {f"tokentrace.usage.{bucket}": count for bucket, count in more.pop("tokens", {}).items()}
        said |= {f"tokentrace.meter.{meter}": count for meter, count in more.pop("meters", {}).items()}
        role = more.pop("role", "")
        said |= ({"tokentrace.role": role} if role else {}) | more.pop("said", {})
        self.span(trace, span, parent, said=said, **more)

    def foreign(
        self,
        trace: str,
        span: str,
        parent: str = "",
        *,
        model: str = "gpt-6-sol",
        library: str = "other",
        **more: Any,
    ) -> None:
        """A call as other instrumentations tell it: inclusive totals."""
        usage = {f"gen_ai.usage.{name}": count for name, count in more.pop("usage", {}).items()}
        said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.response.model": model}
        self.span(trace, span, parent, said=said | usage | more.pop("said", {}), library=library, **more)

    def review(
        self, trace: str, span: str, parent: str = "", *, active: float | None = None, by: str = "", **more: Any
    ) -> None:
        """A human review, `active` seconds of attention up to its end."""
        said = {"tokentrace.review.kind": "approval"} | more.pop("said", {})
        said |= {} if active is None else {"tokentrace.review.active_time": active}
        said |= {"tokentrace.review.reviewer.id": by} if by else {}
        self.span(trace, span, parent, said=said, seconds=more.pop("seconds", active or 1), **more)

    def arrive(self, *, ago: float = 0) -> None:
        """Insert what waits, in one batch, as if it had come so many days ago."""
        if ago:
            came = int((datetime.now(UTC) - timedelta(days=ago)).timestamp() * 1_000_000)
            self._waiting = [{**row, "IngestedAt": came} for row in self._waiting]
        if self._waiting:
            columns = list(self._waiting[0])
            data = [[row[name] for row in self._waiting] for name in columns]
            self.store.insert("otel_traces", columns, data, token=str(next(_numbers)))
            self._waiting = []

    def tick(self) -> None:
        """Insert what waits and roll it up."""
        self.arrive()
        self.rollup.tick()

    def trace(self, trace: str) -> dict[str, Any]:
        """The only row of a trace, rolled up."""
        (row,) = self.store.query("SELECT * FROM tcoai_by_trace FINAL WHERE trace_id = {trace:String}", trace=trace)
        return row

    def components(self, trace: str) -> dict[str, str]:
        """What a trace costs by component, without the zeros."""
        row = self.trace(trace)
        return {each.name: plain(row[each.name]) for each in schema.components() if row[each.name]}

    def call_cost(self, trace: str, span: str, part: int = 0) -> dict[str, Any]:
        """The only row of a call, rated."""
        (row,) = self.store.query(
            "SELECT * FROM call_costs FINAL WHERE trace_id = {trace:String} AND span_id = {span:String} AND part = {part:UInt16}",
            trace=trace, span=span, part=part,
        )  # fmt: skip
        return row

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every table of cost, row by row, without the number of the run that wrote it."""
        return {
            table: self.store.query(f"SELECT * EXCEPT version FROM {table} FINAL ORDER BY ALL")
            for table in (
                "call_costs",
                "capacity_hours",
                "capacity_lines",
                "commitment_periods",
                "tcoai_by_trace",
                "tcoai_by_hour",
            )
        }


def plain(amount: Decimal) -> str:
    """A decimal as one would write it."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@pytest.fixture(scope="session")
def catalogue(engine: Path) -> Iterator[str]:
    """A database that holds the price catalogue, to copy it from: reading it takes a second."""
    opened = Store.open(f"chdb://{engine}?database=catalogue")
    schema.apply(opened)
    rates.load(opened, Book())
    yield opened.address.database
    opened.close()


def _ledger(store: Store, catalogue: str) -> Ledger:
    schema.apply(store)
    store.run(f"INSERT INTO price_rates SELECT * FROM {catalogue}.price_rates")
    return Ledger(store)


@pytest.fixture
def ledger(empty_store: Store, catalogue: str) -> Ledger:
    """An empty store with a rollup over it."""
    return _ledger(empty_store, catalogue)


@pytest.fixture(scope="module")
def shared_ledger(engine: Path, catalogue: str) -> Iterator[Ledger]:
    """A ledger for all tests of a module, each of which keeps to traces of its own."""
    opened = Store.open(f"chdb://{engine}?database=test_{next(_numbers)}")
    yield _ledger(opened, catalogue)
    opened.drop_database()
    opened.close()


@pytest.fixture(scope="module")
def fresh_ledger(engine: Path, catalogue: str) -> Iterator[Callable[[], Ledger]]:
    """Makes empty ledgers, as many as a test needs."""
    opened: list[Store] = []

    def make() -> Ledger:
        opened.append(Store.open(f"chdb://{engine}?database=test_{next(_numbers)}"))
        return _ledger(opened[-1], catalogue)

    yield make
    for store in opened:
        store.drop_database()
        store.close()
