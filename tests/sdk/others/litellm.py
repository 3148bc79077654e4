"""LiteLLM's callback `otel`."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from quickstarts import litellm
from quickstarts.litellm_answers import CHAT, CHAT_TOKENS, CHUNKS, EVENTS, MESSAGE, MESSAGE_TOKENS, RESPONSE
from shapes.provider import Answer, reply, stream

from others.other import AROUND, BESIDE, Case, Other

_PATIENCE = 30.0
"""Seconds that callbacks may take: they run in other threads, or as tasks of the loop."""
_told = threading.Event()


def _on(_provider: TracerProvider) -> None:
    # Its own provider is the application's where that has one.
    library = litellm._litellm()
    from litellm.integrations.custom_logger import CustomLogger

    class Last(CustomLogger):
        """The callback after theirs."""

        def log_success_event(self, *_: Any, **__: Any) -> None:
            _told.set()

        async def async_log_success_event(self, *_: Any, **__: Any) -> None:
            _told.set()

    library.callbacks = ["otel", Last()]


def _case(name: str, code: Callable[[str], Any], answer: Answer, tokens: dict[str, int]) -> Case:
    """Code, after which the callbacks have run."""

    def run(url: str) -> Any:
        _told.clear()
        result = code(url)
        if not _told.wait(_PATIENCE):
            raise TimeoutError(name)
        return result

    async def run_async(url: str) -> Any:
        _told.clear()
        result = await code(url)
        if not await asyncio.to_thread(_told.wait, _PATIENCE):
            raise TimeoutError(name)
        return result

    return Case(name, run_async if inspect.iscoroutinefunction(code) else run, (answer,), tokens)


def _cases() -> Iterator[Case]:
    yield _case("chat through openai", litellm.chat, reply(CHAT), CHAT_TOKENS)
    yield _case("chat through openai streamed", litellm.chat_streamed, stream(CHUNKS), CHAT_TOKENS)
    yield _case("chat through openai async", litellm.chat_async, reply(CHAT), CHAT_TOKENS)
    yield _case("messages", litellm.messages, reply(MESSAGE), MESSAGE_TOKENS)
    yield _case("messages streamed", litellm.messages_streamed, stream(EVENTS), MESSAGE_TOKENS)
    yield _case("messages async", litellm.messages_async, reply(MESSAGE), MESSAGE_TOKENS)
    yield _case("responses", litellm.response, reply(RESPONSE), CHAT_TOKENS)


LITELLM = (
    Other(
        "LiteLLM",
        ("litellm",),
        _on,
        lambda: tuple(_cases()),
        "a span in a trace of its own; where the call is awaited, attributes of the span that is current",
        f"{BESIDE}, or {AROUND}",
    ),
)
