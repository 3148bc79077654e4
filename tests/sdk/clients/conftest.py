"""Takes a shape of a call with and without metering."""

from __future__ import annotations

import functools
import gc
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from shapes.record import is_call, said
from shapes.shape import Shape, Surface, Taken, take


@dataclass(frozen=True, slots=True)
class Verdict:
    """A shape, taken without and with metering."""

    bare: Taken
    metered: Taken
    calls: tuple[Mapping[str, Any], ...]
    """What the spans said."""


_ssl_context = functools.cache(ssl.create_default_context)

Judge = Callable[[Surface, Shape, str], Verdict]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients try again at once."""
    for library in ("openai", "anthropic"):
        try:
            module = import_module(f"{library}._base_client")
        except ModuleNotFoundError:
            continue  # Not every environment has it.
        monkeypatch.setattr(module, "INITIAL_RETRY_DELAY", 0.0)
        monkeypatch.setattr(module, "MAX_RETRY_DELAY", 0.0)
    with suppress(ModuleNotFoundError):
        backoff = import_module("botocore.retries.standard").ExponentialBackoff
        monkeypatch.setattr(backoff, "delay_amount", lambda *_: 0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the garbage collector what the imports have left, and every new client the loading of certificates."""
    gc.freeze()
    monkeypatch.setattr(ssl, "create_default_context", _ssl_context)


@pytest.fixture
def judge(metering) -> Judge:
    """Takes a shape bare, then metered."""

    def judged(surface: Surface, shape: Shape, mode: str) -> Verdict:
        with ExitStack() as stack:
            began: list[Any] = []
            bare = take(surface, shape, mode)
            metered = take(surface, shape, mode, lambda: began.append(stack.enter_context(metering())))
            gc.collect()
            return Verdict(bare, metered, tuple(said(span) for span in began[0].ours() if is_call(span)))

    return judged
