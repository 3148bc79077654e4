"""Says when a package is about to be imported for the first time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tokentrace.guard import quietly


class Arrivals(MetaPathFinder):
    """A finder that finds nothing by itself: it hears what Python looks for."""

    def __init__(self, packages: Iterable[str], tell: Callable[[str], object]) -> None:
        self._packages = set(packages)
        self._tell = tell

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Leave the search to those behind us, but for what somebody waits for since we have told of it."""
        if fullname not in self._packages:
            return None
        self._packages.discard(fullname)
        # Inside of the application's own `import`.
        with quietly("preparing for a library"):
            self._tell(fullname)
        # The finder of wrapt, which has just been told to wait, may stand before us, where Python does not look again.
        waiting = (finder for finder in sys.meta_path if type(finder).__module__ == "wrapt.importer")
        return next((finder.find_spec(fullname, path, target) for finder in waiting), None)

    def begin(self) -> None:
        """Listen, before everybody else."""
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Listen no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
