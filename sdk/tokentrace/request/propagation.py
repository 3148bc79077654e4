"""A request that goes on elsewhere: in another thread, process or service."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Generic, NamedTuple, ParamSpec, Self, TypeVar
from urllib.parse import quote, unquote

from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from tokentrace import above, context
from tokentrace.context import UNTAGGED, Role, Tagged
from tokentrace.guard import quietly
from tokentrace.request.attribution import is_tag
from tokentrace.request.running import as_section
from tokentrace.tracing import Opened

P = ParamSpec("P")
R = TypeVar("R")

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_MEMBERS = 64
"""Tags that are taken from a header, or put into one: as many members as every service has to pass on."""


class _Place(NamedTuple):
    """Where in a request something runs, as plain values that another process can have."""

    trace_id: int
    """0 where there is no request."""
    span_id: int
    flags: int
    own: int
    """Id of our span that this is, or that is around it; 0 where there is none."""
    is_private: bool
    tags: Mapping[str, str]
    role: Role | None

    @classmethod
    def here(cls) -> _Place:
        tags, role = dict(context.attribution.get().attributes), context.role.get()
        if (tracing := context.tracing) is None:
            return cls(0, 0, 0, 0, is_private=False, tags=tags, role=role)
        found = tracing.here()
        return cls(found.trace_id, found.span_id, found.trace_flags, above.own(), tracing.is_private_here(), tags, role)

    def current(self) -> _Stay:
        return _Stay(self)

    def end(self, error: BaseException | None = None) -> None:
        """What goes on elsewhere ends elsewhere."""


class _Stay:
    """What runs inside belongs to a place; afterwards all is what it was."""

    __slots__ = ("_attribution", "_left", "_place", "_role", "_tagged")

    def __init__(self, place: _Place) -> None:
        self._place = place
        self._left: Callable[[], None] | None = None

    def __enter__(self) -> None:
        place = self._place
        self._attribution, self._role = context.attribution.get(), context.role.get()
        self._tagged = Tagged(place.tags, self, UNTAGGED)
        context.attribution.set(self._tagged)
        context.role.set(place.role)
        with quietly("entering a request"):
            if (tracing := context.tracing) is not None and place.trace_id:
                its = SpanContext(place.trace_id, place.span_id, is_remote=True, trace_flags=TraceFlags(place.flags))
                token = above.enter(Opened(NonRecordingSpan(its), place.is_private), place.own)
                self._left = lambda: tracing.leave(token)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # A framework may run the halves of a generator in contexts of their own: then there is nothing to undo.
        if context.attribution.get() is not self._tagged:
            return
        context.attribution.set(self._attribution)
        context.role.set(self._role)
        if self._left is not None:
            self._left()


class _Carried(Generic[P, R]):
    """A function that runs where it was taken from; it can be pickled where the function can."""

    def __init__(self, function: Callable[P, R], place: _Place) -> None:
        self._function = function
        self._place = place

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        place = self._place
        result: R = as_section(lambda _: place)(self._function, None, args, kwargs)
        return result


def carry(function: Callable[P, R], /) -> Callable[P, R]:
    """The function, to be called from another thread or process, as part of the request that runs now.

    For `ThreadPoolExecutor.submit`, `run_in_executor`, `threading.Thread` and process pools, none of which take the
    context along; the other process has to be instrumented too.
    """
    return _Carried(function, _Place.here())


def outgoing(headers: Mapping[str, str] | None = None, /, *, tags: bool = False) -> dict[str, str]:
    """The headers of a request to another service, with the `traceparent` of what runs now.

    With `tags`, those of the request go along as `baggage`: to services of yours, for whoever gets them can read them.
    """
    told = dict(headers or {})
    with quietly("propagating a request"):
        place = _Place.here()
        if place.trace_id:
            # What the application's sampler dropped is not to be sampled elsewhere.
            flags = 0 if place.is_private else place.flags
            told["traceparent"] = f"00-{place.trace_id:032x}-{place.span_id:016x}-{flags:02x}"
        if tags and place.tags:
            members = [f"{key}={quote(value, safe='')}" for key, value in sorted(place.tags.items()) if is_tag(key)]
            own = [told["baggage"]] if told.get("baggage") else []
            told["baggage"] = ",".join([*own, *members[:_MEMBERS]])
    return told


class incoming:  # noqa: N801  (reads as a statement: `with incoming(request.headers):`)
    """What runs inside belongs to the request that another service has sent, by the headers of `outgoing`.

    Where something has made a span for it already, that stays the parent. With `tags`, the tags of the other service
    are taken over: only from services that you trust, for they decide whose cost it is.
    """

    __slots__ = ("_stay", "_tags", "_told")

    def __init__(self, headers: Mapping[str, str], /, *, tags: bool = False) -> None:
        self._told = {key.lower(): value for key, value in headers.items() if key.lower() in {"traceparent", "baggage"}}
        self._tags = tags
        self._stay: list[_Stay] = []

    def __enter__(self) -> Self:
        with quietly("reading the headers of a request"):
            stay = _Stay(self._place())
            stay.__enter__()
            self._stay.append(stay)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._stay:
            with quietly("leaving a request"):
                self._stay.pop().__exit__(kind, error, tb)

    def _place(self) -> _Place:
        here = _Place.here()
        tags = {**here.tags, **(_read(self._told.get("baggage", "")) if self._tags else {})}
        if not here.trace_id and (sent := _TRACEPARENT.fullmatch(self._told.get("traceparent", "").strip())):
            trace, span, flags = (int(each, 16) for each in sent.groups())
            return here._replace(trace_id=trace, span_id=span, flags=flags & 1, own=span, tags=tags)
        return here._replace(trace_id=0, tags=tags)


def _read(baggage: str) -> dict[str, str]:
    """The tags of a header; all else in it is not for us."""
    found: dict[str, str] = {}
    for member in baggage.split(",")[: 4 * _MEMBERS]:
        key, _, value = member.partition(";")[0].partition("=")
        if is_tag(key.strip()) and len(found) < _MEMBERS:
            found[key.strip()] = unquote(value.strip())
    return found
