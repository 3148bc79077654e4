"""The stage of rating: which calls of a batch bear cost, in which role, and what each of their lines costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tokentrace_collector.prices import rates
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_REJECTS = """
SELECT 1
FROM llm_calls
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (reject_reason != '' OR report = 'acceptance')
LIMIT 1
"""
_PLACES = """
SELECT
    countIf(kind = 'call') > 0 AS has_calls,
    countIf(kind = 'broken') > 0 AS has_broken
FROM rollup_places
WHERE told = ''
"""
_REPORTED = "SELECT 1 FROM rollup_lines WHERE isNotNull(reported) LIMIT 1"

SCRATCH = (
    "spans",
    "bridges",
    "edges",
    "ancestry",
    "responses",
    "accounts",
    "borne",
    "decided",
    "rejected",
    "places",
    "roles",
    "suspects",
    "bearing",
    "rates",
    "prices",
    "lines",
    "reported",
)


@dataclass(frozen=True, slots=True)
class Rating:
    """The steps from the spans of a batch to their costs.

    Most batches have nothing for some of them, and then a step takes longer to be read than to be run: it is left out
    where its own conditions can hold nowhere.
    """

    store: Store
    run: rates.Run
    statement: Callable[[str], str]
    do: Callable[..., None]
    """Runs a statement by its name."""
    gathered: Callable[[str], str]
    """A statement about the spans of the batch, as it finds them."""
    forgets: bool
    """Whether anything may have expired, ever: then what came before is not among the spans."""

    def rate(self, *, version: int, horizon: str, kept: str) -> None:
        """Decide for each call of the batch whether it bears cost, its role, its prices, its components."""
        reported = {"trusted": list(self.run.book.trust_reported), **self.run.book.money.parameters()}
        self.do("spans", horizon=horizon, **reported)
        asked = self._ask("rollup/asked")
        if asked["is_read_again"] or self.forgets:
            self.do("responses", **reported)
        for step in self._bearing(asked):
            self.do(step)
        # Here and not among what is asked of the spans, which know nothing of reports.
        if self.store.query(self.gathered(_REJECTS)):
            self.do("rejected")
        if asked["is_nested"]:
            self._infer()
        if asked["is_suspect"]:
            self.do("suspects")
        self.do("bearing")
        rates.resolve(self.store, self.run, self.gathered(schema.sql("rollup/unresolved")))
        self.do("rates", run=self.run.id)
        self.do("prices")
        self.do("lines")
        if self.store.query(_REPORTED):
            self.do("reported")
        self.do("call_costs", run=self.run.id, version=version, kept=kept)

    def _bearing(self, asked: dict[str, Any]) -> Iterator[str]:
        if asked["has_gaps"]:
            yield "bridges"
        if asked["is_nested"]:
            yield "edges"
            yield "ancestry"
        if asked["names_responses"]:
            yield "accounts"
        if asked["is_retold"]:
            yield "borne"
        if asked["names_none"]:
            yield "borne_unnamed"
        if self.forgets:
            yield "borne_closed"
        yield "decided"

    def _infer(self) -> None:
        self.do("places")
        (told,) = self.store.query(_PLACES)
        if told["has_calls"]:
            self.do("roles")
        if told["has_broken"]:
            self.do("roles_broken")

    def _ask(self, name: str) -> dict[str, Any]:
        (found,) = self.store.query(self.statement(name))
        return found
