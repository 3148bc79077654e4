"""Puts spans on disk while the collector does not take them, and takes them off again when it does."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace.delivery import otlp
from tokentrace.delivery.counts import Counts
from tokentrace.delivery.segment import Stored
from tokentrace.delivery.spool import Spool
from tokentrace.guard import log, quietly

REFUSALS = 5
"""A batch that the collector refuses this often, and takes others in between, is given up."""
REST = 30.0
"""Seconds after which a disk that could not be written is tried again, and the files of the dead are looked for."""
FAR = 16
"""Batches that are tried in turn while none is taken, for the first may be the one that never is."""


class Keeper:
    """The disk of one delivery. Never raises: where the disk fails, spans stay in memory, and that is said once."""

    def __init__(self, spool: Spool, counts: Counts) -> None:
        self._spool = spool
        self._counts = counts
        self._skip = 0
        self._noted = 0
        self._looked = 0.0
        self.tries_again = 0.0
        """When the disk is worth another try, on the monotonic clock."""
        self.problem: str | None = None
        """Why nothing can be put on disk."""
        self._said = False

    @property
    def directory(self) -> str:
        """Where the files are."""
        return str(self._spool.home)

    @property
    def own(self) -> int:
        """Spans of this process on disk."""
        return self._spool.own

    @property
    def has_batches(self) -> bool:
        """Whether there is something to deliver."""
        return self._spool.has_batches

    def keep(self, spans: Sequence[ReadableSpan]) -> list[Stored] | None:
        """Put spans on disk; None where they have to stay in memory."""
        try:
            stored = [self._spool.append(request, number) for request, number in self._encoded(spans)]
        except OSError as error:
            self.problem = str(error)
            self.tries_again = time.monotonic() + REST
            if not self._said:
                self._said = True
                log.warning(
                    "tokentrace cannot keep spans on disk (%s): until it can, they wait in memory only. "
                    "Set TOKENTRACE_SPOOL to a directory, or to 'off'.",
                    error,
                )
            return None
        self.problem = None
        return stored

    def oldest(self) -> tuple[Stored, list[ReadableSpan]] | None:
        """The batch whose turn it is."""
        with quietly("reading spans from the disk"):
            while found := self._oldest():
                stored, request = found
                try:
                    return stored, otlp.decode(request)
                except Exception:  # noqa: BLE001  (whatever another release has written)
                    self._counts.unreadable += stored.record.spans
                    self.delivered((stored,))
        return None

    def _oldest(self) -> tuple[Stored, bytes] | None:
        try:
            return self._spool.oldest(self._skip)
        except OSError:
            return None

    def delivered(self, batches: Iterable[Stored]) -> None:
        """The collector has them."""
        with quietly("taking delivered spans off the disk"):
            for stored in batches:
                self._spool.done(stored)

    def arrived(self, stored: Stored) -> None:
        """The collector has taken the batch whose turn it was."""
        self._skip = 0
        self.delivered((stored,))

    def failed(self, stored: Stored, taken: int) -> None:
        """The collector did not take a batch; it has taken so many others."""
        self._skip = (self._skip + 1) % FAR
        with quietly("booking a refused batch"):
            # An outage is nobody's fault; only who is refused while others are taken will always be.
            if stored.seen is not None and taken > stored.seen and self._spool.refuse(stored) >= REFUSALS:
                self._counts.refused += stored.record.spans
                self._spool.done(stored)
                log.error(
                    "The collector refused %d spans %d times, and took others; they are dropped.",
                    stored.record.spans,
                    REFUSALS,
                )
            stored.seen = taken

    def look(self) -> None:
        """Take over what dead processes have left, now and then."""
        if time.monotonic() - self._looked < REST and self._looked:
            return
        self._looked = time.monotonic()
        with quietly("looking for spans of earlier processes"):
            try:
                self._spool.adopt()
            except OSError as error:
                log.debug("tokentrace cannot read %s: %s", self.directory, error)

    def note(self) -> None:
        """Have the losses told by the next process, in case that this one is killed."""
        if (lost := self._counts.lost) != self._noted:
            self._noted = lost
            with quietly("noting losses"):
                try:
                    self._spool.note(lost)
                except OSError as error:
                    log.debug("tokentrace cannot note losses: %s", error)

    def close(self) -> None:
        """Leave what is on disk for the next process."""
        with quietly("closing the spool"):
            self._spool.close()

    def abandon(self) -> None:
        """In a forked child: leave everything to the parent."""
        with quietly("leaving the spool to the parent"):
            self._spool.abandon()

    def _encoded(self, spans: Sequence[ReadableSpan]) -> list[tuple[bytes, int]]:
        """Requests and the number of spans in each; one for all, unless one of them would spoil it for the others."""
        try:
            return [(otlp.encode(spans), len(spans))]
        except Exception:  # noqa: BLE001  (whatever an application has written on a span)
            if len(spans) > 1:
                return [each for span in spans for each in self._encoded((span,))]
            self._counts.unreadable += len(spans)
            return []
