"""Puts wrappers on seams when a library is imported, and takes them off again."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType

import wrapt

from tokentrace import age, fit, realtime, wrapping
from tokentrace.guard import log, quietly
from tokentrace.integration import AnySeam, AttemptSeam, Integration, ResendSeam, SessionSeam
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
        self.wrappers: dict[str, object] = {}
        """What was put on which function, by the module and name of the function."""
        self.misfits: list[str] = []
        """Seams that this release of a library does not have."""
        self.outdated: dict[str, str] = {}
        """Releases that are older than those we know, by library."""

    def patch(self, module: ModuleType) -> None:
        """Wrap every seam of a module that has just been imported, or long ago."""
        if module.__name__ in self._done:
            return
        # Another thread may be importing it right now: wait until everything is there.
        import_module(module.__name__)
        self._done.add(module.__name__)
        for seam in _by_module()[module.__name__].values():
            try:
                handle = wrapt.wrap_function_wrapper(module, seam.name, self._wrapper(seam))
            except AttributeError:
                if isinstance(seam, SessionSeam) and not hasattr(module, seam.name.partition(".")[0]):
                    # A release without such sessions has nothing that is not metered.
                    continue
                self.misfits.append(f"{seam.module}.{seam.name}")
                log.warning(
                    "%s.%s does not exist in this release: calls through it are not metered.", seam.module, seam.name
                )
                continue
            self.wrappers[f"{seam.module}.{seam.name}"] = handle
            self._undo.append(
                functools.partial(wrapt.unwrap_object, module, seam.name, handle, missing_ok=True)  # type: ignore[arg-type,unused-ignore]
            )
        self._undo += [attach(module) for attach in _attachments(module.__name__)]
        self._look_at_age(module.__name__)

    def _look_at_age(self, package: str) -> None:
        for each in integrations():
            if each.library in self.outdated or package not in age.packages(each):
                continue
            if release := age.too_old(each):
                self.outdated[each.library] = release
                log.warning(
                    "%s %s is older than %s, the first release that is supported: its calls are not metered, or not all"
                    " of them. Install '%s>=%s'.",
                    each.library,
                    release,
                    each.since,
                    each.library,
                    each.since,
                )

    def search(self, package: ModuleType) -> None:
        """Say what a package has lost that has just been imported, in a release that nobody has tested."""
        for seam in fit.gone(package.__name__, integrations()):
            self.misfits.append(f"{seam.module}.{seam.name}")
            log.warning("%s is not in this release: %s.", seam.module, fit.cost(seam))

    def _wrapper(self, seam: AnySeam) -> wrapping.Wrapper:
        if isinstance(seam, AttemptSeam):
            return wrapping.attempt(seam)
        if isinstance(seam, ResendSeam):
            return wrapping.resend(seam)
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


_current: Installation | None = None
_hooked: set[str] = set()
_searched: set[str] = set()


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
            _imported(sys.modules[name])
    for name in fit.parents(integrations()) - _searched:
        _searched.add(name)
        wrapt.register_post_import_hook(_parent_imported, name)
    return _current


def current() -> Installation | None:
    """The wrappers that are on now."""
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


def _parent_imported(package: ModuleType) -> None:
    with quietly("looking for what a library has lost"):
        if _current is not None:
            _current.search(package)


@functools.cache
def integrations() -> tuple[Integration, ...]:
    """All libraries that we know."""
    return tuple(import_module(f"tokentrace.clients.{client}").INTEGRATION for client in CLIENTS)


@functools.cache
def _by_module() -> Mapping[str, Mapping[str, AnySeam]]:
    """The seams by module and name, each once, however many clients share it."""
    found: dict[str, dict[str, AnySeam]] = {}
    for each in integrations():
        seams: tuple[AnySeam, ...] = (*each.seams, *each.attempts, *each.sessions)
        for seam in seams:
            found.setdefault(seam.module, {})[seam.name] = seam
        for module in (*(each.attach or ()), *age.packages(each)):
            found.setdefault(module, {})
    return found


def _attachments(module: str) -> list[Callable[[ModuleType], Callable[[], object]]]:
    return [each.attach[module] for each in integrations() if each.attach and module in each.attach]
