"""Puts wrappers on seams once their library is there, and takes them off again. Loaded with the first library."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

import wrapt

from tokentrace.guard import log, quietly
from tokentrace.integration import AnySeam, AttemptSeam, Integration, ResendSeam, SessionSeam, StepSeam
from tokentrace.seams import fit, wrapping
from tokentrace.tracing import Tracing


class Installation:
    """The wrappers of one `instrument`, from its beginning to its `undo`."""

    def __init__(self, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        self._tracing = tracing
        self._hosts = hosts
        self._undo: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._done: set[object] = set()
        self.wrappers: dict[str, object] = {}
        """What was put on which function, by the module and name of the function."""
        self.misfits: list[str] = []
        """Seams that this release of a library does not have."""
        self.outdated: dict[str, str] = {}
        """Releases that are older than those we know, by library."""

    def patch(self, module: ModuleType, name: str) -> None:
        """Wrap every seam of a module that has just been imported, or long ago; whatever it says that it is called."""
        # Another thread may be importing it right now: wait until everything is there.
        import_module(name)
        for integration in tuple(_known.values()):
            for seam in fit.seams(integration):
                if seam.module == name and self._is_first(seam.module, seam.name):
                    self._wrap(module, seam)
            attach = (integration.attach or {}).get(name)
            if attach is not None and self._is_first(integration.library, name, attach):
                self._undo.append(attach(module))
            if self._is_first(integration.library, name):
                self._examine(integration, name)

    def _is_first(self, *what: object) -> bool:
        """Whether nobody has done it, in whatever thread."""
        with self._lock:
            is_first = what not in self._done
            self._done.add(what)
            return is_first

    def _wrap(self, module: ModuleType, seam: AnySeam) -> None:
        try:
            shadows = _shadows(module, seam.name)
            self.wrappers[f"{seam.module}.{seam.name}"] = self._put(module, seam.name, seam)
        except AttributeError:
            if isinstance(seam, SessionSeam) and not hasattr(module, seam.name.partition(".")[0]):
                # A release without such sessions has nothing that is not metered.
                return
            if isinstance(seam, StepSeam) and not seam.is_everywhere:
                return
            self.misfits.append(f"{seam.module}.{seam.name}")
            log.warning(
                "%s.%s does not exist in this release: calls through it are not metered.", seam.module, seam.name
            )
            return
        for kind in shadows:
            self._put(kind, seam.name.rpartition(".")[2], seam)

    def _put(self, holder: Any, name: str, seam: AnySeam) -> object:
        handle = wrapt.wrap_function_wrapper(holder, name, self._wrapper(seam))
        self._undo.append(functools.partial(wrapt.unwrap_object, holder, name, handle, missing_ok=True))
        return handle

    def _examine(self, integration: Integration, package: str) -> None:
        """Say what a release does not have that is older, or newer, than those that the tests run with."""
        library = integration.library
        if package in fit.packages(integration) and self._is_first(library) and (release := fit.too_old(library)):
            first = fit.first(library)
            self.outdated[library] = release
            log.warning(
                "%s %s is older than %s, the first release that is supported: not all that it does is seen."
                " Install '%s>=%s'.",
                library,
                release,
                first,
                library,
                first,
            )
        for seam in fit.gone(package, (integration,)):
            if self._is_first(seam.module, seam.name, "gone"):
                self.misfits.append(f"{seam.module}.{seam.name}")
                log.warning("%s is not in this release: %s.", seam.module, fit.cost(seam))

    def _wrapper(self, seam: AnySeam) -> wrapping.Wrapper:
        if isinstance(seam, AttemptSeam):
            return wrapping.attempt(seam)
        if isinstance(seam, ResendSeam):
            return wrapping.resend(seam)
        if isinstance(seam, StepSeam):
            # Only applications with a framework have steps that are not their own.
            from tokentrace.request import structure  # noqa: PLC0415

            return structure.follow(seam)
        if isinstance(seam, SessionSeam):
            # Few applications ever open one.
            from tokentrace.calls import realtime  # noqa: PLC0415

            return realtime.follow(seam, self._tracing, self._hosts)
        metered = wrapping.call if seam.follow is None else wrapping.calls
        return metered(seam, self._tracing, self._hosts)

    def undo(self) -> None:
        """Leave every library as it was."""
        while self._undo:
            # Where somebody has wrapped ours since, it stays, and lets every call through.
            with suppress(wrapt.WrapperNotOutermostError):
                self._undo.pop()()


def _shadows(module: ModuleType, name: str) -> list[type[Any]]:
    """The classes below that of a seam on which somebody has put the same function once more.

    An instrumentation that wraps `OpenAI.request` finds that of the class above, and keeps what it has found.
    """
    holder, _, method = name.rpartition(".")
    above = getattr(module, holder, None)
    if not isinstance(above, type):
        return []
    function = inspect.unwrap(getattr(above, method))
    return [kind for kind in _below(above) if method in vars(kind) and inspect.unwrap(vars(kind)[method]) is function]


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    each: type[Any]
    for each in type.__subclasses__(kind):
        yield each
        yield from _below(each)


_known: dict[str, Integration] = {}
"""Libraries that somebody has imported, or is about to, by the module of ours."""
_hooked: set[str] = set()


def watch(client: str, integration: Integration, patch: Callable[[ModuleType, str], object]) -> None:
    """Have the modules of a library patched when they are imported, and those that are there at once."""
    _known[client] = integration

    def imported(module: ModuleType, name: str) -> None:
        # Inside of the application's own `import`.
        with quietly("wrapping a library"):
            patch(module, name)

    for name in set(_modules(integration)):
        if name not in _hooked:
            # A module that is there already is patched by this very call.
            _hooked.add(name)
            wrapt.register_post_import_hook(functools.partial(imported, name=name), name)
        elif name in sys.modules:
            imported(sys.modules[name], name)


def _modules(integration: Integration) -> Iterator[str]:
    yield from {seam.module for seam in fit.seams(integration)}
    yield from integration.attach or ()
    yield from fit.parents((integration,))
    yield from fit.packages(integration)
