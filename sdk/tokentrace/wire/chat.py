"""OpenAI Chat Completions, and everyone who speaks it: Groq, Together, DeepSeek, xAI, vLLM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import TEXT, THOUGHT, Format, Reading, Said, items, mapping, number, overlaid
from tokentrace.wire import inclusive
from tokentrace.wire.prompts import chat as prompts
from tokentrace.wire.rules import fault, tier

_APART = frozenset({"x_ai"})
"""Providers that report reasoning beside the completion."""

_UNTOTALLED = frozenset({"vercel", "vercel-gateway"})
"""Gateways that report it beside the completion and leave it out of the total."""


def read(part: Any, seen: Reading) -> None:
    """A `chat.completion`, or one `chat.completion.chunk` of it."""
    # Of every field is asked first what nearly all answers have there, for a function each would take half of the time.
    part = part if part.__class__ is dict else mapping(part)
    told = part.get
    if isinstance(model := told("model"), str) and model:
        seen.model = model
    if isinstance(answer := told("id"), str) and answer:
        seen.response_id = answer
    if served := told("service_tier"):
        seen.tier = tier(served) or seen.tier
    if told("error"):
        seen.error = fault(part) or seen.error
    if (choices := told("choices")).__class__ is not list:
        choices = items(choices)
    for place, choice in enumerate(choices):
        _read_choice(choice if choice.__class__ is dict else mapping(choice), place, seen)
    if usage := told("usage") or mapping(told("x_groq")).get("usage"):
        usage = usage if usage.__class__ is dict else mapping(usage)
        seen.usage = overlaid(seen.usage, usage) if seen.usage else usage
        if served := usage.get("service_tier"):
            seen.tier = tier(served) or seen.tier
        # The chunk that brings only the usage is the last one.
        seen.complete = seen.complete or not choices
    if breakdown := told("usage_breakdown"):
        _compound().read_models(breakdown, seen)


def _compound() -> ModuleType:
    # Of Groq's alone.
    from tokentrace.wire import compound  # noqa: PLC0415

    return compound


def _read_choice(choice: Mapping[str, Any], place: int, seen: Reading) -> None:
    told = choice.get
    if isinstance(reason := told("finish_reason"), str) and reason:
        index = number(told("index"))
        seen.finish[place if index is None else index] = reason
        seen.complete = True
        # OpenRouter ends a choice so, when the provider behind it fails.
        if reason == "error":
            seen.error = fault(choice) or seen.error or reason
    # Some servers name no reason; a whole message is over all the same.
    if "message" in choice:
        seen.complete = True
    message: Any = told("message") or told("delta")
    said = message.get if message.__class__ is dict else mapping(message).get
    content = said("content")
    has_thinking = content.__class__ is not str and _has_thinking(content)
    if has_thinking or said("reasoning_content") or said("reasoning"):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True
    if asked := said("tool_calls"):
        _count_calls(asked, seen)
    if executed := said("executed_tools"):
        _compound().read_tools(executed, seen)


def _count_calls(asked: Any, seen: Reading) -> None:
    """Of a stream, the pieces of each call have its place; the finish may be that of any text."""
    for place, one in enumerate(map(mapping, items(asked))):
        index = number(one.get("index"))
        seen.calls = max(seen.calls, 1 + (place if index is None else index))


def _has_thinking(content: Any) -> bool:
    """Whether a message of Mistral's has blocks of reasoning among its content."""
    return isinstance(content, list) and any(mapping(block).get("type") == "thinking" for block in items(content))


def say(part: Any, said: Said) -> None:
    """What a completion or a chunk of it says."""
    for place, choice in enumerate(map(mapping, items(mapping(part).get("choices")))):
        index = number(choice.get("index"))
        index = place if index is None else index
        said.add(TEXT, choice.get("text"), index)
        _say_message(mapping(choice.get("message") or choice.get("delta")), index, said)


def _say_message(message: Mapping[str, Any], index: int, said: Said) -> None:
    say_content(message.get("content"), said, index)
    said.add(TEXT, message.get("refusal"), (index, "refusal"))
    # Some servers show the same reasoning under both names.
    said.add(THOUGHT, message.get("reasoning_content") or message.get("reasoning"), index)
    for place, asked in enumerate(map(mapping, items(message.get("tool_calls")))):
        function = mapping(asked.get("function"))
        said.call(function.get("name"), function.get("arguments"), (index, asked.get("index", place)))
    if function := mapping(message.get("function_call")):
        said.call(function.get("name"), function.get("arguments"), (index, "function"))
    if message.get("audio") or message.get("images"):
        said.is_cut = True


def say_content(content: Any, said: Said, place: Any = 0) -> None:
    """What a content says that is a text, or a list of blocks."""
    said.add(TEXT, content, place)
    for block in map(mapping, items(content)):
        if block.get("type") == "thinking":
            thought = block.get("thinking")
            for piece in (thought, *(mapping(each).get("text") for each in items(thought))):
                said.add(THOUGHT, piece, place)
        else:
            said.add(TEXT, block.get("text"), place)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """Prompt and completion tokens with the parts they count in."""
    if (usage := inclusive.plain(seen, context)) is not None:
        return usage
    apart, untotalled = provider in _APART, provider in _UNTOTALLED
    counts = inclusive.tally(seen.usage, apart=apart, untotalled=untotalled)
    if "models" in seen.facts or "executed_tools" in seen.facts:
        _compound().add(counts, seen)
    return counts.settle(seen, context)


FORMAT = Format(
    "chat",
    read,
    count,
    re.compile(
        rb'"(?:usage"\s*:\s*\{|finish_reason"\s*:\s*"|error"\s*:\s*[^\sn]|reasoning(?:_content)?"\s*:\s*"[^"]'
        rb'|thinking"\s*:\s*\[|executed_tools"\s*:\s*\[|tool_calls"\s*:\s*\[\s*\{[^{}]*"(?:id|type)"\s*:\s*")'
    ),
    say=say,
    compose=prompts.compose,
)
