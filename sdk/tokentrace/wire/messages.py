"""Anthropic Messages: the Anthropic API, Bedrock, Vertex and Foundry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tokentrace.reading import Format, Reading, items, mapping, number, overlaid, text
from tokentrace.usage import Usage
from tokentrace.wire.inclusive import lasting
from tokentrace.wire.rules import Tally, fault, first

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
    seen.tier = text(usage.get("service_tier")) or seen.tier
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


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Input beside its cache, output with its thinking, and the iterations of other models apart."""
    usage = seen.usage
    counts = Tally()
    iterations = [mapping(iteration) for iteration in items(usage.get("iterations"))]
    main = [iteration for iteration in iterations if iteration.get("type") in _MAIN]
    summed = {name: _sum(main, name) for name in _TOKENS}
    if main and any(summed[name] != (number(usage.get(name)) or 0) for name in _TOKENS):
        counts.flags["top_level_disagrees"] = True
        usage = {**usage, **summed}
    _place(counts, usage)
    handed_over = any(iteration.get("type") == "fallback_message" for iteration in main)
    if handed_over:
        counts.flags["main_is_sum_of_sub"] = True
    counts.sub.extend(_part(iteration) for iteration in iterations if handed_over or iteration.get("type") not in _MAIN)
    tools = mapping(usage.get("server_tool_use"))
    counts.meter("web_search", first(tools, "web_search_requests"))
    counts.meter("web_fetch", first(tools, "web_fetch_requests"))
    if usage.get("service_tier") == "batch":
        counts.flags["batch"] = True
    # A refusal before the first token is not billed.
    if seen.finish.get(0) == "refusal" and (counts.output or 0) <= 1:
        counts.flags["billable"] = False
    return counts.settle(seen, context)


def _sum(iterations: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(number(iteration.get(name)) or 0 for iteration in iterations)


def _place(counts: Tally, usage: Mapping[str, Any]) -> None:
    fresh, answered = first(usage, "input_tokens"), first(usage, "output_tokens")
    read_back = first(usage, "cache_read_input_tokens")
    stored = _written(counts, usage)
    said = [number for number in (fresh, read_back, *stored.values()) if number is not None]
    if said:
        # Anthropic leaves cached tokens out of `input_tokens`; every other provider counts them in.
        counts.place_input(sum(said), read_back, stored)
    if answered is not None:
        details = mapping(usage.get("output_tokens_details"))
        counts.place_output(answered, reasoning=first(details, "thinking_tokens"))


def _written(counts: Tally, usage: Mapping[str, Any]) -> Mapping[str, int]:
    split = mapping(usage.get("cache_creation"))
    long, short = first(split, "ephemeral_1h_input_tokens"), first(split, "ephemeral_5m_input_tokens")
    written = first(usage, "cache_creation_input_tokens")
    if written is None:
        known = [count for count in (long, short) if count is not None]
        if not known:
            return {}
        written = sum(known)
    if long is None and short is None:
        # Servers that do not split know the one life of five minutes.
        return {"cache_write_5m": written}
    return lasting(counts, written, {"cache_write_1h": long, "cache_write_5m": short}, "cache_write_5m")


def _part(iteration: Mapping[str, Any]) -> Mapping[str, Any]:
    counts = Tally()
    _place(counts, iteration)
    return counts.part(text(iteration.get("type")) or "iteration", text(iteration.get("model")))


FORMAT = Format(
    "messages",
    read,
    count,
    re.compile(
        rb'"(?:type"\s*:\s*"(?:message_(?:start|delta|stop)|error|(?:redacted_)?thinking)"|thinking"\s*:\s*"[^"])'
    ),
)
