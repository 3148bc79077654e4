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
from tokentrace.calls.writing import write
from tokentrace.estimation import composition, missing
from tokentrace.guard import note
from tokentrace.integration import Request
from tokentrace.providers.hosts import provider_at
from tokentrace.tracing import Tracing
from tokentrace.usage.prompt import Piece

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
        # Without a delivery of ours there is nobody who could count.
        counts = tracing.delivery is not None and request.scope != "aggregate"
        super().__init__(request, missing.Kept() if counts else None)
        self.http = request.http
        self.inner = 0
        self.scope = request.scope
        self.tracing = tracing
        self.hosts = hosts
        self.facts = request.facts
        # Popping is atomic: whoever takes the only claim, from whatever thread, ends the span.
        self._claims = [None]
        self._delivery: Delivery | None = None
        self.provider = provider_at(request.host, request.port, request.provider, hosts)
        self.known_provider = provider_at(request.host, request.port, "", hosts)
        """The provider by its host alone; empty where nothing is known of that."""
        self.prompt: Sequence[Piece] = ()
        # Now, for the application may go on with its list of messages before the answer is there.
        try:
            self.prompt = composition.pieces(request)
        except Exception as error:
            if not note("looking at a prompt", error):
                raise
        self.asked = ending.asked(request, self.provider)
        title = f"{request.operation} {request.model}" if request.model else request.operation
        self._began = time.time_ns()
        parent = None if request.inside is None else request.inside.span.opened
        self._opened = tracing.start(title, SpanKind.CLIENT, self.asked, is_hidden=request.is_hidden, parent=parent)

    def __enter__(self) -> Self:
        if (outer := context.metering.get()) is not None:
            outer.inner += 1
        self.enter()
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
        self.tracing.open.discard(self)
        span = self._opened.span
        try:
            self.finish(how)
            self._describe(span, Ending(self, how, error))
        except Exception as failed:
            if not note("describing a call", failed):
                raise
        try:
            span.end(self.last if self.is_streamed and self.last else None)
            if self._delivery is not None:
                self._delivery.forget(span.get_span_context().span_id)
        except Exception as failed:
            if not note("ending a span", failed):
                raise
        # An event loop keeps the context in which a connection was opened, and us with it, as long as that lives.
        self.http = None
        self.prompt = ()
        self.release()

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
        is_open = ended.may_be_open and self._hand_over(span, ended)
        metrics = self.tracing.metrics
        if metrics.is_heard:
            until = self.last if self.is_streamed and self.last else time.time_ns()
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
