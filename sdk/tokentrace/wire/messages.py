"""Anthropic Messages: the Anthropic API, Bedrock, Vertex and Foundry."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import (
    NOTHING,
    TEXT,
    THOUGHT,
    Format,
    Reading,
    Said,
    items,
    mapping,
    number,
    overlaid,
    text,
)
from tokentrace.wire.prompts import messages as prompts
from tokentrace.wire.rules import ANTHROPIC, fault, lasting, tier
from tokentrace.wire.tally import Tally

_MAIN = frozenset({"message", "fallback_message"})
"""Iterations that the top-level counts include."""

_TOKENS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


def read(part: Any, seen: Reading) -> None:
    """A `message`, or one event of its stream: the start counts the input, each delta the output so far."""
    part = mapping(part)
    kind = part.get("type")
    if kind in ("content_block_start", "content_block_delta"):
        _read_block(mapping(part.get("content_block") or part.get("delta")), seen)
        return
    message = mapping(part.get("message")) or part
    seen.model = text(message.get("model")) or seen.model
    seen.response_id = text(message.get("id")) or seen.response_id
    seen.error = fault(part) or seen.error
    reason = text(mapping(part.get("delta")).get("stop_reason")) or text(message.get("stop_reason"))
    if reason:
        seen.finish[0] = reason
    seen.complete = seen.complete or bool(reason) or kind == "message_stop"
    if usage := mapping(message.get("usage")):
        _read_usage(usage, seen)
    for block in items(message.get("content")):
        _read_block(mapping(block), seen)


def _read_usage(usage: Mapping[str, Any], seen: Reading) -> None:
    seen.usage = overlaid(seen.usage, usage)
    seen.tier = tier(usage.get("service_tier")) or seen.tier
    if usage.get("speed") == "fast":
        seen.tier = "fast"
    if region := text(usage.get("inference_geo")):
        seen.facts["region"] = region


def _read_block(block: Mapping[str, Any], seen: Reading) -> None:
    kind = block.get("type")
    if kind in ("thinking", "redacted_thinking"):
        seen.facts["has_thinking_block"] = True
        seen.visibility = seen.visibility or "hidden"
    if block.get("thinking"):
        seen.visibility = "summarised"


def say(part: Any, said: Said) -> None:
    """What a message or an event of its stream says."""
    part = mapping(part)
    index = number(part.get("index")) or 0
    if part.get("type") == "content_block_start":
        _say_block(mapping(part.get("content_block")), index, said, is_begun=True)
    elif part.get("type") == "content_block_delta":
        delta = mapping(part.get("delta"))
        said.add(TEXT, delta.get("text"), index)
        said.add(THOUGHT, delta.get("thinking"), index)
        said.call(None, delta.get("partial_json"), index)
    else:
        message = mapping(part.get("message")) or part
        for place, block in enumerate(items(message.get("content"))):
            _say_block(mapping(block), place, said)


def _say_block(block: Mapping[str, Any], place: int, said: Said, *, is_begun: bool = False) -> None:
    kind = text(block.get("type")) or ""
    if kind == "text":
        said.add(TEXT, block.get("text"), place)
    elif kind == "thinking":
        said.add(THOUGHT, block.get("thinking"), place)
        said.is_veiled = said.is_veiled or not (block.get("thinking") or is_begun)
    elif kind == "redacted_thinking":
        said.is_veiled = True
    elif kind.endswith("tool_use"):
        # The input of one that has only begun is empty, and comes in pieces.
        said.call(block.get("name"), None if is_begun else block.get("input"), place)
        # Of a tool that runs at the provider not all is shown that the model writes for it.
        said.is_cut = said.is_cut or kind == "server_tool_use"


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Input beside its cache, output with its thinking, and the iterations of other models apart."""
    usage = seen.usage
    counts = Tally()
    if iterations := [mapping(iteration) for iteration in items(usage.get("iterations"))]:
        usage = _iterate(counts, usage, iterations)
    _place(counts, usage)
    if tools := mapping(usage.get("server_tool_use")):
        counts.meter("web_search", number(tools.get("web_search_requests")))
        counts.meter("web_fetch", number(tools.get("web_fetch_requests")))
    if usage.get("service_tier") == "batch":
        counts.flags["batch"] = True
    # A refusal before the first token is not billed.
    if seen.finish.get(0) == "refusal" and (counts.output or 0) <= 1:
        counts.flags["billable"] = False
    return counts.settle(seen, context)


def _iterate(counts: Tally, usage: Mapping[str, Any], iterations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The usage of the main model; what other models and other work took becomes parts of their own."""
    main = [iteration for iteration in iterations if text(iteration.get("type")) in _MAIN]
    handed_over = any(iteration.get("type") == "fallback_message" for iteration in main)
    if handed_over:
        counts.flags["main_is_sum_of_sub"] = True
    counts.sub.extend(_part(iteration) for iteration in iterations if handed_over or iteration not in main)
    summed = {name: sum(number(iteration.get(name)) or 0 for iteration in main) for name in _TOKENS}
    if not main or all(summed[name] == (number(usage.get(name)) or 0) for name in _TOKENS):
        return usage
    # Providers bill what each iteration took.
    counts.flags["top_level_disagrees"] = True
    return {**usage, **summed}


def _place(counts: Tally, usage: Mapping[str, Any]) -> None:
    fresh, answered = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
    read_back, stored = number(usage.get("cache_read_input_tokens")), _written(counts, usage)
    said = [count for count in (fresh, read_back, *stored.values()) if count is not None]
    if said:
        # Anthropic leaves cached tokens out of `input_tokens`; every other provider counts them in.
        counts.place_input(sum(said), read_back, stored)
    if answered is not None:
        details = mapping(usage.get("output_tokens_details"))
        counts.place_output(answered, reasoning=number(details.get("thinking_tokens")))


def _written(counts: Tally, usage: Mapping[str, Any]) -> Mapping[str, int]:
    split, written = mapping(usage.get("cache_creation")), number(usage.get("cache_creation_input_tokens"))
    if written is None:
        known = [count for _, name in ANTHROPIC.named if (count := number(split.get(name))) is not None]
        return lasting(counts.flags, sum(known), split, ANTHROPIC) if known else NOTHING
    # Servers that do not split know the one life of five minutes.
    return lasting(counts.flags, written, split, ANTHROPIC) if split else {ANTHROPIC.usual: written}


def _part(iteration: Mapping[str, Any]) -> Mapping[str, Any]:
    counts = Tally()
    _place(counts, iteration)
    return counts.part(text(iteration.get("type")) or "iteration", text(iteration.get("model")))


FORMAT = Format(
    "messages",
    read,
    count,
    re.compile(
        rb'"(?:type"\s*:\s*"(?:message_(?:start|delta|stop)|error|(?:redacted_)?thinking)"|thinking"\s*:\s*"[^"]'
        rb'|stop_reason"\s*:\s*")'
    ),
    say=say,
    compose=prompts.compose,
)
