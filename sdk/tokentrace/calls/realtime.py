"""Sessions that stay open, as over a websocket: every call that is billed in one is a span of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary, finalize

from tokentrace import context
from tokentrace.calls.meter import Meter
from tokentrace.guard import quietly
from tokentrace.integration import Call, Message, Request, SessionSeam, Turn
from tokentrace.tracing import Tracing

Wrapper = Callable[[Any, Any, Any, Any], Any]


class Spoken(Meter):
    """Meters one call of a session: no function makes it, its parts come as messages."""

    __slots__ = ()

    def __init__(self, request: Request, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        super().__init__(request, tracing, hosts)
        self.follow()
        if (outer := context.metering.get()) is not None:
            outer.inner += 1


class Session:
    """The calls of one session that are not over yet."""

    __slots__ = ("_calls", "_hosts", "_notes", "_request", "tracing")

    def __init__(self, request: Request, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        self._request = request
        self._hosts = hosts
        self._notes: dict[str, Any] = {}
        self._calls: dict[str, Spoken] = {}
        self.tracing = tracing

    def message(self, content: Any) -> Message:
        """A message of this session."""
        return Message(content, self._request, self._notes)

    def hear(self, turn: Turn) -> None:
        """Note what a message says of a call, which begins with the first and ends with the last of them."""
        call = self._calls.get(turn.key)
        if call is None:
            call = self._calls[turn.key] = Spoken(turn.request, self.tracing, self._hosts)
        call.part(turn.part)
        if turn.is_over:
            self._calls.pop(turn.key, None)
            call.end("complete")

    def end(self, how: str | None, error: BaseException | None = None) -> None:
        """Nothing more comes: end what is still open, with what is known of it."""
        for key in list(self._calls):
            if (call := self._calls.pop(key, None)) is not None:
                call.end(how, error)


# By the application's own object, which is left as it is.
_sessions: WeakKeyDictionary[Any, Session] = WeakKeyDictionary()


def follow(seam: SessionSeam, tracing: Tracing, hosts: Mapping[str, str]) -> Wrapper:
    """The wrapper that meters the calls of a session, or has a part in it."""
    follower = _Follower(seam, tracing, hosts)

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            result = wrapped(*args, **kwargs)
        except Exception as error:
            follower.broke(instance, error)
            raise
        follower.passed(Call(instance, args, kwargs), result)
        return result

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        try:
            result = await wrapped(*args, **kwargs)
        except Exception as error:
            follower.broke(instance, error)
            raise
        follower.passed(Call(instance, args, kwargs), result)
        return result

    return awaited if seam.awaited else called


class _Follower:
    """What a seam notes of the sessions that pass it."""

    __slots__ = ("_hosts", "_seam", "_tracing")

    def __init__(self, seam: SessionSeam, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        self._seam = seam
        self._tracing = tracing
        self._hosts = hosts

    def passed(self, call: Call, result: Any) -> None:
        """The function has done what it does."""
        if not self._tracing.is_open:
            return
        with quietly("following a session"):
            if self._seam.closes:
                _end(call.instance, "closed")
            elif self._seam.follow is None:
                self._open(call.instance if result is None else result, call)
            elif (session := self._session(call)) and (turn := self._seam.follow(session.message(result))):
                session.hear(turn)

    def broke(self, instance: Any, error: Exception) -> None:
        """The function has raised: where that is the end of the session, of its calls too."""
        with quietly("noting the end of a session"):
            if self._seam.closes or any(kind.__name__ in self._seam.losses for kind in type(error).__mro__):
                _end(instance, "failed", error)

    def _open(self, session: Any, call: Call) -> Session | None:
        request = self._seam.describe(call) if self._seam.describe is not None else None
        if request is None:
            return None
        _sessions[session] = begun = Session(request, self._tracing, self._hosts)
        # At the end of the process too, while there still is somebody to deliver it.
        finalize(session, begun.end, None)
        return begun

    def _session(self, call: Call) -> Session | None:
        session = _sessions.get(call.instance)
        # One that an earlier `instrument` has seen open delivers to nobody any more.
        return session if session is not None and session.tracing is self._tracing else self._open(call.instance, call)


def _end(instance: Any, how: str, error: BaseException | None = None) -> None:
    if (session := _sessions.get(instance)) is not None:
        session.end(how, error)
