"""Sessions of OpenAI that are billed by the length of their audio: Live, and realtime translation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, overlaid, text
from tokentrace.wire.rules import amount
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """One message of a session, whose seconds are a running total."""
    part = mapping(part)
    session = mapping(part.get("session"))
    seen.model = text(session.get("model")) or seen.model
    seen.response_id = text(session.get("id")) or seen.response_id
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    if part.get("type") == "session.closed":
        seen.complete = True
        seen.finish[0] = text(part.get("reason")) or "closed"


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Seconds of audio; translation does not say how many."""
    counts = Tally()
    counts.meter("audio_seconds", amount(seen.usage.get("seconds")))
    return counts.settle(seen, context)


FORMAT = Format("duration", read, count, re.compile(rb'"type"\s*:\s*"session\.'))
