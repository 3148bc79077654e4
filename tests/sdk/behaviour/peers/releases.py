"""The releases that an environment has of the packages behind modules."""

from __future__ import annotations

from functools import cache
from importlib.metadata import distribution, packages_distributions, version


def release(module: str) -> tuple[str, str]:
    """The package that a module is of, and its version."""
    name = _package(module)
    return name, version(name)


@cache
def _package(module: str) -> str:
    names = sorted(set(_packages().get(module.partition(".")[0], ())))
    files = (f"{module.replace('.', '/')}/__init__.py", f"{module.replace('.', '/')}.py")
    for name in names:
        if any(str(file) in files for file in distribution(name).files or ()):
            return name
    raise LookupError(f"No package of this environment has the module {module!r}.")


_packages = cache(packages_distributions)
