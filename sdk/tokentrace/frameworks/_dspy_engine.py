"""The engine of DSPy that speaks HTTP itself, instead of through litellm: its calls are metered here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import Call, Request, Seam
from tokentrace.providers.registry import NAMES
from tokentrace.usage.reading import Format, Reading, dig, mapping, text
from tokentrace.wire import chat, gemini, messages, responses

_MODULE = "dspy.clients.engines.lm15_engine"


def _format(fmt: Format) -> Format:
    """A format, read from what the engine makes of it: it keeps the answer as it came, or the event with the usage."""

    def read(part: Any, seen: Reading) -> None:
        seen.model = text(dig(part, "model")) or seen.model
        seen.response_id = text(dig(part, "id")) or seen.response_id
        if (kept := mapping(dig(part, "provider_data"))) and dig(part, "type") == "end":
            # Anthropic counts in two events, of which it keeps the second.
            fmt.read({**kept, "usage": {**_counts(dig(part, "usage")), **mapping(kept.get("usage"))}}, seen)
        elif kept:
            fmt.read(kept, seen)

    return Format(fmt.name, read, fmt.count, fmt.marks)


def _counts(usage: Any) -> Mapping[str, int]:
    """The counts of the first event, by Anthropic's names; others have no such fields, and ignore them."""
    named = {
        "input_tokens": dig(usage, "input_tokens"),
        "cache_read_input_tokens": dig(usage, "cache_read_tokens"),
        "cache_creation_input_tokens": dig(usage, "cache_write_tokens"),
    }
    return {name: count for name, count in named.items() if count is not None}


_FORMATS = {
    "OpenAIChatLM": _format(chat.FORMAT),
    "XaiLM": _format(chat.FORMAT),
    "OpenAILM": _format(responses.FORMAT),
    "OpenAICodexLM": _format(responses.FORMAT),
    "AnthropicLM": _format(messages.FORMAT),
    "ClaudeCodeLM": _format(messages.FORMAT),
    "GeminiLM": _format(gemini.FORMAT),
}
"""By the class of the engine that speaks it."""


def _describe(*, stream: bool) -> Any:
    def describe(call: Call) -> Request | None:
        found = call.instance.resolve(call.arg(0, "request").model)
        fmt = _FORMATS.get(found.adapter.removeprefix("Async"))
        if fmt is None:
            return None
        urls: Mapping[str, str] = call.instance.config.base_urls or {}
        place = urlsplit(urls.get(found.provider) or "")
        # A provider that speaks several dialects is one provider each: openai-chat, azure-anthropic.
        provider: str = found.provider
        own = provider if provider in NAMES else provider.rpartition("-")[0]
        return Request(
            provider=NAMES.get(own, provider),
            operation="chat",
            model=found.model,
            format=fmt,
            host=place.hostname,
            port=place.port,
            stream=stream,
        )

    return describe


SEAMS = (
    Seam(_MODULE, "LM15Engine.complete", _describe(stream=False)),
    Seam(_MODULE, "LM15Engine.stream", _describe(stream=True)),
    Seam(_MODULE, "AsyncLM15Engine.complete", _describe(stream=False), awaited=True),
    Seam(_MODULE, "AsyncLM15Engine.stream", _describe(stream=True)),
)
