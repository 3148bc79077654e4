"""OpenAI's usage objects, and those of everyone who speaks OpenAI: the whole counts its parts in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.reading import NOTHING, mapping, number
from tokentrace.wire.rules import MEDIA, Tally, first, stands_apart

_IN_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")
_OUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_CACHED = ("num_cached_tokens", "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")


def tally(usage: Mapping[str, Any], *, output: str = "output_text", apart: bool = False) -> Tally:
    """The counts of a usage object.

    `output` takes what has no part of its own; `apart`: the provider usually reports reasoning beside the output.
    """
    counts = Tally()
    if not usage:
        return counts
    asked = first(usage, "prompt_tokens", "input_tokens")
    answered = first(usage, "completion_tokens", "output_tokens")
    details, answer = _details(usage, _IN_DETAILS), _details(usage, _OUT_DETAILS)
    connected = first(usage, "connector_tokens")
    hidden = first(answer, "reasoning_tokens")
    if hidden is None:
        hidden = first(usage, "reasoning_tokens")
    total, heard = first(usage, "total_tokens"), None
    if answered is not None:
        known = (asked or 0) + answered + (connected or 0)
        if hidden and stands_apart(total, answered, hidden, known, usually=apart):
            counts.flags["reasoning_was_exclusive"] = True
            answered += hidden
        elif total is not None and asked is not None and total != known:
            heard, hidden, answered = _explained(counts, total - known, details, hidden, answered)
    if asked is not None:
        _place_input(counts, usage, details, asked, heard)
    if connected is not None:
        counts.input = (counts.input or 0) + connected
        counts.add("tool_use_prompt", connected)
    if answered is not None:
        parts = _parts(answer) if answer else ()
        counts.place_output(answered, parts, output, reasoning=hidden)
    _meters(counts, usage)
    return counts


def _explained(
    counts: Tally, gap: int, details: Mapping[str, Any], hidden: int | None, answered: int
) -> tuple[int | None, int | None, int]:
    """What a total that is not input and output together hides: audio, reasoning, and the output with it."""
    # Mistral counts audio input only in the total.
    if gap == number(details.get("audio_tokens")):
        return gap, hidden, answered
    # Google's OpenAI endpoint counts thoughts only in the total.
    if gap > 0 and not hidden:
        counts.flags["reasoning_source"] = "derived"
        return None, gap, answered + gap
    counts.flags["inconsistent"] = True
    return None, hidden, answered


def _details(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    for name in names:
        if (value := usage.get(name)) is not None:
            return mapping(value)
    return NOTHING


def _place_input(
    counts: Tally, usage: Mapping[str, Any], details: Mapping[str, Any], asked: int, heard: int | None
) -> None:
    cached = first(details, "cached_tokens")
    if cached is None:
        cached = first(usage, *_CACHED)
    if not details:
        counts.place_input(asked, cached, _written(counts, usage, usage))
        return
    media = {kind: count for kind in MEDIA if (count := number(details.get(f"{kind}_tokens")))}
    counts.place_input(asked + (heard or 0), _split(details, cached), _written(counts, usage, details), media)


def _split(details: Mapping[str, Any], cached: int | None) -> int | Mapping[str, int] | None:
    """Cached tokens by kind, where the realtime API says so."""
    kinds = details.get("cached_tokens_details")
    if cached is None or not kinds:
        return cached
    told = mapping(kinds)
    split = {kind: count for kind in MEDIA if (count := first(told, f"{kind}_tokens", f"cached_{kind}_tokens"))}
    return {"text": max(0, cached - sum(split.values())), **split} if split else cached


def _written(counts: Tally, usage: Mapping[str, Any], details: Mapping[str, Any]) -> Mapping[str, int]:
    """Tokens written to a cache, by the life of the entry."""
    written, rest = first(details, "cache_write_tokens"), "cache_write_30m"
    split = mapping(details.get("cache_write_tokens_details"))
    lives = {"cache_write_12h": first(split, "ttl_12h_tokens"), "cache_write_30m": first(split, "ttl_30m_tokens")}
    if written is None:
        # LiteLLM repeats Anthropic's counts inside OpenAI's.
        written, rest = first(details, "cache_creation_tokens"), "cache_write_5m"
        if written is None:
            written = first(usage, "cache_creation_input_tokens")
        split = mapping(details.get("cache_creation_token_details"))
        lives = {
            "cache_write_1h": first(split, "ephemeral_1h_input_tokens"),
            "cache_write_5m": first(split, "ephemeral_5m_input_tokens"),
        }
    if written is None:
        return NOTHING
    return lasting(counts, written, lives, rest)


def lasting(counts: Tally, written: int, lives: Mapping[str, int | None], usual: str) -> Mapping[str, int]:
    """Written tokens by the life of the entry; what the split leaves open lives as long as is usual."""
    stored: dict[str, int] = {}
    left = written
    for bucket, count in lives.items():
        if count:
            stored[bucket] = min(count, left)
            left -= stored[bucket]
    if left:
        counts.flags["cache_ttl_assumed"] = True
    if left or not stored:
        stored[usual] = stored.get(usual, 0) + left
    return stored


def _parts(answer: Mapping[str, Any]) -> tuple[tuple[str, int | None], ...]:
    return (
        ("output_audio", number(answer.get("audio_tokens"))),
        ("output_image", number(answer.get("image_tokens"))),
        ("output_rejected_prediction", number(answer.get("rejected_prediction_tokens"))),
    )


def _meters(counts: Tally, usage: Mapping[str, Any]) -> None:
    for name, count in mapping(usage.get("connectors")).items():
        counts.meter(name, number(count))
    counts.meter("web_search", first(usage, "num_search_queries"))
    counts.meter("web_search", first(mapping(usage.get("server_tool_use")), "web_search_requests"))
