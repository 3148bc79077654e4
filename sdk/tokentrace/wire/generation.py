"""Hugging Face's text generation: bare text, with its counts where they are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import TEXT, Format, Reading, Said, items, mapping, number, text
from tokentrace.wire import chat
from tokentrace.wire.prompts import plain
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """A text, or one event of its stream; or what a provider answers that speaks OpenAI."""
    part = mapping(part)
    if "choices" in part:
        chat.read(part, seen)
        return
    seen.error = fault(part) or seen.error
    if part.get("generated_text") is not None:
        seen.complete = True
    if details := mapping(part.get("details")):
        # The prompt is counted in a stream; elsewhere its tokens are listed, if they are asked for.
        asked = details.get("input_length") or len(items(details.get("prefill"))) or None
        seen.usage = {"input": asked, "output": details.get("generated_tokens")}
        if reason := text(details.get("finish_reason")):
            seen.finish[0] = reason


def say(part: Any, said: Said) -> None:
    """What a text or an event of its stream says; the last event says the whole text once more."""
    part = mapping(part)
    token = mapping(part.get("token"))
    said.add(TEXT, token.get("text") if token and not token.get("special") else None)
    if not token:
        said.add(TEXT, part.get("generated_text"))
    chat.say(part, said)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """The tokens that were generated, and those of the prompt where they are known."""
    if set(seen.usage) != {"input", "output"}:
        return chat.count(seen, provider, context)
    counts = Tally()
    if (asked := number(seen.usage["input"])) is not None:
        counts.place_input(asked)
    if (answered := number(seen.usage["output"])) is not None:
        counts.place_output(answered)
    return counts.settle(seen, context)


FORMAT = Format(
    "generation",
    read,
    count,
    re.compile(rb'"(?:generated_tokens"|usage"\s*:\s*\{|finish_reason"\s*:\s*"|error"\s*:\s*[^\sn])'),
    say=say,
    compose=plain.compose,
)
