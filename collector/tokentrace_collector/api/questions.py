"""The endpoints: each question, and the answer of the tables."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tokentrace_collector.access import Door, ForbiddenError, Right
from tokentrace_collector.api.parameters import (
    MOST_ROWS,
    QuestionError,
    read_breakdown,
    read_deletion,
    read_export,
    read_filter,
    read_limit,
    read_moment,
    read_outcomes,
    read_periods,
    read_repricing,
    read_task,
)
from tokentrace_collector.api.problems import problem
from tokentrace_collector.listener import CERTIFICATE
from tokentrace_collector.prices.book import BookError
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
from tokentrace_collector.reports.documents.upkeep import Deleted, RollupOutcome
from tokentrace_collector.reports.months import PeriodError
from tokentrace_collector.rollup.closing import ClosingError
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Closing, Order
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books

Delete: TypeAlias = Callable[[Wanted, bool], Deleted]
"""Deletes what is wanted, or only counts it."""


class Questions:
    """The endpoints, over one handle to the store that is used by one thread at a time."""

    def __init__(
        self,
        store: Store,
        rollup: Callable[[Order], RollupOutcome],
        door: Door,
        delete: Delete,
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
            Route("/v1/payments", self.payments),
            Route("/v1/capacity", self.capacity),
            Route("/v1/energy", self.energy),
            Route("/v1/outcomes", self.outcomes),
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
            return problem(404, f"There is no trace {trace_id!r} in the books yet.")
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
        since = read_moment(asked, "since") if "since" in asked else None
        limit = read_limit(asked, "limit") if "limit" in asked else MOST_ROWS
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
        until = read_moment(asked, "until") if "until" in asked else datetime.now(UTC)
        with self._lock:
            return JSONResponse(pricing.findings(books, read_moment(asked, "since"), until))

    def commitments(self, request: Request) -> Response:
        """How far what was promised is used."""
        books = self._books(request)
        wanted = read_periods(request.query_params, commitments.Question)
        with self._lock:
            return JSONResponse({"commitments": commitments.utilisation(books, wanted)})

    def payments(self, request: Request) -> Response:
        """What invoices in other currencies came to when they were paid."""
        books = self._books(request)
        wanted = read_periods(request.query_params, payments.Question)
        with self._lock:
            return JSONResponse({"payments": payments.payments(books, wanted)})

    def capacity(self, request: Request) -> Response:
        """What pools of capacity cost, how far they were used, and what energy they took."""
        books = self._books(request)
        wanted = read_periods(request.query_params, capacity.Question)
        with self._lock:
            return JSONResponse({"capacity": capacity.capacity(books, wanted)})

    def energy(self, request: Request) -> Response:
        """What models behind an API took of energy and carbon, as a library estimates it."""
        books = self._books(request)
        wanted = read_periods(request.query_params, energy.Question)
        with self._lock:
            return JSONResponse({"energy": energy.energy(books, wanted)})

    def outcomes(self, request: Request) -> Response:
        """What work achieved, beside what it cost."""
        books = self._books(request)
        wanted = read_outcomes(request.query_params)
        with self._lock:
            return JSONResponse({"outcomes": outcomes.outcomes(books, wanted, datetime.now(UTC))})

    def rollup(self, request: Request) -> Response:
        """Recompute what has changed, or what `?what=` says."""
        self._admitted(request, "operate")
        return JSONResponse(self._rollup(read_task(request.query_params)))

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
