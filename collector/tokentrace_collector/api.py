"""The query API on loopback: the tables' answers as JSON, for the command line and whoever else asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, TypeVar, cast, get_args
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tokentrace_collector.access import Door, ForbiddenError, RefusedError, Right
from tokentrace_collector.listener import CERTIFICATE
from tokentrace_collector.prices.book import BookError, parse as parse_book
from tokentrace_collector.reports import answers, breakdown, capacity, commitments, focus, months, pricing
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.reports.breakdown import Breakdown, BreakdownError
from tokentrace_collector.reports.documents import Deleted, RollupOutcome, Task
from tokentrace_collector.reports.focus import Export, ExportError
from tokentrace_collector.reports.listing import Listing, ListingError
from tokentrace_collector.reports.months import PeriodError
from tokentrace_collector.rollup.closing import ClosingError
from tokentrace_collector.rollup.deletion import Kind, Wanted
from tokentrace_collector.rollup.orders import Closing, Order, Repricing
from tokentrace_collector.store.database import Store, StoreError
from tokentrace_collector.tenants import Books

MOST_ROWS = 10_000
"""Requests that one answer lists."""

Delete: TypeAlias = Callable[[Wanted, bool], Deleted]
"""Deletes what is wanted, or only counts it."""

Periods = TypeVar("Periods", bound=Listing)
"""A question about periods."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class QuestionError(ValueError):
    """A question that cannot be understood; the message says why."""


def _nothing(_wanted: Wanted, _is_dry: bool) -> Deleted:
    raise StoreError("Nothing can be deleted here.")


class Questions:
    """The endpoints, over one handle to the store that is used by one thread at a time."""

    def __init__(
        self,
        store: Store,
        rollup: Callable[[Order], RollupOutcome],
        door: Door,
        delete: Delete = _nothing,
    ) -> None:
        self._store = store
        self._rollup = rollup
        self._delete = delete
        self._door = door
        self._lock = threading.Lock()

    @property
    def routes(self) -> list[BaseRoute]:
        """Where each question is asked."""
        return [
            Route("/v1/traces", self.traces),
            Route("/v1/traces/{trace_id}", self.trace),
            Route("/v1/costs", self.costs),
            Route("/v1/agents", self.agents),
            Route("/v1/focus", self.focus),
            Route("/v1/prices", self.prices),
            Route("/v1/prices/findings", self.findings),
            Route("/v1/commitments", self.commitments),
            Route("/v1/capacity", self.capacity),
            Route("/v1/rollup", self.rollup, methods=["POST"]),
            Route("/v1/deletions", self.deletion, methods=["POST"]),
            Route("/v1/reprice", self.reprice, methods=["POST"]),
            Route("/v1/close", self.close, methods=["POST"]),
            Route("/v1/close", self.months),
        ]

    def traces(self, request: Request) -> Response:
        """The requests that match the parameters."""
        books = self._books(request)
        wanted = read_filter(request.query_params)
        with self._lock:
            return JSONResponse({"traces": answers.requests(books, wanted)})

    def trace(self, request: Request) -> Response:
        """One request with its spans, by its id or the beginning of it."""
        books = self._books(request)
        trace_id = request.path_params["trace_id"]
        with self._lock:
            report = answers.request(books, "" if trace_id == "latest" else trace_id.lower())
        if report is None:
            return _problem(404, f"There is no trace {trace_id!r} in the books yet.")
        return JSONResponse(report)

    def costs(self, request: Request) -> Response:
        """What was spent, divided as the parameters say."""
        books = self._books(request)
        wanted = read_breakdown(request.query_params)
        with self._lock:
            return JSONResponse({"costs": breakdown.shares(books, wanted)})

    def agents(self, request: Request) -> Response:
        """What was spent, by agent."""
        books, asked = self._books(request), request.query_params
        if unknown := sorted(set(asked) - {"since", "limit"}):
            raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: limit, since.")
        since = _moment(asked, "since") if "since" in asked else None
        limit = _limit(asked, "limit") if "limit" in asked else MOST_ROWS
        with self._lock:
            return JSONResponse({"agents": breakdown.agents(books, since, limit)})

    def focus(self, request: Request) -> Response:
        """What was spent, as a FOCUS file."""
        books = self._books(request)
        wanted = read_export(request.query_params)
        with self._lock:
            return Response(focus.written(books, wanted), media_type="application/octet-stream")

    def prices(self, request: Request) -> Response:
        """The price lists that hold now."""
        books, asked = self._books(request), request.query_params
        with self._lock:
            found = answers.prices(books, asked.get("provider", ""), asked.get("model", ""), datetime.now(UTC))
        return JSONResponse({"prices": found})

    def findings(self, request: Request) -> Response:
        """How the calls of a period came to their prices."""
        books, asked = self._books(request), request.query_params
        if unknown := sorted(set(asked) - {"since", "until"}):
            raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: since, until.")
        if "since" not in asked:
            raise QuestionError("The parameter 'since' is missing. Write it like since=2026-01-01T00:00:00Z.")
        until = _moment(asked, "until") if "until" in asked else datetime.now(UTC)
        with self._lock:
            return JSONResponse(pricing.findings(books, _moment(asked, "since"), until))

    def commitments(self, request: Request) -> Response:
        """How far what was promised is used."""
        books = self._books(request)
        wanted = read_periods(request.query_params, commitments.Question)
        with self._lock:
            return JSONResponse({"commitments": commitments.utilisation(books, wanted)})

    def capacity(self, request: Request) -> Response:
        """What pools of capacity cost, how far they were used, and what energy they took."""
        books = self._books(request)
        wanted = read_periods(request.query_params, capacity.Question)
        with self._lock:
            return JSONResponse({"capacity": capacity.capacity(books, wanted)})

    def rollup(self, request: Request) -> Response:
        """Recompute what has changed, or what `?what=` says."""
        self._admitted(request, "operate")
        return JSONResponse(self._rollup(_task(request.query_params)))

    async def deletion(self, request: Request) -> Response:
        """Delete what the body says of the tenant of who asks."""
        tenant = self._admitted(request, "operate")
        # In the body: an address is logged on its way, and may name a person.
        wanted, is_dry = read_deletion(await request.body(), tenant)
        if wanted.tenant != tenant:
            raise ForbiddenError(f"This credential is of {tenant!r}, and deletes nothing of others.")
        return JSONResponse(await run_in_threadpool(self._delete, wanted, is_dry))

    async def reprice(self, request: Request) -> Response:
        """Rate everything by the price book in the body, or by the one in use, and say what that changes."""
        tenant = self._admitted(request, "operate")
        try:
            wanted = read_repricing(request.query_params, (await request.body()).decode(), tenant)
            return JSONResponse(await run_in_threadpool(self._rollup, wanted))
        except (BookError, UnicodeDecodeError) as error:
            raise QuestionError(str(error)) from None

    def close(self, request: Request) -> Response:
        """Close a month of the tenant of who asks."""
        tenant = self._admitted(request, "operate")
        try:
            wanted = Closing(months.read(request.query_params.get("month", "")), datetime.now(UTC), tenant)
            return JSONResponse(self._rollup(wanted))
        except (PeriodError, ClosingError) as error:
            raise QuestionError(str(error)) from None

    def months(self, request: Request) -> Response:
        """The closed months of the tenant of who asks, and what is to be corrected of them."""
        books = self._books(request)
        with self._lock:
            return JSONResponse({"months": months.months(books)})

    def _books(self, request: Request) -> Books:
        """What the one who asks may see."""
        return Books(self._store, self._admitted(request, "ask"))

    def _admitted(self, request: Request, right: Right) -> str:
        """The tenant of who asks."""
        authorization = request.headers.get("authorization", "")
        grant = self._door.admit(right, authorization, request.scope.get(CERTIFICATE, ()))
        if not grant.tenant:
            raise ForbiddenError(f"The credential {grant.name!r} is of no tenant, and asks only SQL, at /query.")
        return grant.tenant


class OwnPagesOnly:
    """Refuses what a web page elsewhere could send: foreign host names (DNS rebinding) and foreign origins.

    Without `hosts` each name is its own: who needs a credential can be reached by the name of a machine, too.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._admits(Headers(scope=scope)):
            await _problem(403, "This API answers to its own host names only.")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        host = _host(f"//{headers.get('host', '')}")
        hosts = {host} if self._hosts is None else self._hosts
        return host in hosts and (origin is None or _host(origin) in hosts)


def application(
    store: Store,
    rollup: Callable[[Order], RollupOutcome],
    door: Door,
    *,
    delete: Delete = _nothing,
    more: Sequence[BaseRoute] = (),
    hosts: Sequence[str] = (),
) -> Starlette:
    """The application: its own routes and `more`, answering to loopback names and `hosts`, or to all who are asked."""
    return Starlette(
        routes=[*Questions(store, rollup, door, delete).routes, *more],
        middleware=[
            Middleware(OwnPagesOnly, hosts=None if door.asks else _LOOPBACK | {host.lower() for host in hosts})
        ],
        exception_handlers={QuestionError: _bad_question, StoreError: _no_store, RefusedError: _not_let_in},
    )


def read_filter(asked: QueryParams) -> Filter:
    """The filter that query parameters describe."""
    known = {field.name for field in fields(Filter)}
    if unknown := sorted(set(asked) - known):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(sorted(known))}.")
    readers: dict[str, Callable[[QueryParams, str], Any]] = {
        "since": _moment,
        "until": _moment,
        "min_cost": _amount,
        "errors": _flag,
        "by_cost": _flag,
        "limit": _limit,
    }
    return Filter(**{name: readers.get(name, QueryParams.__getitem__)(asked, name) for name in asked})


def read_breakdown(asked: QueryParams) -> Breakdown:
    """The division of costs that query parameters describe: `by` may come again, other dimensions choose."""
    plain: dict[str, Callable[[QueryParams, str], Any]] = {
        "per": QueryParams.__getitem__,
        "zone": QueryParams.__getitem__,
        "run": QueryParams.__getitem__,
        "infra_view": QueryParams.__getitem__,
        "since": _moment,
        "until": _moment,
        "limit": _limit,
    }
    only = {name: asked[name] for name in asked if name != "by" and name not in plain}
    try:
        given = {name: read(asked, name) for name, read in plain.items() if name in asked}
        return Breakdown(by=tuple(asked.getlist("by")), only=only, **given)
    except BreakdownError as error:
        raise QuestionError(str(error)) from None


def read_periods(asked: QueryParams, question: type[Periods]) -> Periods:
    """The periods that query parameters describe."""
    known = [field.name for field in fields(question)]
    if unknown := sorted(set(asked) - set(known)):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(known)}.")
    given: dict[str, Any] = {name: asked[name] if name == "per" else _moment(asked, name) for name in asked}
    try:
        return question(**given)
    except ListingError as error:
        raise QuestionError(str(error)) from None


def read_export(asked: QueryParams) -> Export:
    """The file that query parameters describe."""
    known = [field.name for field in fields(Export)]
    if unknown := sorted(set(asked) - set(known)):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: {', '.join(known)}.")
    if missing := sorted({"since", "until"} - set(asked)):
        raise QuestionError(
            f"The parameter {missing[0]!r} is missing. Write it like {missing[0]}=2026-01-01T00:00:00Z."
        )
    more: dict[str, Any] = {name: asked[name] for name in asked if name not in {"since", "until"}}
    try:
        return Export(_moment(asked, "since"), _moment(asked, "until"), **more)
    except ExportError as error:
        raise QuestionError(str(error)) from None


def read_deletion(body: bytes, tenant: str) -> tuple[Wanted, bool]:
    """What to delete, and whether only to count it, as a JSON body says; of a tenant unless it names one itself."""
    kinds = get_args(Kind)
    try:
        said = json.loads(body)
        is_dry = said.pop("dry_run", False)
        ((kind, named),) = said.items()
    except (ValueError, AttributeError, TypeError):
        kind, named, is_dry = "", "", False
    if kind not in kinds or not isinstance(named, str) or not named or not isinstance(is_dry, bool):
        raise QuestionError(
            'Say in JSON what to delete: {"trace": ID}, {"user": ID} or {"tenant": NAME}; "dry_run": true.'
        )
    if kind == "tenant":
        return Wanted(named), is_dry
    return Wanted(tenant, cast("Kind", kind), named.lower() if kind == "trace" else named), is_dry


def read_repricing(asked: QueryParams, book: str, tenant: str) -> Repricing:
    """The repricing that query parameters and a body describe."""
    if unknown := sorted(set(asked) - {"since", "until", "adopt"}):
        raise QuestionError(f"The parameter {unknown[0]!r} is unknown. Known: adopt, since, until.")
    period = {name: _moment(asked, name) for name in ("since", "until") if name in asked}
    return Repricing(book=parse_book(book) if book else None, adopt=_flag(asked, "adopt"), tenant=tenant, **period)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _moment(asked: QueryParams, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(asked[name])
    except ValueError:
        raise QuestionError(f"{name}={asked[name]!r} is no time. Write it like 2026-01-31T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _amount(asked: QueryParams, name: str) -> Decimal:
    try:
        amount = Decimal(asked[name])
    except InvalidOperation:
        raise QuestionError(f"{name}={asked[name]!r} is no amount. Write it like 0.25.") from None
    if not amount.is_finite():
        raise QuestionError(f"{name}={asked[name]!r} is no amount. Write it like 0.25.")
    return amount


def _flag(asked: QueryParams, name: str) -> bool:
    value = asked.get(name, "false")
    if value not in {"true", "false"}:
        raise QuestionError(f"{name}={value!r} is neither true nor false.")
    return value == "true"


def _task(asked: QueryParams) -> Task:
    for task in get_args(Task):
        if asked.get("what", "run") == task:
            return cast("Task", task)
    raise QuestionError(f"what={asked['what']!r} is not one of {', '.join(get_args(Task))}.")


def _limit(asked: QueryParams, name: str) -> int:
    if not asked[name].isdecimal() or not 0 < int(asked[name]) <= MOST_ROWS:
        raise QuestionError(f"{name}={asked[name]!r} is not a number from 1 to {MOST_ROWS}.")
    return int(asked[name])


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


async def _bad_question(_request: Request, error: Exception) -> Response:
    return _problem(400, str(error))


async def _not_let_in(_request: Request, error: Exception) -> Response:
    if isinstance(error, ForbiddenError):
        return _problem(403, str(error))
    problem = _problem(401, str(error))
    problem.headers["www-authenticate"] = "Bearer"
    return problem


async def _no_store(_request: Request, error: Exception) -> Response:
    problem = _problem(503, f"The store cannot answer: {error}")
    if isinstance(error, StoreError) and error.is_transient:
        problem.headers["retry-after"] = "1"
    return problem
