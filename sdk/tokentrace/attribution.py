"""Who a request is for: team, feature, customer, and whatever else a cost is asked by."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from tokentrace import attributes as name, context

P = ParamSpec("P")
R = TypeVar("R")

_KEYS = {
    "team": name.TEAM,
    "feature": name.FEATURE,
    "customer": name.CUSTOMER,
    "project": name.PROJECT,
    "cost_center": name.COST_CENTER,
    "environment": name.ENVIRONMENT,
    "user": name.USER,
    "session": name.SESSION,
}


def named(tags: Mapping[str, object]) -> dict[str, str]:
    """Tags under their attribute names; those that are None are left out."""
    return {_KEYS.get(tag, name.TAG + tag): str(value) for tag, value in tags.items() if value is not None}


def refuse_generator(function: Callable[..., Any], what: str) -> None:
    """Say early that a generator cannot be decorated: its context would leak to whoever reads it."""
    if isgeneratorfunction(function) or isasyncgenfunction(function):
        raise TypeError(
            f"{what} cannot decorate the generator {function.__qualname__!r}. "
            f"Use `with {what}:` around the code that reads it."
        )


class tags:  # noqa: N801  (reads as a statement: `with tags(team="search"):`)
    """Everything metered inside belongs to this team, feature, customer, …; inner tags win over outer ones.

    A context manager and a decorator, for functions and coroutine functions. Other keywords become free tags.
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
        around = context.attribution.get()
        context.attribution.set(context.Tagged({**around.attributes, **self._attributes}, self, around))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # A framework may run the halves of a generator in contexts of their own: then there is nothing to undo.
        if (tagged := context.attribution.get()).by is self and tagged.around is not None:
            context.attribution.set(tagged.around)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        refuse_generator(function, "tags(…)")
        if iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return awaited  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

        @functools.wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return called
