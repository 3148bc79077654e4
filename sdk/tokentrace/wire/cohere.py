"""Cohere: what is billed, and beside it what was processed."""

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
from tokentrace.wire.prompts import cohere as prompts
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """A response of chat, embed or rerank, or one event of a stream: the last one counts."""
    part = mapping(part)
    seen.response_id = text(part.get("id")) or text(part.get("generation_id")) or seen.response_id
    # The event that ends a stream keeps in its delta what a whole answer has at the top.
    told = mapping(part.get("delta")) or mapping(part.get("response")) or part
    seen.error = fault(part) or fault(told) or seen.error
    usage = mapping(told.get("usage")) or mapping(told.get("meta"))
    if reason := text(told.get("finish_reason")) or text(part.get("finish_reason")):
        seen.finish[0] = reason
    if usage:
        seen.usage = overlaid(seen.usage, usage)
        seen.complete = True
    content = (*items(dig(told, "message", "content")), dig(told, "message", "content"))
    if any(mapping(block).get("thinking") for block in content):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True


def say(part: Any, said: Said) -> None:
    """What a response or an event of its stream says."""
    part = mapping(part)
    place = number(part.get("index")) or 0
    message = mapping(dig(part, "delta", "message")) or mapping(part.get("message"))
    content = message.get("content")
    for block in (*items(content), content):
        said.add(TEXT, mapping(block).get("text"), place)
        said.add(THOUGHT, mapping(block).get("thinking"), place)
    said.add(TEXT, message.get("tool_plan"), "plan")
    calls = message.get("tool_calls")
    for number_of, asked in enumerate(items(calls) or (calls,)):
        function = mapping(mapping(asked).get("function"))
        said.call(function.get("name"), function.get("arguments"), (place, number_of))
    # The first version of the API; what ends its stream says everything once more.
    said.add(TEXT, part.get("text"))
    for number_of, asked in enumerate(map(mapping, items(part.get("tool_calls")))):
        if "parameters" in asked:
            said.call(asked.get("name"), asked.get("parameters"), number_of)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The billed units; tokens that only the template took are not among them."""
    billed, processed = mapping(seen.usage.get("billed_units")), mapping(seen.usage.get("tokens"))
    counts = Tally()
    asked, read_in = number(billed.get("input_tokens")), number(processed.get("input_tokens"))
    if image := number(billed.get("image_tokens")):
        asked = _with_images(asked, number(billed.get("text_tokens")), image)
    if asked is not None:
        counts.place_input(asked, number(seen.usage.get("cached_tokens")), media={"image": image} if image else NOTHING)
        if read_in is not None and read_in > asked:
            counts.flags["unbilled_input_tokens"] = read_in - asked
    if (answered := number(billed.get("output_tokens"))) is not None:
        # What is thought is billed, but told only among what was processed.
        counts.place_output(answered, reasoning=number(processed.get("reasoning_tokens")))
    for meter in ("search_units", "images", "pages"):
        counts.meter(meter, number(billed.get(meter)))
    return counts.settle(seen, context)


def _with_images(asked: int | None, words: int | None, image: int) -> int:
    """All input of an embedding, whether its tokens count those of the images in or not."""
    if asked is not None and asked >= image + (words or 0):
        return asked
    return image + (words if words is not None else asked or 0)


FORMAT = Format(
    "cohere",
    read,
    count,
    re.compile(rb'"(?:usage|finish_reason|billed_units|thinking"\s*:\s*"[^"]|error)"?'),
    say=say,
    compose=prompts.compose,
)

EMBEDDINGS = Format("cohere.embeddings", read, count, FORMAT.marks, compose=prompts.compose)
"""Embeddings: vectors, and what is billed for them behind."""
