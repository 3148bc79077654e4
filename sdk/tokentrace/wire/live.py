"""Gemini Live: Gemini's counts, once per turn of a session."""

from __future__ import annotations

import re
from typing import Any

from tokentrace.usage.reading import Format, Reading, ask
from tokentrace.wire import gemini


def read(part: Any, seen: Reading) -> None:
    """One message of a session: the counts come with the end of the turn."""
    gemini.read(part, seen)
    content = ask(part, "serverContent")
    gemini.note_grounding(content, seen)
    if ask(content, "turnComplete"):
        seen.complete = True


FORMAT = Format("live", read, gemini.count, re.compile(rb'"(?:usageMetadata|turnComplete|groundingMetadata|error)"'))
