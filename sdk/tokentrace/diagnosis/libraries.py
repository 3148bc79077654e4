"""Which client libraries are here, and which of their functions are wrapped."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import wrapt

from tokentrace.diagnosis.report import Fit, Library, Problem, Seam
from tokentrace.integration import AnySeam, SessionSeam
from tokentrace.seams import fit, install
from tokentrace.seams.releases import RELEASES

_NOBODY = {"", "tokentrace", *sys.stdlib_module_names}


def found() -> tuple[Library, ...]:
    """The client libraries that are installed here, by name."""
    seams: dict[str, dict[str, AnySeam]] = {}
    for integration in install.integrations():
        for seam in fit.seams(integration):
            seams.setdefault(fit.library(seam, integration), {})[_name(seam)] = seam
    present = ((name, fit.installed(name)) for name in sorted(seams))
    return tuple(_library(name, release, seams[name].values()) for name, release in present if release is not None)


def problems(libraries: Iterable[Library]) -> Iterator[Problem]:
    """What is lost in them, and what helps."""
    for library in libraries:
        remedy = (
            f"Upgrade tokentrace, or stay with {library.name} {library.tested[-1]} until it knows this release."
            if library.is_newer
            else "Have tokentrace.instrument() called after whoever replaces functions of the library."
        )
        for seam in library.lost:
            what = "is not in this release" if seam.fit == "missing" else "was replaced after it had been wrapped"
            yield Problem(f"{library.name} {library.release}", f"{seam.name} {what}: {seam.cost}.", remedy)


def wrappers(libraries: Iterable[Library]) -> Iterator[str]:
    """The modules of the wrappers that others have put on the functions that we wrap."""
    for library in libraries:
        for seam in library.seams:
            if seam.fit in {"fitted", "replaced"}:
                own = seam.name.partition(".")[0]
                authors = map(_author, _chain(seam.name))
                yield from (each for each in authors if each.partition(".")[0] not in {own, *_NOBODY})


def _name(seam: AnySeam) -> str:
    return f"{seam.module}:{seam.name}"


def _library(name: str, release: str, seams: Iterable[AnySeam]) -> Library:
    return Library(
        name=name,
        release=release,
        tested=RELEASES.get(name, ()),
        is_newer=fit.is_newer(name, release),
        is_older=fit.is_older(name, release),
        seams=tuple(_looked_at(seams)),
    )


def _looked_at(seams: Iterable[AnySeam]) -> Iterator[Seam]:
    for seam in seams:
        if (state := _fit(seam)) is not None:
            yield Seam(_name(seam), state, "" if state == "fitted" else fit.cost(seam))


def _fit(seam: AnySeam) -> Fit | None:
    """How a function is wrapped; None where it is one of other releases."""
    installation, name = install.current(), f"{seam.module}.{seam.name}"
    if installation is None:
        return "waiting" if fit.has_module(seam.module) is not False else None
    if name in installation.misfits:
        return "missing"
    if seam.module not in sys.modules:
        return "waiting" if fit.has_module(seam.module) is not False else None
    ours = installation.wrappers.get(name)
    if ours is None:
        return None if isinstance(seam, SessionSeam) else "waiting"
    return "fitted" if any(each is ours for each in _chain(_name(seam))) else "replaced"


def _chain(name: str) -> Iterator[Any]:
    """A function with all its wrappers, from the outermost inwards."""
    module, _, path = name.partition(":")
    try:
        *_, function = wrapt.resolve_path(sys.modules[module], path)
    except (AttributeError, KeyError):
        return
    wrapper: Any = function
    for _ in range(32):
        if wrapper is None:
            return
        yield wrapper
        wrapper = getattr(wrapper, "__wrapped__", None)


def _author(wrapper: Any) -> str:
    """The module that wrote a wrapper; empty where it is none."""
    if (code := getattr(wrapper, "_self_wrapper", None)) is not None:
        return str(getattr(code, "__module__", None) or "")
    # A wrapper of `functools` says that it is of the module it wraps; its globals know better.
    told = getattr(wrapper, "__globals__", {}) if hasattr(wrapper, "__wrapped__") else {}
    return str(told.get("__name__", ""))
