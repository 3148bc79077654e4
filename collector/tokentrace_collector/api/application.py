"""The application that answers, and who may ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from tokentrace_collector.access import Door
from tokentrace_collector.api.problems import HANDLERS, problem
from tokentrace_collector.api.questions import Delete, Questions
from tokentrace_collector.reports.documents.upkeep import Deleted, RollupOutcome
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Order
from tokentrace_collector.store.database import Store, StoreError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OwnPagesOnly:
    """Refuses what a web page elsewhere could send: foreign host names (DNS rebinding) and foreign origins.

    Without `hosts` each name is its own: who needs a credential can be reached by the name of a machine, too.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._admits(Headers(scope=scope)):
            await problem(403, "This API answers to its own host names only.")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admits(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        host = _host(f"//{headers.get('host', '')}")
        hosts = {host} if self._hosts is None else self._hosts
        return host in hosts and (origin is None or _host(origin) in hosts)


def _nothing(_wanted: Wanted, _is_dry: bool) -> Deleted:
    raise StoreError("Nothing can be deleted here.")


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
        exception_handlers=HANDLERS,
    )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
