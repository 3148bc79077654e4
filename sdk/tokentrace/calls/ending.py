"""What a call came to: all that its span says of it once it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokentrace import attributes as name, context
from tokentrace.calls import attempts
from tokentrace.estimation import composition
from tokentrace.estimation.missing import CANCELLED
from tokentrace.guard import note
from tokentrace.integration import EVERY
from tokentrace.providers.hosts import PROXY
from tokentrace.usage import record
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING

if TYPE_CHECKING:
    from tokentrace.calls.meter import Meter

_HTTPS = 443
_MAY_BE_PROXIES = frozenset({"", PROXY})
"""What is known of a host by its name alone."""


def asked(
    operation: str, provider: str, model: str | None, host: str | None, port: int | None, *, is_streamed: bool
) -> dict[str, Any]:
    """What is known before the call, so that even a call that never ends is recorded with it."""
    known: dict[str, Any] = {name.OPERATION: operation, name.PROVIDER: provider}
    if model:
        known[name.REQUEST_MODEL] = model
    if is_streamed:
        known[name.REQUEST_STREAM] = True
    if host:
        known[name.SERVER_ADDRESS] = host
    if port and port != _HTTPS:
        known[name.SERVER_PORT] = port
    if role := context.role.get():
        known[name.ROLE], known[name.ROLE_SOURCE] = role
    return known


class Ending:
    """Looks at a call that is over."""

    __slots__ = ("_call", "_error", "_how", "answered_by", "covered", "facts", "failure", "found", "owed", "usage")

    def __init__(self, call: Meter, how: str | None, error: BaseException | None) -> None:
        self._call = call
        self._how = how
        self._error = error
        tried = call.attempts
        # A call inside this one bears its cost, unless this one sent a request too: then a hook of its made the other.
        self.covered = bool(call.inner) and (call.http is EVERY or not tried)
        self.owed, failure, status = attempts.outcome(tried, call.http, error)
        self.failure = failure or call.seen.error
        self.facts = call.facts if status is None else {**call.facts, "http_status": status}
        """What counting needs to know that no response says."""
        self._count()
        self._describe()

    def _count(self) -> None:
        """Whose dialect the answer speaks, and what it says, and the proxy that may have sent it."""
        call, facts = self._call, self.facts
        # None stands before a host whose provider is known.
        told = self._proxied() if call.known_provider in _MAY_BE_PROXIES else NOTHING
        self.answered_by = answered_by = PROXY if told else call.provider
        self.usage: Usage = call.format.count(call.seen, answered_by, facts)
        self.found = found = record.attributes(call.seen, self.usage, answered_by, facts)
        if told and call.attempts[-1].billable == "true":
            from tokentrace.calls import gateway  # noqa: PLC0415

            passed_on = gateway.passes_on(call.seen.usage, streamed=call.is_streamed)
            found |= gateway.behind(told, call.asked, found, call.hosts, passed_on=passed_on)

    def _proxied(self) -> Mapping[str, str]:
        """What a proxy says of the call; empty where none has answered."""
        call = self._call
        if not call.attempts:
            return NOTHING
        from tokentrace.calls import gateway  # noqa: PLC0415  (most applications ask providers themselves)

        return gateway.said(call.attempts[-1].headers)

    def _describe(self) -> None:
        call, found, tried = self._call, self.found, self._call.attempts
        found[name.USAGE_SCOPE] = "aggregate" if self.covered else call.scope
        if call.prompt and not self.covered:
            try:
                recipient = call.provider, call.asked.get(name.REQUEST_MODEL)
                found |= composition.told(
                    call.prompt, self.usage, found.get(name.INPUT_TOKENS), recipient, call.tracing.sent
                )
            except Exception as error:
                if not note("sharing out a prompt", error):
                    raise
        found[name.ATTEMPTS] = len(tried)
        if tried and (stated := attempts.supply(tried)):
            found |= stated
        if self.owed != "true":
            found[name.BILLABLE] = self.owed
        # The generator of a client that asks only when it is read may fail before there is a stream.
        if call.is_streamed and (call.has_begun or self._error is None):
            self._describe_stream()
        if self.failure is not None:
            found[name.ERROR_TYPE] = self.failure

    def _describe_stream(self) -> None:
        call, found, tried = self._call, self.found, self._call.attempts
        found[name.STREAM_END] = end = self._stream_end()
        if end == "failed" and self.failure is None:
            self.failure = "incomplete_stream"
        if call.first and tried:
            found[name.TIME_TO_FIRST_CHUNK] = (call.first - tried[0].started) / 1e9

    def _stream_end(self) -> str:
        """How the stream ended; one that stops before the answer is over has failed."""
        how, call = self._how, self._call
        if self.failure is not None:
            return how if how == "cancelled" else "failed"
        if call.seen.complete:
            return "complete"
        if not call.first and how != "complete":
            return "unread"
        if how is None:
            return "dropped"
        if how == "complete" and not call.seen.finish:
            return "failed"
        return how

    @property
    def was_left(self) -> bool:
        """Whether a stream did not come to its end, or to that of a response which somebody stopped."""
        return self.found.get(name.STREAM_END) != "complete" or self._call.seen.finish.get(0) == CANCELLED

    @property
    def model(self) -> str:
        """The model that answered, or was asked."""
        return self.found.get(name.RESPONSE_MODEL) or self._call.asked.get(name.REQUEST_MODEL) or ""

    @property
    def may_be_open(self) -> bool:
        """Whether there may be something to count: where nothing was sent, or all was reported, there is not."""
        call, found = self._call, self.found
        # Most whole answers are this; `missing.wanted` says the same of them, and of all others. A stream may be left.
        is_whole = call.scope == "call" and not call.is_streamed and not self.usage.flags
        if is_whole and name.INPUT_TOKENS in found and found.get(name.REASONING_TOKENS):
            return False
        return not self.covered and self.owed != "false" and (self._error is None or bool(call.attempts))
