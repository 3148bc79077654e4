"""A section of a request: a workflow, an agent, a step, a tool, …; calls beneath belong to it and have its role."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from opentelemetry import context as context_api
from opentelemetry.trace import SpanKind, Status, StatusCode

from tokentrace import attributes as name, context
from tokentrace.context import UNTAGGED, Role, Tagged
from tokentrace.guard import quietly
from tokentrace.kinds import CONVENTIONS, Kind, described
from tokentrace.tracing import Opened, Tracing


class _Span:
    """The span of a section, which ends once: what is held until the process ends, should nobody end it."""

    __slots__ = ("_claims", "opened", "tracing")

    def __init__(self, opened: Opened, tracing: Tracing) -> None:
        self.opened = opened
        self.tracing = tracing
        # Popping is atomic: whoever takes the only claim, from whatever thread, ends the span.
        self._claims = [None]

    @property
    def is_open(self) -> bool:
        return bool(self._claims)

    def end(self, error: BaseException | None) -> None:
        if not self.forget():
            return
        span = self.opened.span
        # Who closes a generator before its end has what was wanted.
        if error is not None and not isinstance(error, GeneratorExit):
            kind = type(error).__qualname__
            span.set_attribute(name.ERROR_TYPE, kind)
            span.set_status(Status(StatusCode.ERROR, kind))
        span.end()

    def forget(self) -> bool:
        """Whether it was open until now."""
        try:
            self._claims.pop()
        except IndexError:
            return False
        self.tracing.open.discard(self)
        return True


class Entry:
    """One stay inside a section, of one thread or task."""

    __slots__ = ("_around", "_attribution", "_mark", "_otel", "_role", "is_left", "section")

    def __init__(self, section: Section) -> None:
        self.section = section
        self.is_left = False
        self._around = context.entry.get()
        self._role = context.role.get()
        self._attribution = context.attribution.get()
        self._otel = context_api.get_current()
        section.span.tracing.enter(section.span.opened)
        context.role.set(section.role)
        context.attribution.set(section.attribution)
        self._mark = context.entry.set(self)

    def leave(self) -> None:
        """What runs now is what ran before."""
        self.is_left = True
        # A framework may tell of two ends in the wrong order: the outer one is then left with the inner one.
        while (entry := context.entry.get()) is not None and entry.is_left:
            try:
                context.entry.reset(entry._mark)  # noqa: SLF001
            except (ValueError, RuntimeError):
                if entry is not self:
                    # Left where this context was copied from: what goes on here is still inside.
                    return
                # A generator may be read in another copy of its context each time.
                context.entry.set(self._around)
            entry._restore()  # noqa: SLF001

    def _restore(self) -> None:
        context.role.set(self._role)
        if context.attribution.get() is self.section.attribution:
            context.attribution.set(self._attribution)
        context_api.attach(self._otel)


class Section:
    """A section that has begun. It ends once: at its `end`, when nobody holds it any more, or with the process."""

    __slots__ = ("above", "attribution", "role", "signals", "span")

    def __init__(self, span: _Span, above: Section | None, role: Role | None, attribution: Tagged) -> None:
        self.span = span
        self.above = above
        self.role = role
        """What calls inside are for, its own or that of a section around it."""
        self.attribution = attribution
        self.signals: tuple[str, ...] = ()
        """Names of the classes of what is raised in it and is no error."""

    def end(self, error: BaseException | None = None) -> None:
        """It is over, by an error or without one; from whatever thread, and only the first time."""
        with quietly("ending a section"):
            is_signal = not {each.__name__ for each in type(error).__mro__}.isdisjoint(self.signals)
            self.span.end(None if is_signal else error)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add what is known only later."""
        with quietly("describing a section"):
            self.span.opened.span.set_attributes(attributes)

    def rename(self, title: str, kind: Kind) -> None:
        """Call it by what is known only later."""
        with quietly("naming a section"):
            span = self.span.opened.span
            span.update_name(title)
            span.set_attributes(described(kind, title))

    def enter(self) -> Entry | None:
        """What runs from now on, in this thread or task, is inside; until the entry is left."""
        with quietly("entering a section"):
            return Entry(self)
        return None

    def current(self) -> Inside:
        """What runs within `with section.current():` is inside."""
        return Inside(self)

    def is_below(self, other: Section) -> bool:
        """Whether it is the other one, or somewhere inside of it."""
        section: Section | None = self
        while section is not None and section is not other:
            section = section.above
        return section is not None

    def __del__(self) -> None:
        self.end()


class Inside:
    """`with` for a stay inside a section."""

    __slots__ = ("_entry", "_section")

    def __init__(self, section: Section) -> None:
        self._section = section

    def __enter__(self) -> Section:
        self._entry = self._section.enter()
        return self._section

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._entry is not None:
            with quietly("leaving a section"):
                self._entry.leave()


def entered() -> Entry | None:
    """The innermost stay of the code that is running now."""
    return context.entry.get()


def innermost() -> Section | None:
    """The section that the code is inside of which is running now."""
    entry = context.entry.get()
    return None if entry is None else entry.section


def begin(
    title: str,
    kind: Kind,
    *,
    parent: Section | None = None,
    role: str | None = None,
    is_told: bool = False,
    attributes: Mapping[str, Any] | None = None,
) -> Section | None:
    """A section of the request, not yet entered; None where the process is not instrumented.

    It belongs to the section that is running, or to `parent` where that is not running in this thread or task: then it
    has the tags and the role of the parent. `role` is that of the calls inside; by a person (`is_told`) or a framework.
    """
    if (tracing := context.tracing) is None:
        return None
    with quietly("beginning a section"):
        above = innermost()
        away = None
        if parent is not None and not (above is not None and above.span.is_open and above.is_below(parent)):
            above = away = parent
        own = _role(kind, role, is_told=is_told)
        attribution = context.attribution.get() if away is None else _inherited(away)
        told = {**described(kind, title), **(attributes or {})}
        if own is not None:
            told |= {name.ROLE: own.name, name.ROLE_SOURCE: own.source}
        opened = tracing.start(
            title,
            SpanKind.INTERNAL,
            told,
            parent=None if away is None else away.span.opened,
            attribution=context.tags(attribution),
        )
        span = _Span(opened, tracing)
        tracing.follow(span)
        around = context.role.get() if away is None else away.role
        return Section(span, above, own or around, attribution)
    return None


def _role(kind: Kind, role: str | None, *, is_told: bool) -> Role | None:
    if role is not None:
        return Role(role, "explicit" if is_told else "framework")
    usual = CONVENTIONS[kind].role
    return None if usual is None else Role(usual, "framework")


def _inherited(parent: Section) -> Tagged:
    """The tags of a section that begins beside its parent: those of now, as far as they were opened inside of it."""
    tagged: Tagged | None = context.attribution.get()
    # A thread may still have the tags of the request that it was begun for: what is tagged with nothing has none.
    while tagged is not None and tagged is not UNTAGGED:
        if tagged is parent.attribution:
            return context.attribution.get()
        tagged = tagged.around
    return parent.attribution
