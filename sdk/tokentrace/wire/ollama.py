"""Ollama's own API: counts at the top of the last line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import TEXT, THOUGHT, Format, Reading, Said, items, mapping, number, text
from tokentrace.wire.prompts import ollama as prompts
from tokentrace.wire.rules import fault, first
from tokentrace.wire.tally import Tally

_COUNTS = ("prompt_eval_count", "prompt_eval_cached_count", "eval_count")


def read(part: Any, seen: Reading) -> None:
    """A response, or one line of its stream: the last one counts."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.error = fault(part) or seen.error
    if counted := {name: part[name] for name in _COUNTS if name in part}:
        seen.usage = {**seen.usage, **counted}
    # Counts come with the end, and without it only where they are all there is.
    if part.get("done", bool(counted)) is True:
        seen.complete = True
    if reason := text(part.get("done_reason")):
        seen.finish[0] = reason
    message = mapping(part.get("message"))
    # Each call comes whole, and the finish is that of any text.
    if asked := message.get("tool_calls"):
        seen.calls += len(items(asked))
    if message.get("thinking") or part.get("thinking"):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True


def say(part: Any, said: Said) -> None:
    """What a response or a line of its stream says."""
    part = mapping(part)
    message = mapping(part.get("message"))
    said.add(TEXT, message.get("content") or part.get("response"))
    said.add(THOUGHT, message.get("thinking") or part.get("thinking"))
    for asked in items(message.get("tool_calls")):
        function = mapping(mapping(asked).get("function"))
        # Each call comes whole.
        said.call(function.get("name"), function.get("arguments"), len(said.pieces))


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Prompt with its cache, answer with its thinking."""
    counts = Tally()
    asked, answered = first(seen.usage, "prompt_eval_count"), first(seen.usage, "eval_count")
    if asked is not None:
        counts.place_input(asked, number(seen.usage.get("prompt_eval_cached_count")))
    if answered is not None:
        counts.place_output(answered)
    return counts.settle(seen, context)


FORMAT = Format(
    "ollama",
    read,
    count,
    re.compile(rb'"(?:done"\s*:\s*true|thinking"\s*:\s*"[^"]|tool_calls"\s*:\s*\[\s*\{|error"\s*:\s*[^\sn])'),
    say=say,
    compose=prompts.compose,
)

EMBEDDINGS = Format("ollama.embeddings", read, count, FORMAT.marks, compose=prompts.compose)
"""Embeddings: vectors, and behind them the tokens of the prompt."""
