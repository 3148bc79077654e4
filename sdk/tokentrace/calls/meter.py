"""One call, one span: opened before the call, fed by what passes, closed exactly once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from opentelemetry import context as context_api
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from tokentrace import above, context
from tokentrace.calls import attempts, ending
from tokentrace.calls.course import Course
from tokentrace.calls.ending import Ending
from tokentrace.estimation import composition, missing
from tokentrace.guard import note
from tokentrace.integration import Request
from tokentrace.providers.hosts import providers_at
from tokentrace.tracing import Tracing
from tokentrace.usage.prompt import Piece
from tokentrace.writing import write

if TYPE_CHECKING:
    from tokentrace.delivery.queue import Delivery


class Meter(Course):
    """Meters one call. Everything it does is guarded: the application sees its own call and nothing else."""

    __slots__ = (
        "_began",
        "_claims",
        "_delivery",
        "_entered",
        "_opened",
        "_reset",
        "asked",
        "facts",
        "hosts",
        "http",
        "inner",
        "known_provider",
        "prompt",
        "provider",
        "scope",
        "tracing",
    )

    def __init__(self, request: Request, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        # All at once: to ask a tuple for a field by its name takes longer than to have it all.
        named, operation, model, fmt, host, port, stream, scope, http, facts, body, reads_body, inside, is_hidden = (
            request
        )
        # Without a delivery of ours there is nobody who could count.
        counts = tracing.delivery is not None and scope != "aggregate"
        super().__init__(fmt, missing.Kept() if counts else None, reads_body=reads_body)
        self.http = http
        self.inner = 0
        self.scope = scope
        self.tracing = tracing
        self.hosts = hosts
        self.facts = facts
        # Popping is atomic: whoever takes the only claim, from whatever thread, ends the span.
        self._claims = [None]
        self._delivery: Delivery | None = None
        self.provider, self.known_provider = providers_at(host, port, named, hosts)
        """Who answers; and what is known of that by the host alone, empty where that is nothing."""
        self.prompt: Sequence[Piece] = ()
        # Now, for the application may go on with its list of messages before the answer is there.
        try:
            if scope == "call" and body is not None:
                self.prompt = composition.pieces(fmt, body)
        except Exception as error:
            if not note("looking at a prompt", error):
                raise
        self.asked = ending.asked(operation, self.provider, model, host, port, is_streamed=stream)
        title = f"{operation} {model}" if model else operation
        self._began = time.time_ns()
        parent = None if inside is None else inside.span.opened
        self._opened = tracing.start(title, SpanKind.CLIENT, self.asked, is_hidden=is_hidden, parent=parent)

    def __enter__(self) -> Self:
        if (outer := context.metering.get()) is not None:
            outer.inner += 1
        self._reset = context.metering.set(self)
        self._entered = above.enter(self._opened)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.leave()
        if error is not None or not self.is_streamed:
            self.end(None, error)

    def enter(self) -> None:
        """What runs now is part of the call."""
        self._reset = context.metering.set(self)
        self._entered = above.enter(self._opened)

    def leave(self) -> None:
        """What runs now is the application again."""
        try:
            context.metering.reset(self._reset)
        except ValueError:
            # A coroutine that is thrown away ends in the context of whoever does it; its own is gone.
            return
        context_api.detach(self._entered)

    def follow(self) -> None:
        """The answer is still to come."""
        super().follow()
        self.tracing.follow(self)

    def end(self, how: str | None, error: BaseException | None = None) -> None:
        """Close the span: read to the end, failed, or left (`how` None where nobody said how)."""
        try:
            self._claims.pop()
        except IndexError:
            return
        if self.is_streamed:
            self.tracing.open.discard(self)
        span = self._opened.span
        try:
            self.finish(how)
            self._describe(span, Ending(self, how, error))
        except Exception as failed:
            if not note("describing a call", failed):
                raise
        try:
            span.end(self.last or None)
            if self._delivery is not None:
                self._delivery.forget(span.get_span_context().span_id)
        except Exception as failed:
            if not note("ending a span", failed):
                raise
        # An event loop keeps the context in which a connection was opened, and us with it, as long as that lives.
        self.http = None
        self.prompt = ()
        self._whole = self._parts = self.kept = None

    def forget(self) -> None:
        """The call is that of another process, whose span it ends."""
        self._claims.clear()

    def _describe(self, span: Span, ended: Ending) -> None:
        write(span, ended.found)
        if ended.failure is not None:
            span.set_status(Status(StatusCode.ERROR, ended.failure))
        # One request that went well is said by the count of attempts; events tell what more happened.
        if len(self.attempts) > 1 or ended.failure is not None:
            attempts.note(self.attempts, span, ended.usage)
        is_open = self.kept is not None and ended.may_be_open and self._hand_over(span, ended)
        metrics = self.tracing.metrics
        if metrics.is_heard:
            until = self.last or time.time_ns()
            metrics.record({**self.asked, **ended.found}, (until - self._began) / 1e9, is_open=is_open)

    def _hand_over(self, span: Span, ended: Ending) -> bool:
        """Whether something was not reported, which the delivery is then to estimate."""
        if self.kept is None or (delivery := self.tracing.delivery) is None:
            return False
        model, seen, fmt = ended.model, self.seen, self.format
        if self.scope == "call":
            wanted = missing.wanted(
                ended.usage,
                seen,
                model,
                fmt,
                has_prompt=bool(self.prompt),
                was_left=self.is_streamed and ended.was_left,
            )
        else:
            wanted = missing.delivered(seen, fmt)
        if wanted is None:
            return False
        answer = missing.Answer(self.format, self.kept, self.framing, is_ours=self.reads_body)
        owed = None if ended.owed == "true" else ended.owed
        unsettled = attempts.unsettled(self.attempts)
        call = missing.Asked(ended.answered_by, model, ended.facts, self.prompt, owed, unsettled)
        self._delivery = delivery
        lacking = missing.Missing(wanted, self.seen, answer, call, self.tracing.metrics)
        delivery.expect(span.get_span_context().span_id, lacking)
        return True
