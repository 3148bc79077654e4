"""OpenAI's usage objects, and those of everyone who speaks OpenAI: the whole counts its parts in."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import filterfalse
from operator import itemgetter
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import LARGEST, NOTHING, Reading, mapping, number
from tokentrace.wire.rules import ANTHROPIC, OPENAI, first, lasting, stands_apart
from tokentrace.wire.tally import MEDIA, Tally

_CHAT = (
    ("prompt_tokens", "completion_tokens"),
    ("prompt_tokens_details", "prompt_token_details"),
    ("completion_tokens_details", "completion_token_details"),
)
_RESPONSES = (
    ("input_tokens", "output_tokens"),
    ("input_tokens_details", "input_token_details"),
    ("output_tokens_details", "output_token_details"),
)
_CACHED = ("num_cached_tokens", "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
_MEDIA = tuple((kind, f"{kind}_tokens") for kind in MEDIA)
_PARTS = (
    ("output_audio", "audio_tokens"),
    ("output_image", "image_tokens"),
    ("output_rejected_prediction", "rejected_prediction_tokens"),
)
_CONNECTORS = {
    "code_interpreter": "code_execution",
    "document_library": "file_search",
    "image_generation": "images",
}
"""Meters of Mistral's connectors, where they are called otherwise here."""


_PLAIN = (*_CHAT[0], "total_tokens", _CHAT[1][0], _CHAT[2][0])
_PLAIN_KEYS = frozenset(_PLAIN)
_told = itemgetter(*_PLAIN)
_WHOLE = frozenset({int})
_PLAIN_INPUT = frozenset({"cached_tokens", "audio_tokens"})
_PLAIN_OUTPUT = frozenset({"reasoning_tokens", "accepted_prediction_tokens", *(name for _, name in _PARTS)})
"""What OpenAI tells of texts: all that there is in the usage, and what there may be in its details."""
_UNTELLING = frozenset({"http_status"})
"""Facts that change nothing of what was reported."""


def plain(seen: Reading, context: Mapping[str, Any]) -> Usage | None:
    """The counts of a whole answer of texts whose usage is told as OpenAI does, and adds up; None of any other.

    Most are this: it is what `tally` and all of its rules make of it, in less than half of their time.
    """
    usage = seen.usage
    if len(usage) != len(_PLAIN) or not usage.keys() <= _PLAIN_KEYS:
        return None
    if seen.facts or not seen.complete or not context.keys() <= _UNTELLING:
        return None
    asked, answered, total, details, answer = _told(usage)
    if not (
        details.__class__ is answer.__class__ is dict
        and details.keys() <= _PLAIN_INPUT
        and answer.keys() <= _PLAIN_OUTPUT
        and not details.get("audio_tokens")
    ):
        return None
    cached: Any = details.get("cached_tokens")
    thought: Any = answer.get("reasoning_tokens")
    if not (
        _WHOLE.issuperset(map(type, (asked, answered, total, cached, thought)))
        and 0 <= cached <= asked
        and 0 <= thought <= answered
        and asked + answered == total <= LARGEST
    ):
        return None
    counts = {
        "cache_read": cached,
        "input_text": asked - cached,
        "output_reasoning": thought,
        "output_text": answered - thought,
    }
    for bucket, name in _PARTS:
        if (count := answer.get(name)) is not None:
            if count or count.__class__ is not int:
                return None
            counts[bucket] = 0
    zeros = frozenset(filterfalse(counts.get, counts))
    for bucket in zeros:
        del counts[bucket]
    return Usage(counts, NOTHING, NOTHING, (), zeros)


def tally(
    usage: Mapping[str, Any], *, output: str = "output_text", apart: bool = False, untotalled: bool = False
) -> Tally:
    """The counts of a usage object.

    `output` takes what has no part of its own; `apart`: the provider usually reports reasoning beside the output;
    `untotalled`: its total may leave such reasoning out.
    """
    counts = Tally()
    # LiteLLM and others repeat Anthropic's names, with another meaning, beside those of Chat Completions.
    ask = usage.get
    chat = ask("prompt_tokens") is not None or ask("completion_tokens") is not None
    wholes, in_details, out_details = _CHAT if chat else _RESPONSES
    asked, answered = number(ask(wholes[0])), number(ask(wholes[1]))
    details = mapping(ask(in_details[0]) or ask(in_details[1]))
    answer = mapping(ask(out_details[0]) or ask(out_details[1]))
    connected, total, heard = number(ask("connector_tokens")), number(ask("total_tokens")), 0
    hidden = number(answer.get("reasoning_tokens"))
    if hidden is None:
        hidden = number(ask("reasoning_tokens"))
    if answered is not None:
        known = (asked or 0) + answered + (connected or 0)
        if hidden and untotalled and hidden > answered:
            total = None
        if hidden and total != known and stands_apart(total, answered, hidden, known, usually=apart):
            counts.flags["reasoning_was_exclusive"] = True
            answered += hidden
        elif total is not None and asked is not None and total != known:
            heard, hidden, answered = _explained(counts, total - known, details, hidden, answered)
    if asked is not None:
        _place_input(counts, usage, details, asked + heard)
    if connected is not None:
        counts.input = (counts.input or 0) + connected
        counts.add("tool_use_prompt", connected)
    if answered is not None:
        parts = [(bucket, number(told)) for bucket, name in _PARTS if (told := answer.get(name)) is not None]
        counts.place_output(answered, parts, output, reasoning=hidden)
    _meters(counts, usage)
    return counts


def _explained(
    counts: Tally, gap: int, details: Mapping[str, Any], hidden: int | None, answered: int
) -> tuple[int, int | None, int]:
    """What a total hides that is not input and output together: more input, reasoning, and the output with it."""
    # Mistral counts audio input only in the total.
    if gap == number(details.get("audio_tokens")):
        return gap, hidden, answered
    # Google's OpenAI endpoint counts thoughts only in the total.
    if gap > 0 and not hidden:
        counts.flags["reasoning_source"] = "derived"
        return 0, gap, answered + gap
    counts.flags["inconsistent"] = True
    return 0, hidden, answered


def _place_input(counts: Tally, usage: Mapping[str, Any], details: Mapping[str, Any], asked: int) -> None:
    cached = number(details.get("cached_tokens"))
    if cached is None:
        cached = first(usage, *_CACHED)
    written = _written(counts, usage, details)
    # Cerebras counts images beside the details.
    if pictured := usage.get("image_tokens"):
        details = {**details, "image_tokens": pictured}
    if not details:
        counts.place_input(asked, cached, written)
        return
    media = {kind: count for kind, name in _MEDIA if (told := details.get(name)) and (count := number(told))}
    kinds = details.get("cached_tokens_details") or usage.get("cached_tokens_details")
    counts.place_input(asked, _split(kinds, cached), written, media)


def _split(kinds: Any, cached: int | None) -> int | Mapping[str, int] | None:
    """Cached tokens by kind, where an API says so: realtime, and images that a tool draws."""
    if cached is None or not kinds:
        return cached
    told = mapping(kinds)
    split = {kind: count for kind in MEDIA if (count := first(told, f"{kind}_tokens", f"cached_{kind}_tokens"))}
    return {"text": max(0, cached - sum(split.values())), **split} if split else cached


def _written(counts: Tally, usage: Mapping[str, Any], details: Mapping[str, Any]) -> Mapping[str, int]:
    """Tokens written to a cache, by the life of the entry."""
    # LiteLLM repeats Anthropic's counts inside OpenAI's, and as OpenAI's.
    written = number(details.get("cache_creation_tokens"))
    if written is None and (stored := number(details.get("cache_write_tokens"))) is not None:
        return lasting(counts.flags, stored, mapping(details.get("cache_write_tokens_details")), OPENAI)
    if written is None:
        written = number(usage.get("cache_creation_input_tokens"))
    if written is None:
        return NOTHING
    return lasting(counts.flags, written, mapping(details.get("cache_creation_token_details")), ANTHROPIC)


def _meters(counts: Tally, usage: Mapping[str, Any]) -> None:
    if connectors := usage.get("connectors"):
        for name, count in mapping(connectors).items():
            counts.meter(_CONNECTORS.get(name, name), number(count))
    if queries := usage.get("num_search_queries"):
        counts.meter("web_search", number(queries))
    if tools := usage.get("server_tool_use"):
        counts.meter("web_search", number(mapping(tools).get("web_search_requests")))
