"""OpenAI videos: seconds of a clip, promised when the job is taken on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, number, text
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """A job."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.response_id = text(part.get("id")) or seen.response_id
    seen.error = fault(part) or seen.error
    if part.get("object") == "video":
        seen.usage = {"seconds": part.get("seconds"), "status": part.get("status")}
    seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The seconds of the clip; of an extension those that were asked for, as its job tells the length of the whole."""
    counts = Tally()
    added = number(context.get("added_seconds"))
    if seen.usage:
        counts.meter("video_seconds", number(seen.usage.get("seconds")) if added is None else added)
        status = seen.usage.get("status")
        if counts.meters and status != "completed":
            # A job that fails later is free.
            counts.flags["billable"] = False if status == "failed" else "unknown"
    return counts.settle(seen, context)


FORMAT = Format("videos", read, count, re.compile(rb'"error"\s*:\s*[^\sn]'))
