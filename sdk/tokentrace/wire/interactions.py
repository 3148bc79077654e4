"""Gemini interactions and decisions: Gemini's counts under other names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.reading import TEXT, Format, Reading, Said, dig, items, mapping, number, overlaid, text
from tokentrace.wire import gemini
from tokentrace.wire.prompts import steps
from tokentrace.wire.rules import fault, tier

_NAMES = {
    "total_tokens": "totalTokenCount",
    "total_input_tokens": "promptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
}
_DETAILS = {
    "input_tokens_by_modality": "promptTokensDetails",
    "cached_tokens_by_modality": "cacheTokensDetails",
    "output_tokens_by_modality": "candidatesTokensDetails",
}
_OPEN = frozenset({"in_progress", "queued"})
_FAILED = "failed"


def read(part: Any, seen: Reading) -> None:
    """An interaction, one event of its stream, or a decision; counts are always those of all that was done so far."""
    part = mapping(part)
    interaction = mapping(part.get("interaction")) or part
    seen.model = text(interaction.get("model")) or seen.model
    seen.response_id = text(interaction.get("id")) or text(part.get("interaction_id")) or seen.response_id
    seen.tier = tier(interaction.get("service_tier")) or seen.tier
    seen.error = fault(part) or seen.error
    usage = mapping(interaction.get("usage")) or mapping(dig(part, "metadata", "total_usage"))
    if usage:
        seen.usage = overlaid(seen.usage, _renamed(usage))
        _ground(usage, seen)
    _end(part, interaction, seen)
    for step in items(interaction.get("steps")):
        if dig(step, "type") == "thought" and dig(step, "summary"):
            seen.visibility = "summarised"


def _ground(usage: Mapping[str, Any], seen: Reading) -> None:
    for tool in items(usage.get("grounding_tool_count")):
        if count := number(dig(tool, "count")):
            seen.facts["search_grounding"] = True
            # Maps and stores of one's own have other prices.
            if dig(tool, "type") == "google_search":
                seen.facts["web_search_queries"] = count


def _end(part: Mapping[str, Any], interaction: Mapping[str, Any], seen: Reading) -> None:
    status = text(interaction.get("status"))
    if status is None:
        # A decision has none, and is over when it is there.
        if dig(part, "prompt_feedback", "block_reason"):
            seen.facts["prompt_blocked"] = True
        seen.complete = seen.complete or "answers" in part or "prompt_feedback" in part
        return
    if status in _OPEN:
        return
    seen.finish[0] = status
    seen.complete = True
    if status == _FAILED:
        told = items(interaction.get("errors"))
        seen.error = fault({"error": told[0]} if told else {"error": {"code": _FAILED}}) or seen.error


def say(part: Any, said: Said) -> None:
    """What an interaction or an event of its stream says; what is thought is only summarised."""
    part = mapping(part)
    place = number(part.get("index")) or 0
    _say_content(mapping(part.get("delta")), place, said)
    interaction = mapping(part.get("interaction")) or part
    for place, step in enumerate(map(mapping, items(interaction.get("steps") or interaction.get("outputs")))):
        for content in (step, *map(mapping, items(step.get("content")))):
            _say_content(content, place, said)


def _say_content(content: Mapping[str, Any], place: int, said: Said) -> None:
    said.add(TEXT, content.get("text"), place)
    if content.get("type") in {"function_call", "arguments_delta"}:
        said.call(content.get("name"), content.get("arguments"), place)


def _renamed(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    counted = {theirs: usage.get(name) for name, theirs in _NAMES.items()}
    details = {theirs: _details(usage.get(name)) for name, theirs in _DETAILS.items() if usage.get(name)}
    return {**counted, **details}


def _details(kinds: Any) -> list[Mapping[str, Any]]:
    told = [mapping(kind) for kind in items(kinds)]
    return [{"modality": str(kind.get("modality")).upper(), "tokenCount": kind.get("tokens")} for kind in told]


FORMAT = Format(
    "interactions",
    read,
    gemini.count,
    re.compile(rb'"(?:(?:total_)?usage"\s*:\s*\{|status"|error"\s*:\s*[^\sn])'),
    say=say,
    compose=steps.interaction,
)
