"""Bedrock InvokeModel: the body of the model's vendor, or only the headers of the response."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, TEXT, Format, Reading, Said, dig, items, mapping, number, overlaid, text
from tokentrace.wire import chat, cohere, converse, messages, shape
from tokentrace.wire.prompts import invoke as prompts
from tokentrace.wire.rules import first
from tokentrace.wire.tally import Tally

_HEADERS = {
    "x-amzn-bedrock-input-token-count": "inputTokens",
    "x-amzn-bedrock-output-token-count": "outputTokens",
    "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokens",
    "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokens",
}
_METRICS = {
    "inputTokenCount": "inputTokens",
    "outputTokenCount": "outputTokens",
    "cacheReadInputTokenCount": "cacheReadInputTokens",
    "cacheWriteInputTokenCount": "cacheWriteInputTokens",
}
_MARKS = re.compile(
    rb'"(?:usage|metadata|stop_?[rR]eason|message_stop|results|\w+_token_count|error'
    rb'|amazon-bedrock-invocationMetrics|inputTextTokenCount|(?:redacted_)?thinking|reasoningContent)"'
)


def read(part: Any, seen: Reading) -> None:
    """A body or an event of its stream, parsed or as botocore gives it; or the headers, which say the same."""
    if isinstance(part, bytes):
        if document := _parsed(part):
            _read(document, seen, is_event=False)
            seen.complete = True
        return
    part = mapping(part)
    if isinstance(chunk := dig(part, "chunk", "bytes"), bytes):
        # Most chunks are text, which is nobody's business.
        if "spoken" not in seen.facts or _MARKS.search(chunk):
            _read(_parsed(chunk), seen, is_event=True)
    elif headers := {name.lower(): value for name, value in part.items() if name.lower().startswith("x-amzn-bedrock-")}:
        seen.facts["told"] = {_HEADERS[name]: count for name, count in headers.items() if name in _HEADERS}
        tiers = (headers.get(f"x-amzn-bedrock-{name}") for name in ("service-tier", "performanceconfig-latency"))
        seen.tier = converse.served(*tiers) or seen.tier
    else:
        _read(part, seen, is_event=False)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(content))
    except ValueError:
        return NOTHING


def _read(part: Mapping[str, Any], seen: Reading, *, is_event: bool) -> None:
    if metrics := mapping(part.get("amazon-bedrock-invocationMetrics")):
        seen.facts["told"] = {_METRICS[name]: count for name, count in metrics.items() if name in _METRICS}
        seen.complete = True
    if own := {name: count for name, count in _own(part).items() if count is not None}:
        seen.usage = overlaid(seen.usage, own)
        results = items(part.get("results"))
        if reason := text(part.get("stop_reason")) or text(dig((*results, part)[0], "completionReason")):
            seen.finish[0] = reason
        seen.complete = seen.complete or bool(reason) or not is_event
    elif (spoken := seen.facts.get("spoken") or _spoken(part)) is not None:
        seen.facts["spoken"] = spoken
        spoken.read(part, seen)
    elif images := [image for image in items(part.get("images")) if image]:
        seen.facts["images"] = len(images)


def _spoken(part: Mapping[str, Any]) -> Format | None:
    return converse.FORMAT if any(name in part for name in converse.EVENTS) else shape.of(part)


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


_SAYERS = (
    ("choices", chat.say),
    ("type", messages.say),
    ("output", converse.say),
    *((name, converse.say) for name in converse.EVENTS),
)
"""By a field that only this shape has."""


def say(part: Any, said: Said) -> None:
    """What a body or an event of its stream says, whichever vendor's it is."""
    told = mapping(part)
    chunk = dig(told, "chunk", "bytes")
    if isinstance(part, bytes) or isinstance(chunk, bytes):
        told = _parsed(part if isinstance(part, bytes) else chunk)
    spoken = next((say for name, say in _SAYERS if name in told), cohere.say)
    spoken(told, said)
    for name in ("generation", "outputText", "completion"):
        said.add(TEXT, told.get(name))
    for name in ("results", "outputs", "generations"):
        for place, one in enumerate(map(mapping, items(told.get(name)))):
            said.add(TEXT, one.get("outputText") or one.get("text"), place)
    said.is_cut = said.is_cut or bool(told.get("images"))


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """As the vendor of the model counts; as Bedrock counts where that one is silent."""
    if not seen.usage and (told := mapping(seen.facts.get("told"))):
        heard = Reading(usage=told, complete=True, finish=seen.finish, visibility=seen.visibility, facts=seen.facts)
        return converse.count(heard, provider, context)
    if not seen.usage and (images := number(seen.facts.get("images"))):
        counts = Tally()
        counts.meter("images", images)
        return counts.settle(seen, context)
    spoken = seen.facts.get("spoken") or converse.FORMAT
    counted: Usage = spoken.count(seen, provider, context)
    return counted


FORMAT = Format("invoke", read, count, _MARKS, say=say, compose=prompts.compose)
