"""What ended spans still lack, and is made up for in a thread of ours, before they leave the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace.guard import quietly

HELD = 32 * 1024 * 1024
"""Bytes of texts that may wait to be counted; what comes beyond is not counted."""


class Unfinished(Protocol):
    """What a span still lacks, and how it is made up for."""

    @property
    def size(self) -> int: ...

    def drop(self) -> None: ...

    def __call__(self, span: ReadableSpan, /) -> ReadableSpan: ...


Taken: TypeAlias = list[tuple[ReadableSpan, Unfinished | None]]


class _Waiting(NamedTuple):
    unfinished: Unfinished
    size: int


class Finish:
    """Who is unfinished among the spans that have ended, by the id of the span."""

    def __init__(self) -> None:
        self.expected: dict[int, Unfinished] = {}
        """What spans lack that are about to end."""
        self._waiting: dict[int, _Waiting] = {}
        self._held = 0

    def expect(self, span_id: int, unfinished: Unfinished) -> None:
        """The span that is about to end lacks something."""
        self.expected[span_id] = unfinished

    def forget(self, span_id: int) -> None:
        """The span has ended; it has not been queued if it is still expected."""
        self.expected.pop(span_id, None)

    def admit(self, span: ReadableSpan) -> None:
        """The span is queued. One thread at a time."""
        if (unfinished := self.expected.pop(_id(span), None)) is None:
            return
        size = unfinished.size
        if self._held + size > HELD:
            unfinished.drop()
            size = 0
        self._held += size
        self._waiting[_id(span)] = _Waiting(unfinished, size)

    @property
    def is_needed(self) -> bool:
        """Whether a queued span lacks something."""
        return bool(self._waiting)

    def discard(self, span: ReadableSpan) -> Unfinished | None:
        """The span is in the queue no more; gives what it lacks. One thread at a time."""
        if (waiting := self._waiting.pop(_id(span), None)) is None:
            return None
        self._held -= waiting.size
        return waiting.unfinished

    def taken(self, spans: Sequence[ReadableSpan]) -> Taken:
        """Spans that have left the queue, with what they lack, for `finished`. One thread at a time."""
        return [(span, self.discard(span) if self._waiting else None) for span in spans]


def finished(taken: Taken) -> list[ReadableSpan]:
    """Spans with all that they lacked, as far as it could be made up for; it may take a while."""
    return [_finished(span, unfinished) for span, unfinished in taken]


def finished_by(deadline: float, taken: Taken) -> list[ReadableSpan]:
    """`finished`, as far as it can be done by then: the end of the process waits for no file of ranks to be read."""
    if not any(unfinished for _, unfinished in taken):
        return [span for span, _ in taken]
    done: list[ReadableSpan] = []

    def finish() -> None:
        for span, unfinished in taken:
            done.append(_finished(span, unfinished))

    thread = threading.Thread(target=finish, name="tokentrace-finish", daemon=True)
    thread.start()
    thread.join(max(deadline - time.monotonic(), 0.0))
    so_far = tuple(done)
    return [*so_far, *(span for span, _ in taken[len(so_far) :])]


def _finished(span: ReadableSpan, unfinished: Unfinished | None) -> ReadableSpan:
    if unfinished is None:
        return span
    with quietly("estimating what was not reported"):
        return unfinished(span)
    return span


def _id(span: ReadableSpan) -> int:
    context = span.get_span_context()
    return context.span_id if context is not None else 0
