"""OpenAI transcriptions and translations of audio."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, overlaid, text
from tokentrace.wire import inclusive
from tokentrace.wire.prompts import plain
from tokentrace.wire.rules import amount, fault


def read(part: Any, seen: Reading) -> None:
    """The transcript, or one event of its stream: the last one counts."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.error = fault(part) or seen.error
    usage = mapping(part.get("usage"))
    seen.usage = overlaid(seen.usage, usage)
    # Servers without a usage object still measure the audio.
    if not usage and (seconds := amount(part.get("duration"))) is not None:
        seen.usage = overlaid(seen.usage, {"seconds": seconds})
    if part.get("type") in (None, "transcript.text.done", "transcription.done"):
        seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Tokens where the model is priced by them, seconds of audio where it is not; Mistral tells both."""
    counts = inclusive.tally(seen.usage)
    if counts.input is None:
        counts.meter("audio_seconds", amount(seen.usage.get("seconds")))
    counts.meter("audio_seconds", amount(seen.usage.get("prompt_audio_seconds")))
    return counts.settle(seen, context)


FORMAT = Format(
    "transcription",
    read,
    count,
    re.compile(rb'"(?:type"\s*:\s*"transcript(?:\.text|ion)\.done"|error"\s*:\s*[^\sn])'),
    compose=plain.recording,
)
