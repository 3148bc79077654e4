"""The releases of the libraries that the tests run with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

ENVIRONMENTS = Path(__file__).parents[1] / "environments"
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def releases_of(library: str) -> list[str]:
    """From the oldest to the newest, each once."""
    return list(dict.fromkeys(map(str, sorted(_versions(library)))))


def is_newest(library: str) -> bool:
    """Whether this environment has the newest release that the tests run with."""
    try:
        return Version(version(library)) >= max(_pinned(library), default=Version("0"))
    except PackageNotFoundError:
        return False


def _versions(library: str) -> Iterator[Version]:
    # Where its pins do not fit with those of the others, it has an environment of its own.
    with suppress(PackageNotFoundError):
        yield Version(version(library))
    yield from _pinned(library, *ENVIRONMENTS.glob("*.in"))


def _pinned(library: str, *files: Path) -> Iterator[Version]:
    """What files pin, or all of them, with those of the main environment."""
    for path in files or (*ENVIRONMENTS.glob("*.in"), CONSTRAINTS):
        pins = re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", path.read_text(), re.MULTILINE)
        yield from (Version(release) for name, release in pins if canonicalize_name(name) == canonicalize_name(library))
