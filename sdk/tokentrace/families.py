"""How the tokens of a model's answers relate to those that can be counted here, measured on recorded exchanges."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class Family(NamedTuple):
    """Models that count alike. Each number has beside it how far it may be off."""

    encoding: str
    factor: float
    """Their tokens for one of the encoding."""
    spread: float
    start: float
    """Tokens of an answer beside those of its texts."""
    slack: float
    call: float
    """Tokens of a call of a tool beside those of its name and its arguments."""
    call_slack: float
    hides: bool = False
    """Their reasoning is not shown, or only summed up: the texts of it are shorter than what is billed."""


class Framing(NamedTuple):
    """What a prompt takes beside its texts. Each number has beside it how far it may be off."""

    start: float
    """Before it all, where the server says something of its own first."""
    slack: float
    message: float
    """Around a message."""
    message_slack: float
    tools: float
    """To introduce tools."""
    tools_slack: float
    structured: float
    """Definitions and arguments, as a part of what their JSON would take."""
    looseness: float
    thinking: float = 0
    """To have the model think."""


_FRAMINGS: tuple[tuple[str, Framing], ...] = (
    (r"gpt-oss", Framing(63, 4, 4, 8, 20, 40, 0.7, 0.4)),
    (r"\bo[1-4]\b|gpt-[5-9]|codex", Framing(2, 0.5, 4, 0.3, 10, 15, 0.9, 0.6)),
    (r"gpt-|chatgpt", Framing(3, 0.5, 4, 0.3, 3, 8, 0.5, 0.3)),
    (r"claude-(?:(?:opus|sonnet|haiku|fable)-[5-9])", Framing(4, 4, 3, 1.5, 430, 120, 1.1, 0.3)),
    (r"claude", Framing(4, 4, 3, 1.5, 470, 120, 1.1, 0.3, 14)),
    (r"gemini", Framing(0, 1.5, 0.5, 1, 0, 12, 0.75, 0.4)),
    (r"grok-(?:4\.|[5-9])", Framing(187, 15, 4, 2, 20, 100, 0.9, 0.5)),
    (r"grok", Framing(3, 3, 4, 2, 180, 120, 0.9, 0.5)),
    (r"llama", Framing(17, 17, 3, 2, 60, 100, 1.0, 0.4)),
    (r"deepseek", Framing(2, 2, 4, 2, 250, 120, 1.0, 0.4)),
    (r"qwen|qwq", Framing(3, 2, 4.5, 1, 150, 120, 1.0, 0.4)),
    (r"command", Framing(0, 2, 0.5, 1.5, 0, 10, 0.55, 0.25)),
    (r"nova", Framing(20, 30, 2, 2, 200, 200, 1.0, 0.4)),
)

BARE = Framing(0, 1, 0, 0, 0, 0, 1, 0.5)
"""What takes a text as it is."""

_FRAMED = Framing(4, 5, 3, 2, 100, 120, 0.9, 0.5)

_FAMILIES: tuple[tuple[str, Family], ...] = (
    (r"gpt-oss", Family("o200k_base", 1.0, 0.03, 9, 4, 12, 8)),
    # Some of what they write before an answer is counted with it, though it is not shown.
    (r"\bo[1-4]\b|gpt-[5-9]|codex", Family("o200k_base", 1.0, 0.03, 6, 4.5, 13, 6, hides=True)),
    (r"gpt-4(?!o|\.\d)|gpt-3", Family("cl100k_base", 1.0, 0.01, 1, 0.7, 7, 1.5)),
    (r"gpt-|chatgpt", Family("o200k_base", 1.0, 0.01, 1, 0.7, 6.5, 0.6)),
    (
        r"claude-(?:(?:opus|sonnet|haiku|fable)-[5-9]|opus-4-[7-9]|fable)",
        Family("o200k_base", 1.5, 0.1, 3, 1.5, 36, 6, hides=True),
    ),
    (r"claude", Family("o200k_base", 1.11, 0.05, 3.2, 1.3, 42, 2, hides=True)),
    (r"gemini-(?:1|2\.0)", Family("o200k_base", 1.06, 0.05, 0.5, 1, -2, 4)),
    (r"gemini", Family("o200k_base", 1.07, 0.06, 0.5, 1, 7, 4, hides=True)),
    (r"grok", Family("o200k_base", 1.0, 0.05, 0, 1, 36, 20, hides=True)),
    (r"command", Family("o200k_base", 1.0, 0.12, 0.5, 0.7, 2, 5)),
    (r"deepseek", Family("o200k_base", 1.0, 0.05, 1, 1, 44, 15)),
    (r"qwen|qwq", Family("o200k_base", 1.02, 0.05, 3, 2, 10, 12)),
    (r"llama", Family("o200k_base", 1.03, 0.05, 1, 1, 10, 10)),
)

_OTHERS = Family("o200k_base", 1.06, 0.09, 1.5, 1.5, 8, 8)

_ALOUD = re.compile(r"deepseek-r1|qwq|qwen-?3|magistral|r1-distill")
"""Models whose reasoning some servers leave in the text of the answer, between tags."""

_SILENT = re.compile(r"\bo[1-4]\b|gpt-[5-9](?!.*chat)|codex|grok-(?:3-mini|4(?!.*non-reasoning))|gemini-(?:2\.5|[3-9])")
"""Models that reason without a word of it in the answer."""


@lru_cache(maxsize=256)
def family(model: str) -> Family:
    """The family of a model, by its name."""
    named = model.lower()
    return next((found for pattern, found in _FAMILIES if re.search(pattern, named)), _OTHERS)


@lru_cache(maxsize=256)
def framing(model: str) -> Framing:
    """What the prompts of a model take beside their texts, by its name."""
    named = model.lower()
    return next((found for pattern, found in _FRAMINGS if re.search(pattern, named)), _FRAMED)


@lru_cache(maxsize=256)
def reasons(model: str) -> bool:
    """Whether a model may have reasoned, though no part of its answer says so."""
    return bool(_SILENT.search(model.lower()) or _ALOUD.search(model.lower()))


@lru_cache(maxsize=256)
def is_silent(model: str) -> bool:
    """Whether a model reasons out of sight: how much cannot be counted where nobody reports it."""
    return bool(_SILENT.search(model.lower()))
