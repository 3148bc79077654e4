"""Mistral's conversations: the usage of Chat Completions, and what agents and connectors add to it."""

from __future__ import annotations

import re
from typing import Any

from tokentrace.usage.reading import Format, Reading, Said, items, mapping, number, overlaid, text
from tokentrace.wire import chat
from tokentrace.wire.prompts import steps
from tokentrace.wire.rules import fault


def read(part: Any, seen: Reading) -> None:
    """A response with all its outputs, or one event of its stream: the last one counts."""
    part = mapping(part)
    # Where an agent was asked, only what it put out names the model.
    for output in (part, *items(part.get("outputs"))):
        seen.model = text(mapping(output).get("model")) or seen.model
        seen.calls += mapping(output).get("type") == "function.call"
    if part.get("type") == "conversation.response.error":
        seen.error = str(part.get("code") or "error")
    seen.error = fault(part) or seen.error
    if usage := mapping(part.get("usage")):
        seen.usage = overlaid(seen.usage, usage)
        seen.complete = True


def say(part: Any, said: Said) -> None:
    """What all outputs or an event of the stream say."""
    part = mapping(part)
    outputs = [(place, mapping(output)) for place, output in enumerate(items(part.get("outputs")))]
    for place, output in (*outputs, (number(part.get("output_index")) or 0, part)):
        content = output.get("content")
        chat.say_content([content] if mapping(content) else content, said, place)
        said.call(output.get("name"), output.get("arguments"), place)


FORMAT = Format(
    "conversations",
    read,
    chat.count,
    re.compile(rb'"(?:usage"\s*:\s*\{|model"\s*:\s*"|type"\s*:\s*"conversation\.response\.error"|error"\s*:\s*[^\sn])'),
    say=say,
    compose=steps.conversation,
)
