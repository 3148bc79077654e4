"""xAI's gRPC API: the counts of Chat Completions under flat names, the tools that xAI ran, images and videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import TEXT, THOUGHT, Format, Reading, Said, dig, mapping, number, text
from tokentrace.wire import chat, inclusive
from tokentrace.wire.prompts import xai as prompts
from tokentrace.wire.rules import amount, tier

_COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "total_tokens")
_COST = "cost_in_usd_ticks"
_DETAILS = {"cached_tokens": "cached_prompt_text_tokens", "image_tokens": "prompt_image_tokens"}
_METERS = {
    "web_search": "web_search",
    "x_search": "x_search",
    "code_execution": "code_execution",
    "collections_search": "file_search",
    "attachment_search": "file_search",
}
"""Tools that are billed by the call; the others cost the tokens that they take."""


def read(part: Any, seen: Reading) -> None:
    """A response, or one chunk of it, whose counts are running totals. Takes JSON and the messages of the client."""
    seen.model = text(dig(part, "model")) or seen.model
    seen.response_id = text(dig(part, "id")) or seen.response_id
    seen.tier = tier(_named(part, "service_tier", "SERVICE_TIER_")) or seen.tier
    if (usage := _told(part, "usage")) is not None:
        counts = {name: dig(usage, name) for name in _COUNTS}
        details = {name: dig(usage, theirs) for name, theirs in _DETAILS.items()}
        seen.usage = {**counts, _COST: _told(usage, _COST), "prompt_tokens_details": details}
        seen.facts["tools"] = Counter(_names(usage, "server_side_tools_used", "SERVER_SIDE_TOOL_"))
    outputs = dig(part, "outputs")
    # As the first releases of the client call them.
    outputs = dig(part, "choices") if outputs is None else outputs
    if outputs is None:
        seen.complete = True
        _read_media(part, seen)
        return
    # What is none of its answers has numbers there, or nothing.
    told: Any = outputs if hasattr(outputs, "__len__") else ()
    for output in told:
        _read_output(output, seen)


def _read_output(output: Any, seen: Reading) -> None:
    delta = dig(output, "delta")
    if reason := _named(output, "finish_reason", "REASON_"):
        seen.finish[number(dig(output, "index")) or 0] = reason
    # A whole answer is over without a reason too.
    seen.complete = seen.complete or reason is not None or delta is None
    if dig(dig(output, "message") if delta is None else delta, "reasoning_content"):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True


def say(part: Any, said: Said) -> None:
    """What a response or a chunk of it says."""
    outputs = dig(part, "outputs")
    for output in (dig(part, "choices") if outputs is None else outputs) or ():
        place = number(dig(output, "index")) or 0
        delta = dig(output, "delta")
        message = dig(output, "message") if delta is None else delta
        said.add(TEXT, dig(message, "content"), place)
        said.add(THOUGHT, dig(message, "reasoning_content"), place)
        for asked in dig(message, "tool_calls") or ():
            # Each call comes whole.
            said.call(dig(asked, "function", "name"), dig(asked, "function", "arguments"), (place, len(said.pieces)))


def _read_media(part: Any, seen: Reading) -> None:
    if images := dig(part, "images"):
        seen.facts["images"] = len(images)
    if (seconds := amount(dig(part, "video", "duration"))) is not None:
        seen.facts["video_seconds"] = seconds


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Prompt with its cache, reasoning beside the completion, every call of a tool that is billed, and media."""
    counts = inclusive.tally({name: value for name, value in seen.usage.items() if value is not None}, apart=True)
    for tool, calls in mapping(seen.facts.get("tools")).items():
        if tool in _METERS:
            counts.meter(_METERS[tool], calls)
    counts.meter("images", seen.facts.get("images"))
    added = amount(context.get("added_seconds"))
    counts.meter("video_seconds", seen.facts.get("video_seconds") if added is None else added)
    return counts.settle(seen, context)


def _told(message: Any, name: str) -> Any:
    """A field that may be left open: a message of protobuf would give zeros for it then."""
    has = getattr(message, "HasField", None)
    if has is not None and not (name in message.DESCRIPTOR.fields_by_name and has(name)):
        return None
    return dig(message, name)


def _named(message: Any, name: str, prefix: str) -> str | None:
    """The name of an enumerated value; None for the one that stands for nothing."""
    return next(_names(message, name, prefix), None)


def _names(message: Any, name: str, prefix: str) -> Iterator[str]:
    value = dig(message, name)
    values = value if value is not None and not isinstance(value, (str, int)) else (value,)
    for one in values:
        # JSON names what a message of protobuf numbers.
        fields: Any = dig(message, "DESCRIPTOR", "fields_by_name") if isinstance(one, int) else None
        told: Any = fields[name].enum_type.values_by_number if fields else {}
        named = one if isinstance(one, str) else dig(told.get(one), "name")
        if named and (short := named.removeprefix(prefix)) not in _OPEN:
            yield short.lower()


_OPEN = frozenset({"INVALID", "UNSPECIFIED"})


FORMAT = Format("xai", read, count, chat.FORMAT.marks, say=say, compose=prompts.compose)
