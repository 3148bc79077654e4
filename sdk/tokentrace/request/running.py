"""Functions that run as a section, whatever they are: plain, coroutine function, generator, asynchronous generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from inspect import isasyncgen, iscoroutine, iscoroutinefunction, isgenerator
from typing import Any, ParamSpec, Protocol, Self, TypeVar, cast

import wrapt
from opentelemetry import context as context_api

from tokentrace import context
from tokentrace.guard import quietly
from tokentrace.integration import Call

P = ParamSpec("P")
R = TypeVar("R")


class Section(Protocol):
    """What a function runs in, such as a `tokentrace.request.section.Section`. No method raises."""

    def current(self) -> AbstractContextManager[object]: ...

    def end(self, error: BaseException | None = None) -> None: ...


Begin = Callable[[Call], Section | None]
"""Begins the section of one invocation; None where there is to be none."""

_Begun = Callable[[], Section | None]


def as_section(begin: Begin) -> Callable[[Any, Any, Any, Any], Any]:
    """A wrapper, as wrapt takes it, that runs each invocation as the section that `begin` gives."""

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        def begun() -> Section | None:
            with quietly("beginning a section"):
                return begin(Call(instance, args, kwargs))
            return None

        if iscoroutinefunction(wrapped):
            return _awaited(begun, wrapped, args, kwargs)
        if (section := begun()) is None:
            return wrapped(*args, **kwargs)
        return _handed_back(section, _within(section, wrapped, args, kwargs))

    return called


class _Visited:
    """A section that somebody else ends."""

    __slots__ = ("_section",)

    def __init__(self, section: Section) -> None:
        self._section = section

    def current(self) -> AbstractContextManager[object]:
        return self._section.current()

    def end(self, error: BaseException | None = None) -> None:
        """It goes on."""


def in_place(section: Section, result: Any) -> Any:
    """What a function has given; where it is a generator, it runs in that section, whoever reads it."""
    return _handed_back(_Visited(section), result)


def _within(section: Section, wrapped: Any, args: Any, kwargs: Any) -> Any:
    try:
        with section.current():
            return wrapped(*args, **kwargs)
    except BaseException as error:
        section.end(error)
        raise


def _handed_back(section: Section, result: Any) -> Any:
    """The result of a function, which may still have to be run itself."""
    if isgenerator(result):
        return _read(section, result)
    if isasyncgen(result):
        return _read_async(section, result)
    if iscoroutine(result):
        return _finished(section, result)
    section.end()
    return result


class _Pieces:
    """The pieces in which a generator runs: what it is inside of waits with it, and its reader has its own again."""

    __slots__ = ("_before", "_inside", "_section")

    def __init__(self, section: Section) -> None:
        self._section = section
        self._inside: _State | None = None

    def __enter__(self) -> None:
        self._before = _state()
        if self._inside is None:
            self._section.current().__enter__()
        else:
            _restore(self._inside)

    def __exit__(self, *_: object) -> None:
        # Blocks that the generator has open around its `yield` are still open, but not for its reader.
        self._inside = _state()
        _restore(self._before)


_State = tuple[Any, Any, Any, Any]


def _state() -> _State:
    return context.entry.get(), context.role.get(), context.attribution.get(), context_api.get_current()


def _restore(state: _State) -> None:
    context.entry.set(state[0])
    context.role.set(state[1])
    context.attribution.set(state[2])
    context_api.attach(state[3])


async def _awaited(begun: _Begun, wrapped: Any, args: Any, kwargs: Any) -> Any:
    if (section := begun()) is None:
        return await wrapped(*args, **kwargs)
    return await _finished(section, _within(section, wrapped, args, kwargs))


async def _finished(section: Section, coroutine: Any) -> Any:
    try:
        with section.current():
            result = await coroutine
    except BaseException as error:
        section.end(error)
        raise
    return _handed_back(section, result)


def _read(section: Section, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    resume: Callable[[Any], Any] = generator.send
    given: Any = None
    pieces = _Pieces(section)
    while True:
        try:
            with pieces:
                part = resume(given)
        except StopIteration as over:
            section.end()
            return over.value
        except BaseException as error:
            section.end(error)
            raise
        resume, given = generator.send, None
        try:
            given = yield part
        except GeneratorExit as closing:
            try:
                with pieces:
                    generator.close()
            except BaseException as error:
                section.end(error)
                raise
            section.end(closing)
            raise
        except BaseException as thrown:  # noqa: BLE001  (as `yield from`: whatever the reader throws is the generator's)
            resume, given = generator.throw, thrown


async def _read_async(section: Section, generator: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    resume: Callable[[Any], Any] = generator.asend
    given: Any = None
    pieces = _Pieces(section)
    while True:
        try:
            with pieces:
                part = await resume(given)
        except StopAsyncIteration:
            section.end()
            return
        except BaseException as error:
            section.end(error)
            raise
        resume, given = generator.asend, None
        try:
            given = yield part
        except GeneratorExit as closing:
            try:
                with pieces:
                    await generator.aclose()
            except BaseException as error:
                section.end(error)
                raise
            section.end(closing)
            raise
        except BaseException as thrown:  # noqa: BLE001  (whatever the reader throws is the generator's)
            resume, given = generator.athrow, thrown


class Method(wrapt.BoundFunctionWrapper[Any, Any]):
    """A method that runs as a section."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._self_instance, self.__name__)


class Function(wrapt.FunctionWrapper[Any, Any]):
    """A function that runs as a section, and is in all else what it was: a generator function, a method, picklable."""

    __bound_function_wrapper__ = Method

    @classmethod
    def of(cls, function: Callable[P, R], wrapper: Callable[[Any, Any, Any, Any], Any]) -> Callable[P, R]:
        """The function, wrapped. Raises TypeError for what is no function."""
        if isinstance(function, type):
            raise TypeError(
                f"The class {function.__qualname__!r} is no function. Decorate the method that does the work."
            )
        return cast("Callable[P, R]", cls(function, wrapper))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__qualname__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self
