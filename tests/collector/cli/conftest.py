"""Reports to draw, built by hand, and a screen to read them from."""

import io
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import uvicorn
from rich.console import Console

from tokentrace_collector.access import Everybody
from tokentrace_collector.api import application as api
from tokentrace_collector.assembly import Accountant
from tokentrace_collector.prices.book import Book
from tokentrace_collector.reports.figures import multiples
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store


def a_span(span_id, parent_id="", **more):
    return {
        "span_id": span_id,
        "parent_id": parent_id,
        "name": span_id,
        "kind": "step",
        "role": None,
        "provider": None,
        "model": None,
        "offset": 0.0,
        "seconds": 0.1,
        "error": None,
        "stream_end": None,
        "usage_source": None,
        "estimated_counts": [],
        "tokens": {},
        "cancelled": 0,
        "cost": None,
        "estimated": "0",
        "components": {},
        "borne_by": None,
        "attempts": [],
        "review_seconds": None,
        "reviewer_role": None,
    } | more


def a_report(*spans, **more):
    report = {
        "trace_id": "0123456789abcdef" * 2,
        "root": "brief",
        "service": "agent",
        "started_at": "2026-11-22T10:00:00Z",
        "seconds": 2.4,
        "attribution": {"team": "insights"},
        "currency": "USD",
        "total": "1.5",
        "components": {
            "visible": "0.1",
            "hidden_reasoning": "0.2",
            "orchestration": "0.1",
            "errors": "0.05",
            "human_review": "1",
            "infrastructure": "0.05",
        },
        "direct": "1.5",
        "allocated": "0",
        "measured": "1.5",
        "estimated": "0",
        "coverage": 1.0,
        "covered": {"usage": {"known": 2, "of": 2}},
        "calls": 2,
        "attempts": 3,
        "failed_attempts": 0,
        "unknown_attempts": 0,
        "tokens": {},
        "meters": {},
        "spans": list(spans),
        "per_call": {"calls": 2, "total": "0.4"},
        "spans_left_out": 0,
        "told_by_others": 0,
    } | more
    ratios = multiples({name: Decimal(amount) for name, amount in report["components"].items()})
    return {"ratios": ratios} | report


@pytest.fixture
def span():
    """Builds a span."""
    return a_span


@pytest.fixture
def report():
    """Builds a report."""
    return a_report


@pytest.fixture
def drawn():
    """What a function draws on a screen of a certain width, line by line."""

    def draw(function, *arguments, width=80):
        screen = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
        function(screen, *arguments)
        return [line.rstrip() for line in screen.file.getvalue().splitlines()]

    return draw


BEGAN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def insert(store, table, **row):
    store.insert(table, list(row), [[value] for value in row.values()])


def fill(store):
    """One request: a call of a dollar and a half, in a step."""
    trace = {"tenant": "default", "trace_id": "ab" * 16, "started_at": BEGAN}
    money = {"visible": Decimal("1.5"), "total": Decimal("1.5"), "version": 1}
    ended = BEGAN + timedelta(seconds=2)
    insert(
        store, "tcoai_by_trace", **trace, **money, day=BEGAN.date(), ended_at=ended, root_name="answer\x1b[2J", is_deleted=0,
        service="shop", team="search", currency="USD", calls=1, attempts=1, spans=2, coverage=1.0, tokens={"input_text": 9},
    )  # fmt: skip
    insert(store, "llm_calls", **trace, ended_at=ended, span_id="root", part=0, name="answer", step="answer")
    call = {"span_id": "call", "part": 0, "name": "chat gpt-6", "tokens": {"input_text": 9}}
    insert(store, "llm_calls", **trace, **call, ended_at=ended, parent_span_id="root", scope="call")
    insert(store, "call_costs", **trace, **money, **call, ended_at=ended, hour=BEGAN, kind="call", bearing=1)


@contextmanager
def answering(store, door=None):
    """The address of a query API over a store."""
    door = door or Everybody("default")
    application = api.application(store.sibling(), Accountant(store.sibling(), Book()), door)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None, lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def led_to(store, how):
    """The options that lead to these books: the store itself, or a collector that answers for it."""
    if how == "store":
        yield ["--store", str(store.address)]
        return
    with answering(store) as url:
        yield ["--url", url]


@pytest.fixture(scope="session")
def led():
    """Gives the options that lead to books, one way or the other."""
    return led_to


@pytest.fixture(scope="module", params=["store", "collector"])
def asked(request, engine):
    """Options that lead to books which no test changes."""
    store = Store.open(f"chdb://{engine}?database=read_from_{request.param}")
    schema.apply(store)
    fill(store)
    with led_to(store, request.param) as options:
        yield options
    store.drop_database()
    store.close()


@pytest.fixture
def books(store):
    """Books that a test may change."""
    fill(store)
    return store


@pytest.fixture(params=["store", "collector"])
def changed(request, books):
    """Options that lead to books which the test changes."""
    with led_to(books, request.param) as options:
        yield options
