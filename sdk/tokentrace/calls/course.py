"""What passes while a call is under way: its attempts, its answer, the parts of a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import isasyncgen, isgenerator
from typing import TYPE_CHECKING, Any

from tokentrace.calls.attempts import FIRST_ERROR, Attempt
from tokentrace.estimation.missing import MEASURED, Kept
from tokentrace.guard import note, quietly
from tokentrace.integration import Tap
from tokentrace.streams.body import Body, read_result, read_whole
from tokentrace.streams.tap import AsyncByteTap, AsyncPartTap, ByteTap, Listener, PartTap
from tokentrace.usage.reading import Format, Reading


class Course:
    """Notes what passes. Whoever makes it a call says how it begins and ends."""

    __slots__ = (
        "_body",
        "_feed",
        "_parts",
        "_received",
        "_whole",
        "attempts",
        "first",
        "format",
        "framing",
        "is_streamed",
        "kept",
        "last",
        "reads_body",
        "seen",
        "sifts",
    )

    def __init__(self, fmt: Format, kept: Kept | None, *, reads_body: bool) -> None:
        self.format = fmt
        self.reads_body = reads_body
        self.seen = Reading()
        self.attempts: list[Attempt] = []
        self.is_streamed = False
        """Whether the answer comes, or came, after the call had returned."""
        self.first = self.last = 0
        """When the parts of it came."""
        self.kept = kept
        """Parts of the answer, for whoever may have to count them; None where there is nobody."""
        self.framing: Mapping[str, str] | None = None
        """The headers of a body that comes in pieces."""
        self.sifts = False
        """Whether the usage of a stream is kept from the application, which has not asked for it."""
        self._parts = kept.parts if kept is not None and fmt.say is not None else None
        self._received = False
        self._whole: Any = None
        self._body: Body | None = None
        # Not a method of this object: in a circle, all of the answer would wait for the garbage collector.
        self._feed: Callable[[Any], None] | None = None

    if TYPE_CHECKING:
        # Of whoever makes it a call: what a tap tells it.
        def enter(self) -> None: ...

        def leave(self) -> None: ...

        def end(self, how: str | None, error: BaseException | None = None) -> None: ...

    @property
    def has_begun(self) -> bool:
        """Whether there is a stream, of which something may have come."""
        return self.first > 0 or self._body is not None

    def follow(self) -> None:
        """The answer is still to come."""
        self.is_streamed = True

    def attempt(self) -> Attempt:
        """A new HTTP request begins."""
        attempt = Attempt(time.time_ns())
        self.attempts.append(attempt)
        return attempt

    def resend(self) -> Attempt:
        """A function beneath an attempt sends: where it has done so before, that was another attempt."""
        if not self.attempts:
            return self.attempt()
        attempt = self.attempts[-1]
        if attempt.ended:
            # Whoever holds the attempt goes on to tell how it ends.
            self.attempts.insert(-1, replace(attempt))
            attempt.begin_again()
        return attempt

    def receive(self, response: Any, *, streamed: bool, awaited: bool) -> None:
        """The response of an HTTP request through httpx or httpx2, whole or about to be streamed."""
        if response.status_code >= FIRST_ERROR or not self.reads_body:
            return
        self._received = True
        # A transport may have the whole body at once, as those of tests do; then nothing of it is ever streamed.
        if streamed and not hasattr(response, "_content"):
            self._body = Body(response.headers, self.format, self.seen)
            self._feed = self._body.feed
            self.framing = response.headers
            sifts = self.sifts and not response.headers.get("content-encoding")
            response.stream = _tap(sifts=sifts, awaited=awaited)(response.stream, self)
            self.follow()
        else:
            # Of a stream we keep no response: it holds the tap, the tap holds us, and a circle would keep the
            # connection of a dropped stream open until the garbage collector comes by.
            self._whole = response

    def receive_kept(self, content: bytes | None) -> None:
        """The whole body of an answer, where its library keeps it; else its result is read."""
        if content is not None and self.reads_body:
            read_whole(content, self.format, self.seen)
            self._received = True
            self._keep(content)

    def hand_back(self, result: Any, tap: Tap | None = None) -> Any:
        """The result for the application: untouched, or tapped where its parts are still to come."""
        if tap is not None:
            with quietly("tapping a result"):
                if (tapped := tap(result, self)) is not None:
                    self.follow()
                    return tapped
        if self._received:
            return result
        if isgenerator(result) or isasyncgen(result):
            self.follow()
            return (PartTap if isgenerator(result) else AsyncPartTap)(result, self)
        with quietly("reading a response"):
            read_result(result, self.format, self.seen, as_it_is=not self.reads_body)
            self._keep(result)
        return result

    def part(self, part: Any) -> None:
        """A piece of a streamed answer: bytes of a body, or a parsed part."""
        self.last = time.time_ns()
        if not self.first:
            self.first = self.last
        # Once for every chunk, so that it does without the cost of a `with`, and says only once what goes wrong.
        try:
            if (feed := self._feed) is not None:
                feed(part)
            else:
                self.format.read(part, self.seen)
            if (parts := self._parts) is not None:
                parts.append(part)
                if not len(parts) & MEASURED and self.kept is not None:
                    self.kept.measure()
        except Exception as error:
            self._feed = _ignore
            if not note("reading a stream", error):
                raise

    def finish(self, how: str | None) -> None:
        """The answer is over, or the application has left it: read what is still to be read."""
        if self._body is not None:
            self._body.end(is_whole=how == "complete")
        elif self._whole is not None:
            content = self._whole.content
            read_whole(content, self.format, self.seen)
            if self._parts is not None:
                self._parts.append(content)

    def _keep(self, answer: Any) -> None:
        if self._parts is not None:
            self._parts.append(answer)


def _tap(*, sifts: bool, awaited: bool) -> Callable[[Any, Listener], Any]:
    if sifts:
        # Only where `stream_usage` is on.
        from tokentrace.streams.sieve import AsyncSiftedByteTap, SiftedByteTap  # noqa: PLC0415

        return AsyncSiftedByteTap if awaited else SiftedByteTap
    return AsyncByteTap if awaited else ByteTap


def _ignore(part: Any) -> None:
    """Takes the rest of a stream that cannot be read."""
