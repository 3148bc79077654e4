"""Bedrock InvokeModel: the body of the model's vendor, or only the headers of the response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.reading import NOTHING, Format, Reading, dig, items, mapping, number, overlaid
from tokentrace.usage import Usage
from tokentrace.wire import converse, shape
from tokentrace.wire.rules import first

_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokens",
    "x-amzn-bedrock-output-token-count": "outputTokens",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokens",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokens",
}


def read(part: Any, seen: Reading) -> None:
    """A body, an event of its stream, or the headers, which say the same once more."""
    part = mapping(part)
    if headers := {_HEADERS[name.lower()]: count for name, count in part.items() if name.lower() in _HEADERS}:
        seen.facts["headers"] = headers
        return
    if own := {name: count for name, count in _own(part).items() if count is not None}:
        seen.usage = overlaid(seen.usage, own)
        seen.complete = True
    elif (spoken := seen.facts.get("spoken") or shape.of(part)) is not None:
        seen.facts["spoken"] = spoken
        spoken.read(part, seen)


def _own(part: Mapping[str, Any]) -> Mapping[str, int | None]:
    """The counts of vendors without a usage object: Llama and Titan."""
    if "generation_token_count" not in part and "inputTextTokenCount" not in part:
        return NOTHING
    results = [number(dig(result, "tokenCount")) for result in items(part.get("results"))]
    written = [count for count in results if count is not None]
    return {
        "inputTokens": first(part, "prompt_token_count", "inputTextTokenCount"),
        "outputTokens": sum(written) if written else first(part, "generation_token_count", "totalOutputTextTokenCount"),
    }


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """As the vendor of the model counts; as Bedrock counts where that one is silent."""
    if not seen.usage and (headers := mapping(seen.facts.get("headers"))):
        told = Reading(usage=headers, complete=True, finish=seen.finish, visibility=seen.visibility, facts=seen.facts)
        return converse.count(told, provider, context)
    spoken = seen.facts.get("spoken") or converse.FORMAT
    counted: Usage = spoken.count(seen, provider, context)
    return counted


FORMAT = Format(
    "invoke", read, count, re.compile(rb'"(?:usage|stop_reason|message_stop|results|\w+_token_count|error)"')
)
