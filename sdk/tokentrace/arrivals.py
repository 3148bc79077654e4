"""Says when a package is about to be imported for the first time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from tokentrace.guard import quietly


class Arrivals(MetaPathFinder):
    """A finder that finds nothing: it hears what Python looks for."""

    def __init__(self, packages: Iterable[str], tell: Callable[[str], object]) -> None:
        self._packages = set(packages)
        self._tell = tell

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  (the interface of Python)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Leave the search to those behind us."""
        if fullname in self._packages:
            self._packages.discard(fullname)
            # Inside of the application's own `import`.
            with quietly("preparing for a library"):
                self._tell(fullname)
        return None

    def begin(self) -> None:
        """Listen, before everybody else."""
        sys.meta_path.insert(0, self)

    def end(self) -> None:
        """Listen no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
