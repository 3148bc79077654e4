"""Which wire format a body or a usage object has, where no API says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.usage.reading import Format, dig, mapping, text
from tokentrace.wire import chat, converse, gemini, messages, ocr, responses, transcription

_FIELDS: tuple[tuple[Format, tuple[str, ...]], ...] = (
    # LiteLLM repeats Anthropic's fields beside OpenAI's: the first match wins.
    (chat.FORMAT, ("prompt_tokens", "completion_tokens")),
    (messages.FORMAT, ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation")),
    (responses.FORMAT, ("input_tokens_details", "output_tokens_details", "total_tokens")),
    (messages.FORMAT, ("input_tokens", "output_tokens")),
    (converse.FORMAT, ("inputTokens", "outputTokens")),
    (gemini.FORMAT, ("promptTokenCount", "prompt_token_count", "totalTokenCount", "total_token_count")),
)
_BARE: tuple[tuple[Format, tuple[str, ...]], ...] = (
    (ocr.FORMAT, ("pages", "usage_info")),
    (transcription.FORMAT, ("text", "duration")),
)
"""Bodies without a usage object, by the fields that they all have."""
_IDS = {"msg_": messages.FORMAT, "resp_": responses.FORMAT}


def of(raw: Mapping[str, Any]) -> Format | None:
    """The format of a body, by its id or by the fields of its usage; of a usage object by its fields."""
    identified = text(raw.get("id")) or text(dig(raw, "response", "id")) or text(dig(raw, "message", "id")) or ""
    for prefix, found in _IDS.items():
        if identified.startswith(prefix):
            return found
    places = (raw, mapping(raw.get("response")), mapping(raw.get("message")))
    told = [mapping(place.get(name)) for place in places for name in ("usage", "usageMetadata", "usage_metadata")]
    usage = next((one for one in told if one), raw)
    for found, fields in _FIELDS:
        if any(usage.get(field) is not None for field in fields):
            return found
    return next((found for found, fields in _BARE if all(raw.get(field) is not None for field in fields)), None)
