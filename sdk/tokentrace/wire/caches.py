"""Gemini's explicit caches: what is written to one, and the time for which it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, ask, dig, mapping, number, text
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally

_HOUR = 3600


def read(part: Any, seen: Reading) -> None:
    """A cache that was made. Takes JSON and google-genai's objects."""
    seen.response_id = text(dig(part, "name")) or seen.response_id
    seen.model = (text(dig(part, "model")) or "").rpartition("/")[2] or seen.model
    seen.error = fault(mapping(part)) or seen.error
    if (tokens := number(ask(ask(part, "usageMetadata"), "totalTokenCount"))) is not None:
        seen.usage = {"tokens": tokens}
    began, ends = _moment(ask(part, "createTime")), _moment(ask(part, "expireTime"))
    if began and ends and ends > began:
        seen.facts["hours"] = (ends - began).total_seconds() / _HOUR
    seen.complete = True


def _moment(told: Any) -> datetime | None:
    if isinstance(told, datetime):
        return told
    with suppress(ValueError):
        return datetime.fromisoformat(text(told) or "")
    return None


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """The tokens that are written, and token-hours as long as the cache was asked to live."""
    counts = Tally()
    if (tokens := number(seen.usage.get("tokens"))) is not None:
        counts.input = tokens
        counts.add("cache_write_unknown", tokens)
        counts.meter("cache_token_hours", tokens * seen.facts.get("hours", 0))
        if provider != "gcp.vertex_ai":
            # Vertex AI bills what is written as input; of the Gemini API only the storage is documented.
            counts.flags["billable"] = "unknown"
    return counts.settle(seen, context)


FORMAT = Format("caches", read, count, re.compile(rb'"(?:usageMetadata|error)"'))
