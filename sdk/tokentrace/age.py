"""Whether a release of a library is older than those whose seams we know: then its calls pass, and nothing says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from tokentrace.integration import Integration

_SHARED = frozenset({"azure", "azure.ai", "google"})
"""Packages that many libraries have in common."""


def packages(integration: Integration) -> Iterator[str]:
    """What is imported with a library, even with releases that have none of the modules with its seams."""
    if integration.since is None:
        return
    place = integration.seams[0].module
    parts = place.split(".")
    for depth in range(1, len(parts) + 1):
        package = ".".join(parts[:depth])
        if package not in _SHARED:
            yield package


def too_old(integration: Integration) -> str | None:
    """The release that is installed, where it is older than those we know."""
    with suppress(PackageNotFoundError):
        release = version(integration.library)
        if integration.since is not None and _order(release) < _order(integration.since):
            return release
    return None


def _order(release: str) -> tuple[int, ...]:
    """Numbers to compare releases by; a pre-release counts as its release."""
    found = re.match(r"\d+(?:\.\d+)*", release)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
