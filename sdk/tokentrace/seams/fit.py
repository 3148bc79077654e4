"""Whether a release of a library still has the functions where we cut into it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from tokentrace.integration import AnySeam, AttemptSeam, Integration, ResendSeam, SessionSeam, StepSeam
from tokentrace.seams.releases import RELEASES

_SHARED = frozenset({"azure", "azure.ai", "google"})
"""Packages that many libraries have in common."""


def seams(integration: Integration) -> tuple[AnySeam, ...]:
    """All the functions where we cut into a library."""
    return (*integration.seams, *integration.attempts, *integration.sessions, *integration.steps)


def cost(seam: AnySeam) -> str:
    """What is lost where a release does not have this function."""
    if isinstance(seam, ResendSeam):
        return "what is sent again in silence is not seen"
    if isinstance(seam, StepSeam):
        return "its steps are not told"
    kind = "asynchronous" if seam.awaited else "synchronous"
    if isinstance(seam, AttemptSeam):
        return f"retries, waits and rate limits of {kind} calls are not seen"
    if isinstance(seam, SessionSeam):
        return f"calls in {kind} sessions are not metered"
    return f"{kind} calls through it are not metered"


def library(seam: AnySeam, integration: Integration) -> str:
    """The distribution that a function belongs to; clients share those that speak HTTP."""
    top = seam.module.partition(".")[0]
    cuts: tuple[AnySeam, ...] = (*integration.seams, *integration.steps)
    own = {each.module.partition(".")[0] for each in cuts}
    return top if top in RELEASES or top not in own else integration.library


def installed(distribution: str) -> str | None:
    """The release that is installed; None where there is none."""
    with suppress(PackageNotFoundError):
        return version(distribution)
    return None


def is_newer(distribution: str, release: str) -> bool:
    """Whether a release came after all that the tests run with."""
    tested = RELEASES.get(distribution)
    return bool(tested) and _order(release) > max(map(_order, tested or ()))


def is_older(distribution: str, release: str) -> bool:
    """Whether a release came before all that the tests run with."""
    tested = RELEASES.get(distribution)
    return bool(tested) and _order(release) < min(map(_order, tested or ()))


def first(distribution: str) -> str | None:
    """The first release that is supported."""
    return next(iter(RELEASES.get(distribution, ())), None)


def too_old(distribution: str) -> str | None:
    """The release that is installed, where it came before all that are supported."""
    release = installed(distribution)
    return release if release is not None and is_older(distribution, release) else None


def packages(integration: Integration) -> Iterator[str]:
    """What is imported with a library, even with releases that have none of the modules with its seams."""
    modules = (*(seam.module for seam in seams(integration)), *(integration.attach or ()))
    parts = modules[0].split(".")
    for depth in range(1, len(parts) + 1):
        package = ".".join(parts[:depth])
        if package not in _SHARED:
            yield package


def parents(integrations: Iterable[Integration]) -> set[str]:
    """The packages above the modules where we cut, of all levels."""
    modules = {seam.module for each in integrations for seam in seams(each)}
    return {module[:place] for module in modules for place, sign in enumerate(module) if sign == "."}


def gone(package: str, integrations: Iterable[Integration]) -> Iterator[AnySeam]:
    """Functions whose module a release that nobody has tested does not have below a package it does have.

    In the releases that are tested, what is not there is a function of others.
    """
    untested: dict[str, bool] = {}
    for each in integrations:
        for seam in seams(each):
            if not seam.module.startswith(f"{package}."):
                continue
            distribution = library(seam, each)
            if distribution not in untested:
                release = installed(distribution)
                untested[distribution] = release is not None and is_newer(distribution, release)
            # Asked first, for it is one question for all of a library, and the others look for files.
            if untested[distribution] and not _is_there(seam, package) and not _has_twin(seam, each):
                yield seam


def has_module(module: str) -> bool | None:
    """Whether a module can be imported; None where its package has not been, for only that could tell."""
    if module in sys.modules:
        return True
    parent = module.rpartition(".")[0]
    if parent and parent not in sys.modules:
        return None if has_module(parent) is not False else False
    with suppress(ImportError, ValueError, AttributeError):
        return find_spec(module) is not None
    return False


def _is_there(seam: AnySeam, package: str) -> bool:
    """Whether the way from a package down to a function goes one step further."""
    following = seam.module[len(package) + 1 :].partition(".")[0]
    return has_module(f"{package}.{following}") is not False


def _has_twin(seam: AnySeam, integration: Integration) -> bool:
    """Whether the same function is there in another place, for it moved from one release to the next."""
    twins = (each for each in seams(integration) if each.name == seam.name and each.module != seam.module)
    return any(has_module(each.module) for each in twins)


def _order(release: str) -> tuple[int, ...]:
    """Numbers to compare releases by; a pre-release counts as its release."""
    found = re.match(r"\d+(?:\.\d+)*", release)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
