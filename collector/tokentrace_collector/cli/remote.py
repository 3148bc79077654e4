"""A running collector, asked over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request as HttpRequest, build_opener

from tokentrace_collector.cli.terminal import Trouble
from tokentrace_collector.reports import capacity, energy, outcomes, payments
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
from tokentrace_collector.reports.listing import Listing
from tokentrace_collector.rollup.deletion import Kind
from tokentrace_collector.rollup.orders import Closing, Repricing

_PATIENCE = 60.0
_LONG = 3600.0
_PAUSE = 0.2


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

    def payments(self, wanted: payments.Question) -> list[Paid]:
        """What invoices in other currencies came to when they were paid."""
        found: list[Paid] = self._ask(f"/v1/payments?{_periods(wanted)}")["payments"]
        return found

    def capacity(self, wanted: capacity.Question) -> list[Capacity]:
        """What pools of capacity cost, and how far they were used."""
        found: list[Capacity] = self._ask(f"/v1/capacity?{_periods(wanted)}")["capacity"]
        return found

    def energy(self, wanted: energy.Question) -> list[Energy]:
        """What models behind an API took, as a library estimates it."""
        found: list[Energy] = self._ask(f"/v1/energy?{_periods(wanted)}")["energy"]
        return found

    def outcomes(self, wanted: outcomes.Question) -> list[Outcomes]:
        """What work achieved, beside what it cost."""
        plain = {name: value for name, value in asdict(wanted).items() if name != "by" and value is not None}
        asked = [("by", name) for name in wanted.by] + [(name, _parameter(value)) for name, value in plain.items()]
        found: list[Outcomes] = self._ask(f"/v1/outcomes?{urlencode(asked)}")["outcomes"]
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
