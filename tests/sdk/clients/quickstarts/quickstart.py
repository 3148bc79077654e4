"""What a quick start is: code to copy, what the provider answers to it, and what the spans must say."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from shapes.provider import Answer, Provider
from shapes.shape import Taken, looks

from quickstarts.loopback import http

Serve = Callable[[Provider], AbstractContextManager[str]]


@dataclass(frozen=True, slots=True)
class Quickstart:
    """A piece of code that a user copies."""

    name: str
    """Endpoint and shape, as in the table: `chat`, `chat streamed`, `chat async`, `rerank`."""

    run: Callable[[str], Any]
    """The code, given the provider's address; where it is a coroutine function, it is run by asyncio."""

    answers: tuple[Answer, ...]
    calls: tuple[Mapping[str, Any], ...]
    """What the span of each provider call says (`shapes.api.call`), in the order the calls ended."""

    serve: Serve = http
    """How the provider is reached, where that is not HTTP."""

    needs: Callable[[], bool] | None = None
    """Whether this release of the client has it at all, where not all do."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client library, with a row of the table in `sdk/README.md`."""

    library: str
    """The distribution, as its installer calls it."""

    module: str
    """The module that it is imported by."""

    quickstarts: tuple[Quickstart, ...]
    reported: str
    """What its provider reports, in words for the table."""

    missing: str = ""
    """What nobody reports, and how that is marked."""

    @property
    def is_installed(self) -> bool:
        """Whether this environment has it."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:
            # A package above it is not there.
            return False


def take(quickstart: Quickstart, start: Callable[[], Any] = lambda: None) -> Taken:
    """Run the code; `start` is called before it."""
    provider = Provider(quickstart.answers)
    with quickstart.serve(provider) as url:
        start()
        try:
            result = quickstart.run(url)
            if inspect.iscoroutine(result):
                result = asyncio.run(result)
        except Exception as error:  # noqa: BLE001  (whatever the application sees is the result)
            result = error
        return Taken(_anywhere(looks(result), url), provider.asked)


def _anywhere(value: Any, url: str) -> Any:
    """A value as it is whatever the address of the provider."""
    if isinstance(value, str):
        return value.replace(url, "…")
    if isinstance(value, dict):
        return {key: _anywhere(item, url) for key, item in value.items()}
    return [_anywhere(item, url) for item in value] if isinstance(value, list) else value
