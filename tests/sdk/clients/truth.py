"""What a provider's usage object means, worked out by its documentation and not by our code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Counts = dict[str, int]


def of(final: Mapping[str, Any] | None) -> dict[str, Any]:
    """The buckets and the parts that a span must carry for the last usage object of an exchange."""
    if final is None:
        return {"source": "missing", "buckets": {}, "parts": []}
    parts: list[Counts] = []
    if "billed_units" in final:
        counts = _cohere(final)
    elif "eval_count" in final:
        counts = {"input_text": final["prompt_eval_count"], "output_text": final["eval_count"]}
    elif "promptTokenCount" in final:
        counts = _gemini(final)
    elif "inputTokens" in final:
        counts = _converse(final)
    elif "generation_token_count" in final:
        counts = {"input_text": final["prompt_token_count"], "output_text": final["generation_token_count"]}
    elif "cache_read_input_tokens" in final:
        counts = _anthropic(final)
        others = [each for each in final.get("iterations") or () if each["type"] != "message"]
        parts = [_nonzero(_anthropic(each)) for each in others]
    else:
        counts = _openai(final)
    return {"source": "reported", "buckets": _nonzero(counts), "parts": parts}


def _nonzero(counts: Counts) -> Counts:
    return {name: count for name, count in counts.items() if count}


def _openai(final: Mapping[str, Any]) -> Counts:
    told = final.get("prompt_tokens", final.get("input_tokens"))
    made = final.get("completion_tokens", final.get("output_tokens")) or 0
    inside = final.get("prompt_tokens_details") or final.get("input_tokens_details") or {}
    outside = final.get("completion_tokens_details") or final.get("output_tokens_details") or {}
    read, written = min(inside.get("cached_tokens") or 0, told), inside.get("cache_write_tokens") or 0
    thought = outside.get("reasoning_tokens") or 0
    # Google's compatible API counts thoughts in nothing but the total.
    hidden = (final.get("total_tokens") or told + made) - told - made
    return {
        "input_text": told - read - written,
        "cache_read": read,
        "cache_write_30m": written,
        "output_text": made - thought,
        "output_reasoning": thought + hidden,
    }


def _anthropic(final: Mapping[str, Any]) -> Counts:
    lives = final.get("cache_creation") or {}
    thought = (final.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    hour = lives.get("ephemeral_1h_input_tokens") or 0
    return {
        "input_text": final["input_tokens"],
        "cache_read": final["cache_read_input_tokens"],
        "cache_write_5m": final["cache_creation_input_tokens"] - hour,
        "cache_write_1h": hour,
        "output_text": final["output_tokens"] - thought,
        "output_reasoning": thought,
    }


def _converse(final: Mapping[str, Any]) -> Counts:
    lives = {each["ttl"]: each["inputTokens"] for each in final.get("cacheDetails") or ()}
    written = final.get("cacheWriteInputTokens") or 0
    return {
        "input_text": final["inputTokens"],
        "cache_read": final.get("cacheReadInputTokens") or 0,
        "cache_write_5m": written - lives.get("1h", 0),
        "cache_write_1h": lives.get("1h", 0),
        "output_text": final["outputTokens"],
    }


def _gemini(final: Mapping[str, Any]) -> Counts:
    def kind(name: str, details: str) -> int:
        listed = final.get(details) or ()
        return sum(each.get("tokenCount") or 0 for each in listed if each["modality"] in name)

    media = {"audio": "AUDIO", "image": ("IMAGE", "DOCUMENT"), "video": "VIDEO"}
    cached = {each: kind(name, "cacheTokensDetails") for each, name in media.items()}
    fresh = {each: kind(name, "promptTokensDetails") - cached[each] for each, name in media.items()}
    drawn = {each: kind(name, "candidatesTokensDetails") for each, name in media.items() if each != "video"}
    read = final.get("cachedContentTokenCount") or 0
    return {
        "input_text": final["promptTokenCount"] - read - sum(fresh.values()),
        "cache_read": read - sum(cached.values()),
        "tool_use_prompt": final.get("toolUsePromptTokenCount") or 0,
        "output_text": (final.get("candidatesTokenCount") or 0) - sum(drawn.values()),
        "output_reasoning": final.get("thoughtsTokenCount") or 0,
        **{f"input_{each}": count for each, count in fresh.items()},
        **{f"cache_read_{each}": count for each, count in cached.items()},
        **{f"output_{each}": count for each, count in drawn.items()},
    }


def _cohere(final: Mapping[str, Any]) -> Counts:
    billed = final["billed_units"]
    read = min(final.get("cached_tokens") or 0, billed["input_tokens"])
    return {
        "input_text": billed["input_tokens"] - read,
        "cache_read": read,
        "output_text": billed.get("output_tokens") or 0,
    }
