"""Who a request is for: team, feature, customer, and whatever else a cost is asked by."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from tokentrace import context
from tokentrace.context import Tagged
from tokentrace.request.attribution import named
from tokentrace.request.running import Function, as_section

P = ParamSpec("P")
R = TypeVar("R")


class tags:  # noqa: N801  (reads as a statement: `with tags(team="search"):`)
    """Everything metered inside belongs to this team, feature, customer, …; inner tags win over outer ones.

    A context manager, and a decorator for functions, coroutine functions and generators of both kinds. Other keywords
    become free tags.
    """

    __slots__ = ("_attributes",)

    def __init__(
        self,
        *,
        team: str | None = None,
        feature: str | None = None,
        customer: str | None = None,
        project: str | None = None,
        cost_center: str | None = None,
        environment: str | None = None,
        user: str | None = None,
        session: str | None = None,
        **free: object,
    ) -> None:
        self._attributes = named(
            {
                "team": team, "feature": feature, "customer": customer, "project": project,
                "cost_center": cost_center, "environment": environment, "user": user, "session": session, **free,
            }
        )  # fmt: skip

    def __enter__(self) -> Self:
        context.attribution.set(self._over(context.attribution.get()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # A framework may run the halves of a generator in contexts of their own: then there is nothing to undo.
        if (tagged := context.attribution.get()).by is self and tagged.around is not None:
            context.attribution.set(tagged.around)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return Function.of(function, as_section(lambda _: _Block(self._over(context.attribution.get()))))

    def _over(self, around: Tagged) -> Tagged:
        return Tagged({**around.attributes, **self._attributes}, self, around)


class _Block:
    """The tags of one invocation of a function: those it was called with, and its own."""

    __slots__ = ("_tagged",)

    def __init__(self, tagged: Tagged) -> None:
        self._tagged = tagged

    def current(self) -> _Stay:
        return _Stay(self._tagged)

    def end(self, error: BaseException | None = None) -> None:
        """Tags leave nothing behind."""


class _Stay:
    __slots__ = ("_before", "_tagged")

    def __init__(self, tagged: Tagged) -> None:
        self._tagged = tagged

    def __enter__(self) -> None:
        self._before = context.attribution.get()
        context.attribution.set(self._tagged)

    def __exit__(self, *_: object) -> None:
        if context.attribution.get() is self._tagged:
            context.attribution.set(self._before)
