"""What both receivers do with a request: judge it, put it on disk, and only then promise to keep it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from tokentrace_collector.counters import Counters
from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.journal.deadletters import DeadLetters
from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.otlp import cleaned, compression, decode, from_json, logs, logs_json
from tokentrace_collector.otlp.decode import Accepted, Rejected
from tokentrace_collector.otlp.privacy import Privacy
from tokentrace_collector.receive.room import FullError, Room
from tokentrace_collector.receive.signals import LOGS, TRACES, Signal

_ACCEPT: Mapping[tuple[Signal, bool], Callable[..., Accepted]] = {
    (TRACES, False): decode.accept,
    (TRACES, True): from_json.accept,
    (LOGS, False): logs.accept,
    (LOGS, True): logs_json.accept,
}
"""What reads a signal, in protobuf and in JSON."""

NOTHING = Privacy()

_ROOMS = 4
"""The largest bodies that fit at once, where nobody says otherwise."""

RETRY_SECONDS = 1
"""When a sender that was sent away should come again; exporters that wait longer give their batch up."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What becomes of a request."""

    signal: Signal
    kept: Future[int] | None
    """Done when what is stored is on disk; None if there is nothing."""
    spans: int
    rejected: int
    """Spans or log records that are not stored."""
    message: str
    """Why; empty if all were."""

    @property
    def answer(self) -> bytes:
        """The response to the sender, in protobuf."""
        return self.signal.answer(self.rejected, self.message)

    @property
    def answer_json(self) -> bytes:
        """The response to the sender, in JSON."""
        return self.signal.answer_json(self.rejected, self.message)


class Intake:
    """The way of a request into the journal."""

    def __init__(
        self,
        journal: Journal,
        letters: DeadLetters,
        counters: Counters,
        *,
        most: int,
        privacy: Privacy = NOTHING,
        room: Room | None = None,
    ) -> None:
        self.counters = counters
        self.most = most
        """The largest body, after decompression."""
        self.room = room or Room(_ROOMS * most)
        """What all requests under way may hold."""
        self._flattens = False
        self._privacy = privacy
        self._journal = journal
        self._letters = letters

    def flatten(self) -> None:
        """From now on, look for values too deep for the engine, which has met one; few senders have any."""
        self._flattens = True

    def count(self, receipt: Receipt) -> None:
        """Count a request whose spans are on disk."""
        self.counters.add(requests=1, spans_accepted=receipt.spans)
        if receipt.signal is LOGS:
            self.counters.add(logs_accepted=receipt.spans, logs_not_stored=receipt.rejected)
        else:
            self.counters.add(spans_rejected=receipt.rejected)

    def take(self, signal: Signal, sent: bytes, encoding: str = "", *, tenant: str, is_json: bool = False) -> Receipt:
        """Take a request; what may be stored is on its way to the disk."""
        with self.room.claim() as claim:
            now = time.time_ns()
            try:
                plain = compression.inflated(sent, encoding, most=self.most, grow=claim.grow)
                accepted = self._accepted(signal, plain, is_json=is_json, now=now)
            except ValueError:
                self.counters.add(requests_malformed=1)
                raise
            except FullError:
                self.counters.add(requests_refused=1)
                raise
            return self._taken(signal, sent, encoding, plain, accepted, now=now, tenant=tenant)

    def _taken(
        self, signal: Signal, sent: bytes, encoding: str, plain: bytes, accepted: Accepted, *, now: int, tenant: str
    ) -> Receipt:
        kept = None
        if accepted.spans:
            # What needed no change is kept as it was sent: compressed, it is quicker to write than to compress again.
            stored, stored_encoding = (sent, encoding) if accepted.body is plain else (accepted.body, "")
            kept = self._keep(accepted, stored, stored_encoding, now, tenant)
        # What could not be looked into is not kept.
        if letters := [one for one in accepted.rejected if one.request]:
            self._set_aside(letters, tenant)
        reasons = dict.fromkeys([*(one.reason for one in accepted.rejected[:3]), *accepted.unused])
        return Receipt(
            signal, kept, accepted.spans, len(accepted.rejected) + sum(accepted.unused.values()), " ".join(reasons)
        )

    def _accepted(self, signal: Signal, plain: bytes, *, is_json: bool, now: int) -> Accepted:
        if not self._privacy:
            return _ACCEPT[signal, is_json](plain, now=now, flatten=self._flattens)
        read = cleaned.records if signal is LOGS else cleaned.spans
        return read(plain, self._privacy, is_json=is_json, now=now, flatten=self._flattens)

    @property
    def is_slow(self) -> bool:
        """Whether even small requests take their time."""
        return bool(self._privacy)

    def _set_aside(self, rejected: Sequence[Rejected], tenant: str) -> None:
        try:
            self._letters.keep([(one.request, one.reason) for one in rejected], tenant=tenant)
        except OSError as error:
            self.counters.add(requests_refused=1)
            raise JournalError(f"Spans that cannot be stored cannot be kept either: {error}.") from error

    def _keep(self, accepted: Accepted, stored: bytes, encoding: str, now: int, tenant: str) -> Future[int]:
        entry = Entry(
            tenant=tenant,
            body=stored,
            encoding=encoding,
            spans=accepted.spans,
            size=len(accepted.body),
            received=now,
        )
        try:
            return self._journal.append(entry)
        except JournalError:
            self.counters.add(requests_refused=1)
            raise
