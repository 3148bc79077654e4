"""OpenAI speech: audio that says nothing of its bill, or events of which the last one does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, number, overlaid, text
from tokentrace.wire import inclusive
from tokentrace.wire.prompts import plain
from tokentrace.wire.rules import fault


def read(part: Any, seen: Reading) -> None:
    """One event of the stream: the last one counts."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.error = fault(part) or seen.error
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    if part.get("type") in {None, "speech.audio.done"}:
        seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Tokens where a model is priced by them, else the characters that the request had spoken."""
    characters, status = number(context.get("characters")), number(context.get("http_status"))
    answered = status is not None and status < HTTPStatus.BAD_REQUEST
    if not seen.usage and characters and answered and not seen.error:
        # However much of the audio the application has read.
        return Usage(meters={"characters": characters})
    return inclusive.tally(seen.usage, output="output_audio").settle(seen, context)


FORMAT = Format(
    "speech",
    read,
    count,
    re.compile(rb'"(?:type"\s*:\s*"speech\.audio\.done"|usage"\s*:\s*\{|error"\s*:\s*[^\sn])'),
    compose=plain.compose,
)
