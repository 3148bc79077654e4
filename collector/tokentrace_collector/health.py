"""How the collector is: for load balancers, for Prometheus, and for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from tokentrace_collector.canary import MEANINGS as CANARY_MEANINGS, Canary
from tokentrace_collector.counters import MEANINGS, Counters
from tokentrace_collector.journal.entries import Backlog

_GAUGES = {
    "entries": "Requests in the journal that the database does not have.",
    "spans": "Spans in the journal that the database does not have.",
    "bytes": "The size of the journal on disk.",
    "age": "Seconds since the oldest of them came.",
    "damaged": "Journal entries lost to a damaged disk since the start.",
}


class Health:
    """The endpoints that tell how the collector is."""

    def __init__(
        self,
        counters: Counters,
        backlog: Callable[[], Backlog],
        troubles: Callable[[], list[str]],
        faults: Callable[[], list[str]],
        canary: Canary | None = None,
    ) -> None:
        self._counters = counters
        self._backlog = backlog
        self._troubles = troubles
        self._faults = faults
        self._canary = canary

    @property
    def routes(self) -> list[BaseRoute]:
        """Where to ask."""
        return [
            Route("/healthz", self.alive),
            Route("/readyz", self.ready),
            Route("/metrics", self.metrics),
        ]

    def alive(self, _request: Request) -> Response:
        """200 while every worker lives; else only a restart will help."""
        return _told(self._faults())

    def ready(self, _request: Request) -> Response:
        """200 while spans are taken and reach the database."""
        told: dict[str, object] = {"backlog": asdict(self._backlog()), "counts": self._counters.snapshot()}
        if self._canary:
            told["canary"] = {"trouble": self._canary.trouble, **self._canary.figures()}
        return _told(self._faults() + self._troubles(), **told)

    def metrics(self, _request: Request) -> Response:
        """All counts and the state of the journal, as Prometheus reads them."""
        backlog = asdict(self._backlog())
        lines: list[str] = []
        for name, count in self._counters.snapshot().items():
            lines += _metric(f"collector_{name}_total", "counter", MEANINGS[name], count)
        for name, meaning in _GAUGES.items():
            lines += _metric(f"collector_journal_{name}", "gauge", meaning, backlog[name])
        for name, figure in (self._canary.figures() if self._canary else {}).items():
            kind, meaning = CANARY_MEANINGS[name]
            lines += _metric(f"canary_{name}", kind, meaning, figure)
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _told(problems: list[str], **more: object) -> Response:
    status = 503 if problems else 200
    return JSONResponse({"status": "unavailable" if problems else "ok", "problems": problems, **more}, status)


def _metric(name: str, kind: str, meaning: str, value: float) -> list[str]:
    name = f"tokentrace_{name}"
    return [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}", f"{name} {value}"]
