"""xAI's gRPC API: the counts of Chat Completions under flat names, and the tools that xAI ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tokentrace.reading import Format, Reading, dig, items, mapping, text
from tokentrace.usage import Usage
from tokentrace.wire import chat, inclusive

_COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "total_tokens", "cost_in_usd_ticks")
_DETAILS = {"cached_tokens": "cached_prompt_text_tokens", "image_tokens": "prompt_image_tokens"}


def read(part: Any, seen: Reading) -> None:
    """A response, or one chunk of it, whose counts are running totals. Takes JSON and the messages of the client."""
    seen.model = text(dig(part, "model")) or seen.model
    seen.response_id = text(dig(part, "id")) or seen.response_id
    if (usage := dig(part, "usage")) is not None:
        counts = {name: dig(usage, name) for name in _COUNTS}
        details = {name: dig(usage, theirs) for name, theirs in _DETAILS.items()}
        seen.usage = {**counts, "prompt_tokens_details": details}
        seen.facts["tools"] = Counter(str(tool).lower() for tool in items(dig(usage, "server_side_tools_used")))
        seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Prompt with its cache, reasoning beside the completion, and every call of a tool."""
    counts = inclusive.tally({name: value for name, value in seen.usage.items() if value is not None}, apart=True)
    for tool, calls in mapping(seen.facts.get("tools")).items():
        counts.meter(tool, calls)
    return counts.settle(seen, context)


FORMAT = Format("xai", read, count, chat.FORMAT.marks)
