"""Takes a shape of a call with and without metering."""

from __future__ import annotations

import functools
import gc
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from shapes.shape import Shape, Surface, Taken, take

INPUT = ("input_", "cache_", "tool_use_prompt")


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
        module = import_module(f"{library}._base_client")
        monkeypatch.setattr(module, "INITIAL_RETRY_DELAY", 0.0)
        monkeypatch.setattr(module, "MAX_RETRY_DELAY", 0.0)


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
            return Verdict(bare, metered, tuple(said(span) for span in began[0].ours()))

    return judged


def said(span: ReadableSpan) -> dict[str, Any]:
    """What the span of a call says; what it leaves out is absent here too."""
    attributes = dict(span.attributes or {})
    prefix = "tokentrace.usage."
    told = {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}
    tokens = {name: value for name, value in told.items() if isinstance(value, int) and value}
    return {
        "scope": told["scope"],
        "source": told["source"],
        "tokens": tokens,
        "attempts": _attempts(span),
    } | _optional(attributes, _wrong(tokens, attributes))


def _attempts(span: ReadableSpan) -> list[Any]:
    """How each HTTP request ended: a status or an error. One that went well is not told apart."""
    noted: list[Mapping[str, Any]] = [event.attributes or {} for event in span.events]
    total = (span.attributes or {})["tokentrace.attempts"]
    assert total == len(noted) or (total == 1 and not noted)
    return [each.get("http.response.status_code") or each.get("error.type") for each in noted] or [200]


def _optional(attributes: Mapping[str, Any], wrong: Mapping[str, Any]) -> dict[str, Any]:
    named = {"end": attributes.get("tokentrace.stream.end"), "error": attributes.get("error.type")}
    return {key: value for key, value in named.items() if value is not None} | dict(wrong)


def _wrong(tokens: Mapping[str, int], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The standard totals that are not the sums of the buckets."""
    inputs = sum(count for name, count in tokens.items() if name.startswith(INPUT))
    sums = {"input": inputs, "output": sum(tokens.values()) - inputs}
    totals = {side: attributes.get(f"gen_ai.usage.{side}_tokens") for side in sums}
    return {f"{side}_total": totals[side] for side in sums if (totals[side] or 0) != sums[side]}
