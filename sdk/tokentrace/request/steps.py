"""What an application or agent does, and what its calls were for: workflows, agents, steps and tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import currentframe
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

from tokentrace import attributes as name, context
from tokentrace.guard import quietly
from tokentrace.kinds import Kind
from tokentrace.request.running import Function, as_section
from tokentrace.request.section import Entry, Section, begin, entered

P = ParamSpec("P")
R = TypeVar("R")


class Block:
    """A named part of a request. Calls inside belong to it, and have its role unless an inner one has another.

    A context manager, and a decorator for functions, coroutine functions and generators of both kinds. Made by
    `workflow`, `agent`, `step` and `tool`.
    """

    __slots__ = ("_attributes", "_entered", "_kind", "_role", "_title")

    def __init__(self, kind: Kind, title: str, role: str | None, attributes: Mapping[str, str | None]) -> None:
        self._kind: Kind = kind
        self._title = title
        self._role = role
        self._attributes = {key: value for key, value in attributes.items() if value is not None}
        self._entered: list[Entry] = []

    def __enter__(self) -> Self:
        section = self._begin()
        if section is not None and (entry := section.enter()) is not None:
            self._entered.append(entry)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._entered:
            with quietly("closing a section"):
                entry = self._left()
                entry.leave()
                entry.section.end(error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return Function.of(function, as_section(lambda _: self._begin()))

    def _begin(self) -> Section | None:
        return begin(self._title, self._kind, role=self._role, is_told=True, attributes=self._attributes)

    def _left(self) -> Entry:
        """The one of our stays that ends here: tasks and threads may share a block."""
        entry = entered()
        if entry is None or entry not in self._entered:
            # A framework may run the halves of a generator in contexts of their own.
            return self._entered.pop()
        self._entered.remove(entry)
        return entry


@overload
def workflow(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def workflow(title: str | None = None, /, role: str | None = None, *, work_unit_id: str | None = None) -> Block: ...
def workflow(title: Any = None, /, role: str | None = None, *, work_unit_id: str | None = None) -> Any:
    """A run of several agents or steps towards one result.

    `work_unit_id` is what it works on, such as an order or a ticket. When the same is done again, even days later,
    what the earlier runs cost is rework.
    """
    return _made("workflow", title, role, {name.WORK_UNIT: work_unit_id})


@overload
def agent(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def agent(title: str | None = None, /, role: str | None = None) -> Block: ...
def agent(title: Any = None, /, role: str | None = None) -> Any:
    """An agent at work."""
    return _made("agent", title, role, {})


@overload
def step(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def step(title: str | None = None, /, role: str | None = None) -> Block: ...
def step(title: Any = None, /, role: str | None = None) -> Any:
    """A step of the application or of an agent."""
    return _made("step", title, role, {})


@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def tool(title: str | None = None, /, role: str | None = None, *, call_id: str | None = None) -> Block: ...
def tool(title: Any = None, /, role: str | None = None, *, call_id: str | None = None) -> Any:
    """A tool that an agent uses; `call_id` is the model's id of the tool call that asked for it."""
    return _made("tool", title, role, {name.TOOL_CALL: call_id})


def _made(kind: Kind, given: Any, role: str | None, attributes: Mapping[str, str | None]) -> Any:
    if role is not None and role not in name.ROLES:
        raise ValueError(f"The role {role!r} is unknown. Use one of {', '.join(name.ROLES)}.")
    if given is None:
        return _Unnamed(kind, _calling(), role, attributes)
    if not isinstance(given, str):
        return _Unnamed(kind, "", role, attributes)(given)
    return Block(kind, given, role, attributes)


class _Unnamed(Block):
    """A block that is called what the code is called."""

    __slots__ = ()

    def __init__(self, kind: Kind, caller: str, role: str | None, attributes: Mapping[str, str | None]) -> None:
        super().__init__(kind, caller or kind, role, attributes)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        called: str = getattr(function, "__qualname__", "") or type(function).__qualname__
        return Block(self._kind, _short(called) or self._kind, self._role, self._attributes)(function)


def _calling() -> str:
    """The name of the function that asks for a block."""
    frame = currentframe()
    for _ in range(3):
        frame = None if frame is None else frame.f_back
    return "" if frame is None else _short(frame.f_code.co_qualname)


def _short(qualified: str) -> str:
    """What a function is called where it is; nothing where it has no name, as a module or a lambda."""
    last = qualified.rpartition("<locals>.")[2]
    return "" if last.startswith("<") else last


def trace_id() -> str | None:
    """The id of the request that runs now, for `outcome`, `record_review` and `reject`, even days later."""
    with quietly("telling the trace"):
        if context.tracing is not None and (found := context.tracing.here()).is_valid:
            return format(found.trace_id, "032x")
    return None
