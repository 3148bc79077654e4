"""Runs of OpenAI's assistants: the counts of Chat Completions, for all steps of a run together."""

from __future__ import annotations

import re
from typing import Any

from tokentrace.usage.reading import Format, Reading, dig, mapping, overlaid, text
from tokentrace.wire import chat
from tokentrace.wire.rules import fault

_OPEN = frozenset({"queued", "in_progress", "cancelling"})


def read(part: Any, seen: Reading) -> None:
    """A `thread.run`, or one event of its stream: messages and steps say nothing that the run does not repeat."""
    part = mapping(part)
    if part.get("object", "thread.run") != "thread.run":
        seen.error = fault(part) or seen.error
        return
    seen.model = text(part.get("model")) or seen.model
    seen.response_id = text(part.get("id")) or seen.response_id
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    status = text(part.get("status"))
    if status == "failed":
        seen.error = text(dig(part, "last_error", "code")) or status
    if status is not None and status not in _OPEN:
        seen.complete = True
        seen.finish[0] = text(dig(part, "incomplete_details", "reason")) or status


FORMAT = Format("runs", read, chat.count, re.compile(rb'"(?:object"\s*:\s*"thread\.run"|error"\s*:\s*[^\sn])'))
