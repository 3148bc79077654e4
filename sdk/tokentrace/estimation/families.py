"""How the tokens of a model's answers relate to those that can be counted here, measured on recorded exchanges."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple


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
    """What a prompt takes beside its texts. Most numbers have beside them how far each may be off."""

    start: float
    """Before it all, where the server says something of its own first."""
    slack: float
    message: float
    """Around a message."""
    message_slack: float
    tools: float = 100
    """To introduce tools."""
    tools_slack: float = 120
    defined: float = 1
    """Definitions of tools, as a part of what they would take as they are rendered here."""
    defined_slack: float = 0.3
    call: float = 12
    """Around a call of a tool, and around its result where that is no message of its own."""
    call_slack: float = 8
    called: float = 1
    """Names and arguments of calls, as a part of their texts."""
    called_slack: float = 0.2
    shape: float = 0
    """To introduce the shape of the answer."""
    shape_slack: float = 20
    thinking: float = 0
    """To have the model think."""
    thinking_slack: float = 0
    sealed: float = 0.125
    """Tokens for a byte of what only the provider can read."""
    sealed_slack: float = 0.125
    speaks_typescript: bool = False
    """Tools are rendered as types of TypeScript's; elsewhere they stay JSON."""
    frames_system: bool = True
    """A system prompt is a message like the others."""
    few: int = 0
    """Recordings that these numbers rest on, where there are no more than three."""

    @property
    def doubt(self) -> float:
        """What its bounds are multiplied by: the widest of n even errors is n parts of the n + 1 that they reach."""
        return 1 + 1 / self.few if self.few else 1.0


_GPT = Framing(
    3,
    0.5,
    4,
    1,
    6,
    4,
    1,
    0.05,
    8,
    2,
    1,
    0.1,
    0,
    5,
    sealed=0.12,
    sealed_slack=0.13,
    speaks_typescript=True,
)
_GPT_5 = _GPT._replace(start=2, message_slack=0.4, tools=8, shape=15, shape_slack=15)
_CLAUDE = Framing(
    3.5, 3, 3, 2, 525, 50, 1, 0.1, 50, 10, 1, 0.2, 125, 60, 25, 12, 0.06, 0.06, frames_system=False
)  # fmt: skip
_GEMINI = Framing(0, 2.4, 0.5, 0.3, 0, 8, 1, 0.07, 15, 3, 1, 0.1, 0, 20, sealed=0, sealed_slack=0.02)

_FRAMINGS: tuple[tuple[str, Framing], ...] = (
    (r"gpt-oss", Framing(63, 4, 4, 9.5, 20, 40, speaks_typescript=True)),
    # By this API they are told more about how to use their tools.
    (r"(?:\bo[1-4]\b|gpt-[5-9]|codex).* over chat$", _GPT_5._replace(tools=90, tools_slack=6)),
    (r"\bo[1-4]\b|gpt-[5-9]|codex", _GPT_5),
    (r"gpt-|chatgpt", _GPT),
    (
        r"claude-(?:(?:opus|sonnet|haiku|fable)-[5-9])",
        _CLAUDE._replace(tools=370, tools_slack=45, defined=0.95, thinking=0, thinking_slack=4, call=45),
    ),
    (r"claude-(?:opus|sonnet|haiku)-4[-.]5", _CLAUDE),
    (r"claude-(?:opus|sonnet|haiku)-4[-.][6-9]", _CLAUDE._replace(tools=600, tools_slack=90)),
    (r"claude", _CLAUDE._replace(tools=500, tools_slack=120)),
    (
        r"gemini-[3-9].* at .*vertex",
        _GEMINI._replace(tools=-15, tools_slack=20, call=6, call_slack=14, sealed_slack=0.02, few=3),
    ),
    (r"gemini-[3-9][^ ]*pro.* at ", _GEMINI._replace(tools=15, tools_slack=15, sealed=0.155, sealed_slack=0.04, few=2)),
    (r"gemini-[3-9].* at ", _GEMINI._replace(tools_slack=10, sealed=0.155, sealed_slack=0.04)),
    (r"gemini-(?:1|2\.0).* at ", _GEMINI._replace(defined=0.88, call=4.5, few=3)),
    (r"gemini.* at ", _GEMINI),
    (r"grok-(?:4\.|[5-9])", Framing(187, 15, 4, 2, 20, 100, few=2)),
    (r"grok", Framing(3, 3, 4, 1.5, 290, 120, few=2)),
    (r"llama.* at ollama", Framing(7, 3, 3, 1, 60, 100, few=2)),
    # Their template tells them what day it is.
    (r"llama-?3\.[1-3].* at ", Framing(31, 6, 3, 1.5, 60, 100)),
    (r"llama.* at ", Framing(17, 17, 3, 2, 60, 100, few=1)),
    (r"deepseek.* at ", Framing(1.5, 2.5, 4, 1, 290, 100, few=2)),
    (r"qwen|qwq", Framing(3.5, 2, 4.5, 0.7, 220, 90)),
    (r"kimi", Framing(3, 3, 4, 1, 10, 40)),
    (r"istral.* at ", Framing(2, 2, 1, 1, 30, 60, few=2)),
    (r"sonar", Framing(1, 3, 1, 1, few=1)),
    (r"command", Framing(0, 2, 0.3, 0.5, 0, 10, 0.83, 0.1, 0.5, 1, 0.15, 0.15)),
    (r"nova-2", Framing(43, 12, 2, 2, 200, 200, few=2)),
    (r"nova", Framing(0, 6, 0.5, 2, 200, 200, few=1)),
)
"""By a model, where it runs and the format that it is asked in."""

BARE = Framing(0, 1, 0, 0, 0, 0)
"""What takes a text as it is."""

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

_UNFORESEEN = 1.25
"""How much farther a model may be off that nobody has recorded than those reach that were."""

_AS_TYPES = 0.5
"""Definitions of tools as types of TypeScript's, as a part of the same as JSON."""


@lru_cache(maxsize=256)
def family(model: str) -> Family:
    """The family of a model, by its name."""
    named = model.lower()
    return next((found for pattern, found in _FAMILIES if re.search(pattern, named)), None) or _other_family()


@lru_cache(maxsize=256)
def framing(model: str, provider: str, fmt: str) -> Framing:
    """What the prompts of a model take beside their texts, by its name, by who runs it and by how it is asked."""
    named = f"{model} at {provider} over {fmt}".lower()
    return next((found for pattern, found in _FRAMINGS if re.search(pattern, named)), None) or _other_framing()


def _other_family() -> Family:
    """What is to be expected of a model that nobody has recorded."""
    known = [each for _, each in _FAMILIES if each.encoding == "o200k_base"]
    factor, spread = _reach((each.factor, each.spread) for each in known)
    start, slack = _reach((each.start, each.slack) for each in known)
    return Family("o200k_base", factor, spread, start, slack, *_reach((each.call, each.call_slack) for each in known))


def _other_framing() -> Framing:
    """The same of its prompts: some servers say more than a hundred tokens of their own first."""
    known = [each for _, each in _FRAMINGS]
    found: dict[str, Any] = {}
    found["defined"], found["defined_slack"] = _reach(
        (each.defined * (_AS_TYPES if each.speaks_typescript else 1), each.defined_slack * each.doubt) for each in known
    )
    for number, slack in _SLACKS.items():
        found[number], found[slack] = _reach(
            (getattr(each, number), getattr(each, slack) * each.doubt) for each in known
        )
    return Framing(**found)


_SLACKS = {"start": "slack"} | {
    number: f"{number}_slack" for number in ("message", "tools", "call", "called", "shape", "thinking", "sealed")
}
"""The numbers of a framing that are alike everywhere, and how far each may be off."""


def _reach(numbers: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The middle of what several numbers may be, the outermost at either end left out, and how far they reach."""
    ends = [(number - slack, number + slack) for number, slack in numbers]
    least, most = sorted(low for low, _ in ends)[1], sorted(high for _, high in ends)[-2]
    return (least + most) / 2, _UNFORESEEN * (most - least) / 2
