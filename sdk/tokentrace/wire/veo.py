"""Google's videos: the seconds that were asked for, of each video that was made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, ask, dig, items, mapping, number, text
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """The operation that makes the videos. Takes JSON and google-genai's objects."""
    seen.response_id = text(dig(part, "name")) or seen.response_id
    seen.error = fault({"error": dig(part, "error")}) or seen.error
    if dig(part, "done") is True:
        seen.facts["videos_made"] = len(_made(dig(part, "response")))
    seen.complete = True


def _made(response: Any) -> list[Any]:
    # As google-genai has it, Vertex AI, and the Gemini API.
    told = (
        ask(response, "generatedVideos"),
        mapping(response).get("videos"),
        dig(mapping(response).get("generateVideoResponse"), "generatedSamples"),
    )
    return [one for videos in told for one in items(videos)]


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The seconds of the videos that were made, before that of those that `context` says were asked for.

    It tells the `video_seconds` of each too, which no answer repeats.
    """
    counts = Tally()
    made, seconds = number(seen.facts.get("videos_made")), number(context.get("video_seconds"))
    if made == 0:
        # What failed or was filtered out is free.
        return Usage(flags={"billable": False})
    videos = number(context.get("videos_asked")) if made is None else made
    if seconds and videos and seen.complete:
        counts.meter("video_seconds", seconds * videos)
        if made is None:
            counts.flags["billable"] = "unknown"
    return counts.settle(seen, context)


FORMAT = Format("veo", read, count, re.compile(rb'"error"\s*:\s*[^\sn]'))
