"""Steps of an application or agent: what its calls were for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import iscoroutinefunction
from types import TracebackType
from typing import Any, Literal, ParamSpec, Self, TypeVar

from opentelemetry.trace import SpanKind, Status, StatusCode

from tokentrace import attributes as name, context, session
from tokentrace.attribution import refuse_generator
from tokentrace.guard import quietly
from tokentrace.tracing import Opened, Tracing

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["agent", "tool"]

_KINDS: dict[str, dict[str, str]] = {
    "agent": {name.OPERATION: "invoke_agent"},
    "tool": {name.OPERATION: "execute_tool"},
}
_NAMED = {"agent": name.AGENT_NAME, "tool": name.TOOL_NAME}


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """A step that has begun."""

    tracing: Tracing
    opened: Opened
    token: Any
    around: _Running | None
    role: str | None
    """The role around it."""


_innermost: ContextVar[_Running | None] = ContextVar("tokentrace_step", default=None)


class step:  # noqa: N801  (reads as a statement: `with step("plan", role="plan"):`)
    """A named part of a request. Calls inside belong to it, and have its role unless an inner step has another.

    A context manager and a decorator, for functions and coroutine functions.
    """

    __slots__ = ("_kind", "_name", "_open", "_role")

    def __init__(self, step_name: str, /, role: str | None = None, *, kind: Kind | None = None) -> None:
        if role is not None and role not in name.ROLES:
            raise ValueError(f"The role {role!r} is unknown. Use one of {', '.join(name.ROLES)}.")
        if kind is not None and kind not in _KINDS:
            raise ValueError(f"The kind {kind!r} is unknown. Use 'agent', 'tool' or none.")
        self._name = step_name
        self._role = role
        self._kind: Kind | None = kind
        self._open: list[_Running] = []

    def __enter__(self) -> Self:
        with quietly("opening a step"):
            if (running := session.current()) is not None:
                self._begin(running.tracing)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if not self._open:
            return
        with quietly("closing a step"):
            span = self._left().opened.span
            if error is not None:
                span.set_attribute(name.ERROR_TYPE, type(error).__qualname__)
                span.set_status(Status(StatusCode.ERROR, type(error).__qualname__))
            span.end()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        refuse_generator(function, "step(…)")
        if iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                with step(self._name, self._role, kind=self._kind):
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with step(self._name, self._role, kind=self._kind):
                return function(*args, **kwargs)

        return called

    def _begin(self, tracing: Tracing) -> None:
        opened = tracing.start(self._name, SpanKind.INTERNAL, self._attributes())
        running = _Running(tracing, opened, tracing.enter(opened), _innermost.get(), context.role.get())
        self._open.append(running)
        _innermost.set(running)
        if self._role is not None:
            context.role.set(self._role)

    def _left(self) -> _Running:
        """The one of our runs that ends here: tasks and threads may share a step."""
        running = _innermost.get()
        if running is None or running not in self._open:
            # A framework may run the halves of a generator in contexts of their own: then there is nothing to undo.
            return self._open.pop()
        self._open.remove(running)
        _innermost.set(running.around)
        context.role.set(running.role)
        running.tracing.leave(running.token)
        return running

    def _attributes(self) -> dict[str, str]:
        found = {name.STEP: self._name}
        if self._kind is not None:
            found |= _KINDS[self._kind] | {_NAMED[self._kind]: self._name}
        if self._role is not None:
            found |= {name.ROLE: self._role, name.ROLE_SOURCE: "explicit"}
        return found
