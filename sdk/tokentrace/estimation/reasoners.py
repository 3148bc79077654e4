"""Which models reason where nobody sees it."""

from __future__ import annotations

import re
from functools import lru_cache

_ALOUD = r"deepseek-r1|qwq|qwen-?3|magistral|r1-distill"
"""Models whose reasoning some servers leave in the text of the answer, between tags."""

_SILENT = r"\bo[1-4]\b|gpt-[5-9](?!.*chat)|codex|grok-(?:3-mini|4(?!.*non-reasoning))|gemini-(?:2\.5|[3-9])"
"""Models that reason without a word of it in the answer."""


@lru_cache(maxsize=256)
def reasons(model: str) -> bool:
    """Whether a model may have reasoned, though no part of its answer says so."""
    return is_silent(model) or bool(re.search(_ALOUD, model.lower()))


@lru_cache(maxsize=256)
def is_silent(model: str) -> bool:
    """Whether a model reasons out of sight: how much cannot be counted where nobody reports it."""
    return bool(re.search(_SILENT, model.lower()))
