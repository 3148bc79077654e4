"""Puts wrappers on seams when a library is imported, and takes them off again."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

import wrapt

from tokentrace import realtime, wrapping
from tokentrace.guard import log, quietly
from tokentrace.integration import AnySeam, AttemptSeam, Integration, SessionSeam
from tokentrace.tracing import Tracing

CLIENTS = (
    "anthropic",
    "azure_ai_inference",
    "bedrock",
    "cerebras",
    "claude_agent_sdk",
    "cohere",
    "fireworks",
    "google_genai",
    "groq",
    "huggingface",
    "litellm",
    "mistral",
    "ollama",
    "openai",
    "together",
    "xai",
)
"""Modules of `tokentrace.clients`."""


class Installation:
    """The wrappers of one `instrument`, from its beginning to its `undo`."""

    def __init__(self, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        self._tracing = tracing
        self._hosts = hosts
        self._undo: list[Callable[[], object]] = []
        self._done: set[str] = set()
        self.misfits: list[str] = []
        """Seams that this release of a library does not have."""

    def patch(self, module: ModuleType) -> None:
        """Wrap every seam of a module that has just been imported, or long ago."""
        if module.__name__ in self._done:
            return
        # Another thread may be importing it right now: wait until everything is there.
        import_module(module.__name__)
        self._done.add(module.__name__)
        for seam in _by_module()[module.__name__].values():
            try:
                shadows = _shadows(module, seam.name)
                self._wrap(module, seam.name, seam)
            except AttributeError:
                if isinstance(seam, SessionSeam) and not hasattr(module, seam.name.partition(".")[0]):
                    # A release without such sessions has nothing that is not metered.
                    continue
                self.misfits.append(f"{seam.module}.{seam.name}")
                log.warning(
                    "%s.%s does not exist in this release: calls through it are not metered.", seam.module, seam.name
                )
                continue
            for kind in shadows:
                self._wrap(kind, seam.name.rpartition(".")[2], seam)
        self._undo += [attach(module) for attach in _attachments(module.__name__)]

    def _wrap(self, holder: Any, name: str, seam: AnySeam) -> None:
        handle = wrapt.wrap_function_wrapper(holder, name, self._wrapper(seam))
        self._undo.append(functools.partial(wrapt.unwrap_object, holder, name, handle, missing_ok=True))

    def _wrapper(self, seam: AnySeam) -> wrapping.Wrapper:
        if isinstance(seam, AttemptSeam):
            return wrapping.attempt(seam)
        if isinstance(seam, SessionSeam):
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


_current: Installation | None = None
_hooked: set[str] = set()


def install(tracing: Tracing, hosts: Mapping[str, str]) -> Installation:
    """Meter every supported library, imported already or later."""
    global _current  # noqa: PLW0603  (import hooks cannot be taken back, so they ask who is current)
    _current = Installation(tracing, hosts)
    for name in _by_module():
        if name not in _hooked:
            # A module that is there already is patched by this very call.
            _hooked.add(name)
            wrapt.register_post_import_hook(_imported, name)
        elif name in sys.modules:
            _current.patch(sys.modules[name])
    return _current


def uninstall() -> None:
    """Take off every wrapper that `install` has put on."""
    global _current  # noqa: PLW0603
    if _current is not None:
        _current.undo()
        _current = None


def _imported(module: ModuleType) -> None:
    # Inside of the application's own `import`.
    with quietly("wrapping a library"):
        if _current is not None:
            _current.patch(module)


@functools.cache
def _integrations() -> tuple[Integration, ...]:
    return tuple(import_module(f"tokentrace.clients.{client}").INTEGRATION for client in CLIENTS)


@functools.cache
def _by_module() -> Mapping[str, Mapping[str, AnySeam]]:
    """The seams by module and name, each once, however many clients share it."""
    found: dict[str, dict[str, AnySeam]] = {}
    for each in _integrations():
        seams: tuple[AnySeam, ...] = (*each.seams, *each.attempts, *each.sessions)
        for seam in seams:
            found.setdefault(seam.module, {})[seam.name] = seam
        for module in each.attach or ():
            found.setdefault(module, {})
    return found


def _attachments(module: str) -> list[Callable[[ModuleType], Callable[[], object]]]:
    return [each.attach[module] for each in _integrations() if each.attach and module in each.attach]
