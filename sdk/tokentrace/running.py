"""Functions that run as a section, whatever they are: plain, coroutine function, generator, asynchronous generator."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import copy_context
from inspect import isasyncgen, isasyncgenfunction, iscoroutine, iscoroutinefunction, isgenerator, isgeneratorfunction
from typing import Any, Self

import wrapt

from tokentrace.guard import quietly
from tokentrace.integration import Call, StepSeam
from tokentrace.section import Section, begin as begin_section

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
        if isgeneratorfunction(wrapped):
            return _read(_from_here(begun), wrapped(*args, **kwargs))
        if isasyncgenfunction(wrapped):
            return _read_async(_from_here(begun), wrapped(*args, **kwargs))
        if (section := begun()) is None:
            return wrapped(*args, **kwargs)
        return _handed_back(section, _within(section, wrapped, args, kwargs))

    return called


def follow(seam: StepSeam) -> Callable[[Any, Any, Any, Any], Any]:
    """The wrapper that a function of a framework gets."""

    def begun(call: Call) -> Section | None:
        if (work := seam.tell(call)) is None:
            return None
        section = begin_section(work.name, work.kind, role=work.role, attributes=work.attributes)
        if section is not None:
            section.signals = seam.signals
        return section

    return as_section(begun)


def _from_here(begun: _Begun) -> _Begun:
    """A generator begins when it is first read, but belongs to where it was made."""
    here = copy_context()
    return lambda: here.run(begun)


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
        return _read(lambda: section, result)
    if isasyncgen(result):
        return _read_async(lambda: section, result)
    if iscoroutine(result):
        return _finished(section, result)
    section.end()
    return result


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


def _read(begun: _Begun, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    if (section := begun()) is None:
        return (yield from generator)
    resume: Callable[[Any], Any] = generator.send
    given: Any = None
    while True:
        try:
            with section.current():
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
            _within(section, generator.close, (), {})
            section.end(closing)
            raise
        except BaseException as thrown:  # noqa: BLE001  (as `yield from`: whatever the reader throws is the generator's)
            resume, given = generator.throw, thrown


async def _read_async(begun: _Begun, generator: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    section = begun()
    resume: Callable[[Any], Any] = generator.asend
    given: Any = None
    while True:
        try:
            if section is None:
                part = await resume(given)
            else:
                with section.current():
                    part = await resume(given)
        except StopAsyncIteration:
            if section is not None:
                section.end()
            return
        except BaseException as error:
            if section is not None:
                section.end(error)
            raise
        resume, given = generator.asend, None
        try:
            given = yield part
        except GeneratorExit as closing:
            await _closed(section, generator)
            if section is not None:
                section.end(closing)
            raise
        except BaseException as thrown:  # noqa: BLE001  (whatever the reader throws is the generator's)
            resume, given = generator.athrow, thrown


async def _closed(section: Section | None, generator: AsyncGenerator[Any, Any]) -> None:
    if section is None:
        await generator.aclose()
        return
    try:
        with section.current():
            await generator.aclose()
    except BaseException as error:
        section.end(error)
        raise


class Method(wrapt.BoundFunctionWrapper[Any, Any]):
    """A method that runs as a section."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        return getattr, (self._self_instance, self.__name__)


class Function(wrapt.FunctionWrapper[Any, Any]):
    """A function that runs as a section, and is in all else what it was: a generator function, a method, picklable."""

    __bound_function_wrapper__ = Method

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__qualname__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self
