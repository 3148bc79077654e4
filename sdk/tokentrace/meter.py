"""One call, one span: opened before the call, fed by what passes, closed exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from inspect import isasyncgen, isgenerator
from types import TracebackType
from typing import Any, Self

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from tokentrace import attempts, attributes as name, composition, context, estimates, gateway, record
from tokentrace.attempts import FIRST_ERROR, Attempt
from tokentrace.body import Body, read_result, read_whole
from tokentrace.delivery import Delivery
from tokentrace.estimates import MEASURED, Kept
from tokentrace.guard import note, quietly
from tokentrace.hosts import provider_at
from tokentrace.integration import EVERY, Request, Tap
from tokentrace.prompt import Piece
from tokentrace.reading import NOTHING, Reading
from tokentrace.sieve import AsyncSiftedByteTap, SiftedByteTap
from tokentrace.tap import AsyncByteTap, AsyncPartTap, ByteTap, Listener, PartTap
from tokentrace.tracing import Tracing
from tokentrace.usage import Usage

_HTTPS = 443

_TAPS: Mapping[tuple[bool, bool], Callable[[Any, Listener], Any]] = {
    (False, False): ByteTap,
    (False, True): AsyncByteTap,
    (True, False): SiftedByteTap,
    (True, True): AsyncSiftedByteTap,
}
"""By whether the stream is sifted, and whether it is awaited."""


class Meter:
    """Meters one call. Everything it does is guarded: the application sees its own call and nothing else."""

    __slots__ = (
        "_asked",
        "_attempts",
        "_began",
        "_body",
        "_claims",
        "_delivery",
        "_entered",
        "_first",
        "_framing",
        "_hosts",
        "_kept",
        "_last",
        "_opened",
        "_outer",
        "_parts",
        "_provider",
        "_read",
        "_reads_body",
        "_received",
        "_request_facts",
        "_reset",
        "_scope",
        "_seen",
        "_streaming",
        "_tracing",
        "_whole",
        "format",
        "http",
        "inner",
        "known_provider",
        "prompt",
        "sifts",
    )

    def __init__(self, request: Request, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        self.http = request.http
        self.inner = 0
        self.format = request.format
        self._reads_body = request.reads_body
        self._request_facts = request.facts
        self._scope = request.scope
        self._tracing = tracing
        self._seen = Reading()
        self._attempts: list[Attempt] = []
        self._received = False
        self._whole: Any = None
        self._body: Body | None = None
        self._read: Callable[[Any], None] = self._read_parsed
        self._streaming = False
        self._first = self._last = 0
        # Popping is atomic: whoever takes the only claim, from whatever thread, ends the span.
        self._claims = [None]
        self._hosts = hosts
        self._provider = provider_at(request.host, request.port, request.provider, hosts)
        self.known_provider = provider_at(request.host, request.port, "", hosts)
        """The provider by its host alone; empty where nothing is known of that."""
        # Without a delivery of ours there is nobody who could count.
        counts = tracing.delivery is not None and request.scope == "call"
        self._kept = Kept() if counts else None
        self._parts = self._kept.parts if self._kept is not None and request.format.say is not None else None
        self._framing: Mapping[str, str] | None = None
        self._delivery: Delivery | None = None
        self.sifts = False
        """Whether the usage of a stream is kept from the application, which has not asked for it."""
        title = f"{request.operation} {request.model}" if request.model else request.operation
        self.prompt: Sequence[Piece] = ()
        # Now, for the application may go on with its list of messages before the answer is there.
        with quietly("looking at a prompt"):
            self.prompt = composition.pieces(request)
        self._asked = _asked(request, self._provider)
        self._began = time.time_ns()
        self._opened = tracing.start(title, SpanKind.CLIENT, self._asked, is_hidden=request.is_hidden)

    def __enter__(self) -> Self:
        if (outer := context.metering.get()) is not None:
            outer.inner += 1
        self.enter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.leave()
        if error is not None or not self._streaming:
            self.end(None, error)

    def enter(self) -> None:
        """What runs now is part of the call."""
        self._reset = context.metering.set(self)
        self._entered = self._tracing.enter(self._opened)

    def leave(self) -> None:
        """What runs now is the application again."""
        try:
            context.metering.reset(self._reset)
        except ValueError:
            # A coroutine that is thrown away ends in the context of whoever does it; its own is gone.
            return
        self._tracing.leave(self._entered)

    def attempt(self) -> Attempt:
        """A new HTTP request begins."""
        attempt = Attempt(time.time_ns())
        self._attempts.append(attempt)
        return attempt

    def resend(self) -> Attempt:
        """A function beneath an attempt sends: where it has done so before, that was another attempt."""
        if not self._attempts:
            return self.attempt()
        attempt = self._attempts[-1]
        if attempt.ended:
            # Whoever holds the attempt goes on to tell how it ends.
            self._attempts.insert(-1, replace(attempt))
            attempt.begin_again()
        return attempt

    def receive(self, response: Any, *, streamed: bool, awaited: bool) -> None:
        """The response of an HTTP request through httpx or httpx2, whole or about to be streamed."""
        if response.status_code >= FIRST_ERROR or not self._reads_body:
            return
        self._received = True
        # A transport may have the whole body at once, as those of tests do; then nothing of it is ever streamed.
        if streamed and not hasattr(response, "_content"):
            self._body = Body(response.headers, self.format, self._seen)
            self._read = self._body.feed
            self._framing = response.headers
            sifts = self.sifts and not response.headers.get("content-encoding")
            response.stream = _TAPS[sifts, awaited](response.stream, self)
            self._follow()
        else:
            # Of a stream we keep no response: it holds the tap, the tap holds us, and a circle would keep the
            # connection of a dropped stream open until the garbage collector comes by.
            self._whole = response

    def receive_kept(self, content: bytes | None) -> None:
        """The whole body of an answer, where its library keeps it; else its result is read."""
        if content is not None and self._reads_body:
            read_whole(content, self.format, self._seen)
            self._received = True
            self._keep(content)

    def hand_back(self, result: Any, tap: Tap | None = None) -> Any:
        """The result for the application: untouched, or tapped where its parts are still to come."""
        if tap is not None:
            with quietly("tapping a result"):
                if (tapped := tap(result, self)) is not None:
                    self._follow()
                    return tapped
        if self._received:
            return result
        if isgenerator(result) or isasyncgen(result):
            self._follow()
            return (PartTap if isgenerator(result) else AsyncPartTap)(result, self)
        with quietly("reading a response"):
            read_result(result, self.format, self._seen, as_it_is=not self._reads_body)
            self._keep(result)
        return result

    def _follow(self) -> None:
        """The answer is still to come."""
        self._streaming = True
        self._tracing.follow(self)

    def part(self, part: Any) -> None:
        """A piece of a streamed answer: bytes of a body, or a parsed part."""
        self._last = time.time_ns()
        if not self._first:
            self._first = self._last
        # Once for every chunk, so that it does without the cost of a `with`, and says only once what goes wrong.
        try:
            self._read(part)
            if (parts := self._parts) is not None:
                parts.append(part)
                if not len(parts) & MEASURED and self._kept is not None:
                    self._kept.measure()
        except Exception as error:
            self._read = _ignore
            if not note("reading a stream", error):
                raise

    def _read_parsed(self, part: Any) -> None:
        self.format.read(part, self._seen)

    def _keep(self, answer: Any) -> None:
        if self._parts is not None:
            self._parts.append(answer)

    def end(self, how: str | None, error: BaseException | None = None) -> None:
        """Close the span: read to the end, failed, or left (`how` None where nobody said how)."""
        try:
            self._claims.pop()
        except IndexError:
            return
        self._tracing.open.discard(self)
        span = self._opened.span
        with quietly("describing a call"):
            if self._body is not None:
                self._body.end(is_whole=how == "complete")
            elif self._whole is not None:
                read_whole(self._whole.content, self.format, self._seen)
                self._keep(self._whole.content)
            self._describe(span, how, error)
        with quietly("ending a span"):
            span.end(self._last if self._streaming and self._last else None)
            if self._delivery is not None:
                self._delivery.forget(span.get_span_context().span_id)
        # An event loop keeps the context in which a connection was opened, and us with it, as long as that lives.
        self.http = self._whole = self._parts = self._kept = None
        self.prompt = ()

    def forget(self) -> None:
        """The call is that of another process, whose span it ends."""
        self._claims.clear()

    def _describe(self, span: Span, how: str | None, error: BaseException | None) -> None:
        answered_by, usage, found = self._counted()
        # A call inside this one bears its cost, unless this one sent a request too: then a hook of its made the other.
        covered = self.inner and (self.http is EVERY or not self._attempts)
        found[name.USAGE_SCOPE] = "aggregate" if covered else self._scope
        if self.prompt and not covered:
            with quietly("sharing out a prompt"):
                found |= self._composed(usage)
        found[name.ATTEMPTS] = len(self._attempts)
        found |= attempts.supply(self._attempts) if self._attempts else {}
        owed = "true" if self.http is None else attempts.owed(self._attempts, self.http, error)
        if owed != "true":
            found[name.BILLABLE] = owed
        failure = attempts.failure(self._attempts, error) or self._seen.error
        # The generator of a client that asks only when it is read may fail before there is a stream.
        if self._streaming and (self._first or self._body is not None or error is None):
            found[name.STREAM_END] = end = self._stream_end(how, failed=failure is not None)
            if end == "failed" and failure is None:
                failure = "incomplete_stream"
            if self._first and self._attempts:
                found[name.TIME_TO_FIRST_CHUNK] = (self._first - self._attempts[0].started) / 1e9
        if failure is not None:
            found[name.ERROR_TYPE] = failure
            span.set_status(Status(StatusCode.ERROR, failure))
        span.set_attributes(found)
        # One request that went well is said by the count of attempts; events tell what more happened.
        if len(self._attempts) > 1 or failure is not None:
            attempts.note(self._attempts, span)
        until = self._last if self._streaming and self._last else time.time_ns()
        # Where nothing was sent there is nothing to count.
        is_open = not covered and owed != "false" and (error is None or bool(self._attempts))
        model = found.get(name.RESPONSE_MODEL) or self._asked.get(name.REQUEST_MODEL) or ""
        is_open = is_open and self._hand_over(span, usage, answered_by, model, owed)
        self._tracing.metrics.record({**self._asked, **found}, (until - self._began) / 1e9, is_open=is_open)

    def _hand_over(self, span: Span, usage: Usage, answered_by: str, model: str, owed: str) -> bool:
        """Whether something was not reported, which the delivery is then to estimate."""
        if self._kept is None or (delivery := self._tracing.delivery) is None:
            return False
        wanted = estimates.wanted(usage, self._seen, model, self.format, has_prompt=bool(self.prompt))
        if wanted is None:
            return False
        answer = estimates.Answer(self.format, self._kept, self._framing, is_ours=self._reads_body)
        call = estimates.Asked(answered_by, model, self._facts(), self.prompt, None if owed == "true" else owed)
        self._delivery = delivery
        delivery.expect(
            span.get_span_context().span_id,
            estimates.Estimate(wanted, self._seen, answer, call, self._tracing.metrics),
        )
        return True

    def _counted(self) -> tuple[str, Usage, dict[str, Any]]:
        """Whose dialect the answer speaks, and what it says, and the proxy that may have sent it."""
        facts, last = self._facts(), self._attempts[-1] if self._attempts else None
        # No proxy stands before a host whose provider is known.
        may_be_passed_on = last is not None and self.known_provider in {"", gateway.PROXY}
        told = gateway.said(last.headers) if last is not None and may_be_passed_on else NOTHING
        answered_by = gateway.PROXY if told else self._provider
        usage = self.format.count(self._seen, answered_by, facts)
        found = record.attributes(self._seen, usage, answered_by, facts)
        if told and last is not None and last.billable == "true":
            passed_on = gateway.passes_on(self._seen.usage, streamed=self._streaming)
            found |= gateway.behind(told, self._asked, found, self._hosts, passed_on=passed_on)
        return answered_by, usage, found

    def _composed(self, usage: Usage) -> dict[str, Any]:
        shares = composition.shared(self.prompt, usage)
        if not shares:
            return {}
        recipient = self._provider, self._asked.get(name.REQUEST_MODEL)
        return composition.attributes(self.prompt, shares, self._tracing.sent.repeated(recipient, self.prompt))

    def _stream_end(self, how: str | None, *, failed: bool) -> str:
        """How the stream ended; one that stops before the answer is over has failed."""
        if failed:
            return how if how == "cancelled" else "failed"
        if self._seen.complete:
            return "complete"
        if not self._first and how != "complete":
            return "unread"
        if how is None:
            return "dropped"
        if how == "complete" and not self._seen.finish:
            return "failed"
        return how

    def _facts(self) -> dict[str, Any]:
        """What counting needs to know that no response says."""
        status = self._attempts[-1].status if self._attempts else None
        return {**self._request_facts} if status is None else {**self._request_facts, "http_status": status}


def _ignore(part: Any) -> None:
    """Takes the rest of a stream that cannot be read."""


def _asked(request: Request, provider: str) -> dict[str, Any]:
    """What is known before the call, so that even a call that never ends is recorded with it."""
    asked: dict[str, Any] = {name.OPERATION: request.operation, name.PROVIDER: provider}
    if request.model:
        asked[name.REQUEST_MODEL] = request.model
    if request.stream:
        asked[name.REQUEST_STREAM] = True
    if request.host:
        asked[name.SERVER_ADDRESS] = request.host
    if request.port and request.port != _HTTPS:
        asked[name.SERVER_PORT] = request.port
    if role := context.role.get():
        asked[name.ROLE], asked[name.ROLE_SOURCE] = role
    return asked
