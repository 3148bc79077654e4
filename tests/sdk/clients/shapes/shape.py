"""What a shape of a call is, how to take it with and without metering, and what to compare."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry import trace

from shapes.provider import Answer, Provider

SYNC, ASYNC = MODES = "sync", "async"

Act = Callable[[Any], Coroutine[Any, Any, Any]]
"""What the application does with a client. Written once: on a client that does not await, nothing ever suspends."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to call a provider."""

    name: str
    act: Act
    answers: tuple[Answer, ...]
    calls: tuple[Mapping[str, Any], ...]
    """What the span of each provider call says, in the order the calls ended."""

    modes: tuple[str, ...] = MODES
    retries: int = 0
    early: Callable[[Any], Any] = lambda client: client
    """What the application does with the client before anything is instrumented; `act` gets the result."""

    needs: Callable[[Any], bool] | None = None
    """Whether this release of the client has the shape at all, where not all do."""


@dataclass(frozen=True, slots=True)
class Surface:
    """One API of one client library: a column of the table in the README."""

    name: str
    client: Callable[[str, Provider, int], Any]
    shapes: tuple[Shape, ...]

    def __getitem__(self, name: str) -> Shape:
        """The shape of this name."""
        (shape,) = (shape for shape in self.shapes if shape.name == name)
        return shape

    def __contains__(self, name: str) -> bool:
        return any(shape.name == name for shape in self.shapes)


def cases(*surfaces: Surface) -> list[Any]:
    """Every shape that this release of the client has, once for each of its modes, as parameters of a test."""
    return [
        pytest.param(surface, shape, mode, id=f"{surface.name}-{shape.name}-{mode}")
        for surface in surfaces
        for shape in surface.shapes
        for mode in shape.modes
        if shape.needs is None or shape.needs(surface.client(mode, Provider(()), 0))
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a shape looked like from both ends."""

    application: Any
    """All that the application saw, types and current spans included."""

    provider: list[tuple[str, str, Any]] = field(default_factory=list)
    """All that the provider was asked."""


def take(surface: Surface, shape: Shape, mode: str, start: Callable[[], Any] = lambda: None) -> Taken:
    """Do what the shape says; `start` is called when the client exists and nothing was asked yet."""
    provider = Provider(shape.answers)
    subject = shape.early(surface.client(mode, provider, shape.retries))
    start()
    with trace.get_tracer("application").start_as_current_span("request") as request:
        try:
            result = run(_with_cancellation(shape.act, subject, provider), mode)
        except Exception as error:  # noqa: BLE001  (whatever the application sees is the result)
            result = error
        back = trace.get_current_span() is request
    return Taken([looks(result), f"span restored: {back}"], provider.asked)


async def _with_cancellation(act: Act, subject: Any, provider: Provider) -> Any:
    """Act; where the provider hangs, cancel the task once it waits for nothing but the provider."""
    if not any(answer.hangs for answer in provider.answers):
        return await act(subject)
    task, reached = asyncio.create_task(act(subject)), asyncio.create_task(provider.reached.wait())
    await asyncio.wait((task, reached), return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    reached.cancel()
    return (await asyncio.gather(task, reached, return_exceptions=True))[0]


def run(steps: Coroutine[Any, Any, Any], mode: str) -> Any:
    """The result of what an application does; without a loop where the client does not await."""
    if mode == ASYNC:
        return asyncio.run(steps)
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("A client that does not await has suspended.")


def ask(surface: Surface, provider: Provider | None = None, mode: str = SYNC) -> Any:
    """Make one complete call; what is to be awaited for it, where the client awaits."""
    shape = surface["complete"]
    steps = shape.act(surface.client(mode, provider or Provider(shape.answers), 2))
    return steps if mode == ASYNC else run(steps, mode)


async def settle(value: Any) -> Any:
    """The value, awaited where it has to be."""
    return await value if inspect.isawaitable(value) else value


@contextlib.asynccontextmanager
async def entered(manager: Any) -> AsyncIterator[Any]:
    """`async with` or `with`, whichever the manager has."""
    if hasattr(manager, "__aenter__"):
        async with manager as value:
            yield value
    else:
        with manager as value:
            yield value


async def drain(stream: Any) -> list[Any]:
    """Everything a stream gives, each with the span that is current while the application holds it."""
    seen: list[Any] = [type(stream)]
    if hasattr(stream, "__aiter__"):
        async for part in stream:
            seen.append((current(), part))  # noqa: PERF401  (the span that is current now, not later)
    else:
        seen.extend((current(), part) for part in stream)
    return seen


async def first(stream: Any) -> Any:
    """The first thing a stream gives, and no more."""
    if hasattr(stream, "__aiter__"):
        async for part in stream:
            return part
    return next(iter(stream))


def current() -> str | None:
    """Name of the current span."""
    return getattr(trace.get_current_span(), "name", None)


def looks(value: Any) -> Any:
    """A value as plain data that keeps the types, so that two runs can be compared."""
    if isinstance(value, type):
        return _name(value)
    if isinstance(value, BaseException):
        told = {
            key: looks(getattr(value, key))
            for key in ("status_code", "code", "body", "completion")
            if hasattr(value, key)
        }
        return [_name(type(value)), str(value), told]
    if hasattr(value, "model_dump"):
        return [_name(type(value)), value.model_dump(warnings=False), getattr(value, "_request_id", None)]
    if isinstance(value, Mapping):
        return {key: looks(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [looks(item) for item in value]
    return value if isinstance(value, str | bytes | int | float | None) else _name(type(value))


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
