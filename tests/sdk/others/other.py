"""Whoever else tells of calls: how that is switched on, and what is asked meanwhile."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from quickstarts.loopback import http
from quickstarts.quickstart import Serve
from shapes.api import Tokens
from shapes.provider import Answer

AROUND = "it is around ours"
BESIDE = "it names the response that ours names"
SAME = "it counts the same, at the same time"
ABSENT = "it stays away while the call is metered"
_WEAK = re.compile(rb'"(id|responseId)": ?"([a-z0-9]+[-_]?[0-9a-z]{1,5})"')


@dataclass(frozen=True, slots=True)
class Case:
    """Something that is asked, and what the provider bills for it."""

    name: str
    run: Callable[[str], Any]
    """The code, given the provider's address; where it is a coroutine function, it is run by asyncio."""

    answers: tuple[Answer, ...]
    tokens: Tokens
    """Of one call."""

    calls: int = 1
    serve: Serve = http


@dataclass(frozen=True, slots=True)
class Other:
    """A library that traces itself, or another instrumentation."""

    name: str
    modules: tuple[str, ...]
    on: Callable[[TracerProvider], object]
    """Switches it on, with the application's provider."""

    cases: Callable[[], Sequence[Case]]
    tells: str
    """Of a call, in words for the table."""

    counted: str = AROUND
    """Why none of that is counted beside ours, in words for the table."""

    @property
    def is_installed(self) -> bool:
        """Whether this environment has all of it."""
        return all(is_installed(module) for module in self.modules)


def is_installed(module: str) -> bool:
    """Whether this environment has a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def by_itself(_provider: TracerProvider) -> None:
    """A library that needs not be switched on."""


def with_ids(answers: Sequence[Answer], number: int) -> tuple[Answer, ...]:
    """The answers under ids that nobody else has, as long as those of the providers are."""
    anew = rb'"\1": "\2-%024d"' % number
    return tuple(replace(each, parts=tuple(_WEAK.sub(anew, part) for part in each.parts)) for each in answers)
