"""OpenAI Chat Completions, and everyone who speaks it: Groq, Together, DeepSeek, xAI, vLLM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.reading import Format, Reading, items, mapping, number, overlaid, text
from tokentrace.usage import Usage
from tokentrace.wire import compound, inclusive
from tokentrace.wire.prompts import chat as prompts
from tokentrace.wire.rules import fault, tier

_APART = frozenset({"x_ai"})
"""Providers that report reasoning beside the completion."""

_UNTOTALLED = frozenset({"vercel", "vercel-gateway"})
"""Gateways that report it beside the completion and leave it out of the total."""


def read(part: Any, seen: Reading) -> None:
    """A `chat.completion`, or one `chat.completion.chunk` of it."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.response_id = text(part.get("id")) or seen.response_id
    seen.tier = tier(part.get("service_tier")) or seen.tier
    seen.error = fault(part) or seen.error
    choices = items(part.get("choices"))
    for place, choice in enumerate(choices):
        _read_choice(mapping(choice), place, seen)
    usage = part.get("usage") or mapping(part.get("x_groq")).get("usage")
    if usage:
        seen.usage = overlaid(seen.usage, mapping(usage))
        seen.tier = tier(mapping(usage).get("service_tier")) or seen.tier
        # The chunk that brings only the usage is the last one.
        seen.complete = seen.complete or not choices
    if breakdown := part.get("usage_breakdown"):
        compound.read_models(breakdown, seen)


def _read_choice(choice: Mapping[str, Any], place: int, seen: Reading) -> None:
    if reason := text(choice.get("finish_reason")):
        index = number(choice.get("index"))
        seen.finish[place if index is None else index] = reason
        seen.complete = True
        # OpenRouter ends a choice so, when the provider behind it fails.
        if reason == "error":
            seen.error = fault(choice) or seen.error or reason
    # Some servers name no reason; a whole message is over all the same.
    if "message" in choice:
        seen.complete = True
    message = mapping(choice.get("message") or choice.get("delta"))
    if message.get("reasoning_content") or message.get("reasoning") or _has_thinking(message.get("content")):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True
    if executed := message.get("executed_tools"):
        compound.read_tools(executed, seen)


def _has_thinking(content: Any) -> bool:
    """Whether a message of Mistral's has blocks of reasoning among its content."""
    return isinstance(content, list) and any(mapping(block).get("type") == "thinking" for block in items(content))


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """Prompt and completion tokens with the parts they count in."""
    apart, untotalled = provider in _APART, provider in _UNTOTALLED
    counts = inclusive.tally(seen.usage, apart=apart, untotalled=untotalled)
    if seen.facts:
        compound.add(counts, seen)
    return counts.settle(seen, context)


FORMAT = Format(
    "chat",
    read,
    count,
    re.compile(
        rb'"(?:usage"\s*:\s*\{|finish_reason"\s*:\s*"|error"\s*:\s*[^\sn]|reasoning(?:_content)?"\s*:\s*"[^"]'
        rb'|thinking"\s*:\s*\[|executed_tools"\s*:\s*\[)'
    ),
    compose=prompts.compose,
)
