"""Bedrock Converse, whichever vendor's model answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import (
    NOTHING,
    TEXT,
    THOUGHT,
    Format,
    Reading,
    Said,
    dig,
    items,
    mapping,
    number,
    overlaid,
    text,
)
from tokentrace.wire.prompts import converse as prompts
from tokentrace.wire.rules import ANTHROPIC, fault, first, lasting, tier
from tokentrace.wire.tally import Tally

EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "messageStop", "metadata")
"""The names of the events of a stream."""

_CATALOGUED = re.compile(r"arn:[^:]+:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<model>.+)")


def read(part: Any, seen: Reading) -> None:
    """A response, or one event of its stream, bare or under its name: the metadata at the end counts."""
    part = mapping(part)
    event = next((mapping(part[name]) for name in EVENTS if name in part), part)
    seen.error = fault(event) or seen.error
    if reason := text(event.get("stopReason")):
        seen.finish[0] = reason
    if usage := mapping(event.get("usage")):
        seen.usage = overlaid(seen.usage, usage)
        seen.complete = True
    if extra := mapping(event.get("additionalModelResponseFields")):
        seen.facts["additionalModelResponseFields"] = extra
    if units := guarded(dig(event, "trace", "guardrail")):
        seen.facts["guardrail_units"] = units
    seen.tier = served(dig(event, "serviceTier", "type"), dig(event, "performanceConfig", "latency")) or seen.tier
    if routed := text(dig(event, "trace", "promptRouter", "invokedModelId")):
        seen.model = model_of(routed)
    for block in (*items(dig(event, "output", "message", "content")), event.get("delta")):
        _read_block(mapping(mapping(block).get("reasoningContent")), seen)


def say(part: Any, said: Said) -> None:
    """What a response or an event of its stream says."""
    part = mapping(part)
    event = next((mapping(part[name]) for name in EVENTS if name in part), part)
    place = number(event.get("contentBlockIndex")) or 0
    for block in (event.get("start"), event.get("delta")):
        _say_block(mapping(block), place, said)
    for place, block in enumerate(items(dig(event, "output", "message", "content"))):
        _say_block(mapping(block), place, said)


def _say_block(block: Mapping[str, Any], place: int, said: Said) -> None:
    said.add(TEXT, block.get("text"), place)
    if tool := mapping(block.get("toolUse")):
        said.call(tool.get("name"), tool.get("input"), place)
    if reasoning := mapping(block.get("reasoningContent")):
        said.add(THOUGHT, reasoning.get("text") or dig(reasoning, "reasoningText", "text"), place)
        said.is_veiled = said.is_veiled or bool(reasoning.get("redactedContent"))
    said.is_cut = said.is_cut or bool(block.get("image") or block.get("video"))


def model_of(named: str) -> str:
    """The id of a model or of AWS's own inference profile; what else an ARN names is known by the ARN alone."""
    found = _CATALOGUED.fullmatch(named)
    return found["model"] if found else named


def served(service: Any, latency: Any) -> str | None:
    """The tier that answered: optimised latency has a price of its own, too."""
    told = tier(service), tier(latency)
    return next((name for name in told if name not in {None, "standard"}), told[0] or told[1])


def _read_block(reasoning: Mapping[str, Any], seen: Reading) -> None:
    if reasoning:
        seen.facts["has_reasoning_content"] = True
        shown = reasoning.get("text") or dig(reasoning, "reasoningText", "text")
        seen.visibility = "summarised" if shown else seen.visibility or "hidden"


def guarded(trace: Any) -> int:
    """Units of every policy that was applied and is billed."""
    if isinstance(trace, (list, tuple)):
        return sum(guarded(one) for one in items(trace))
    units = 0
    for name, value in mapping(trace).items():
        if name == "usage":
            units += sum(number(count) or 0 for unit, count in mapping(value).items() if _is_billed(unit))
        else:
            units += guarded(value)
    return units


def _is_billed(unit: str) -> bool:
    # Filters of words and of regular expressions are free.
    return unit.endswith("Units") and "Free" not in unit and unit != "wordPolicyUnits"


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Input beside its cache; reasoning where the model's own usage was asked for."""
    usage, counts = seen.usage, Tally()
    fresh, read_back = first(usage, "inputTokens"), first(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    stored = _written(counts, usage)
    said = [count for count in (fresh, read_back, *stored.values()) if count is not None]
    if said:
        counts.place_input(sum(said), read_back, stored)
    answered, total = first(usage, "outputTokens"), first(usage, "totalTokens")
    if answered is not None:
        facts = context if "additionalModelResponseFields" in context else seen.facts
        own = dig(facts.get("additionalModelResponseFields"), "usage", "output_tokens_details", "thinking_tokens")
        counts.place_output(answered, reasoning=number(own))
    if total is not None and total != (counts.input or 0) + (answered or 0):
        counts.flags["inconsistent"] = True
    counts.meter("guardrail_units", number(seen.facts.get("guardrail_units")))
    return counts.settle(seen, context)


def _written(counts: Tally, usage: Mapping[str, Any]) -> Mapping[str, int]:
    written = first(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    if written is None:
        return NOTHING
    details = [mapping(detail) for detail in items(usage.get("cacheDetails"))]
    split = {f"ephemeral_{detail.get('ttl')}_input_tokens": detail.get("inputTokens") for detail in details}
    return lasting(counts.flags, written, split, ANTHROPIC) if split else {ANTHROPIC.usual: written}


FORMAT = Format(
    "converse",
    read,
    count,
    re.compile(rb'"(?:usage|stopReason|additionalModelResponseFields|reasoningContent|error)"'),
    say=say,
    compose=prompts.compose,
)
