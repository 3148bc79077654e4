"""Gemini generateContent and its live sessions: the Gemini API and Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import (
    TEXT,
    Format,
    Reading,
    Said,
    ask,
    dig,
    items,
    mapping,
    number,
    overlaid,
    text,
)
from tokentrace.wire.prompts import gemini as prompts
from tokentrace.wire.rules import fault, tier
from tokentrace.wire.tally import MEDIA, Tally

_KINDS = {"IMAGE": "image", "DOCUMENT": "image", "AUDIO": "audio", "VIDEO": "video"}
_PER_PROMPT = re.compile(r"gemini-(?:live-)?[12]\b")
"""Models whose grounding is billed once per grounded prompt; later ones are billed per query."""


def read(part: Any, seen: Reading) -> None:
    """A response, or one chunk of it: each chunk counts the whole response so far.

    Takes JSON and the objects of google-genai.
    """
    seen.model = text(ask(part, "modelVersion")) or seen.model
    seen.response_id = text(ask(part, "responseId")) or seen.response_id
    seen.error = fault(mapping(part)) or seen.error
    for place, candidate in enumerate(items(ask(part, "candidates"))):
        _read_candidate(candidate, place, seen)
    if dig(ask(part, "promptFeedback"), "blockReason") or dig(ask(part, "promptFeedback"), "block_reason"):
        seen.facts["prompt_blocked"] = True
        seen.complete = True
    if (usage := ask(part, "usageMetadata")) is not None:
        told = _camelised(usage)
        seen.usage = overlaid(seen.usage, told)
        seen.tier = tier(told.get("serviceTier") or told.get("trafficType")) or seen.tier


def _read_candidate(candidate: Any, place: int, seen: Reading) -> None:
    if reason := text(ask(candidate, "finishReason")):
        index = number(ask(candidate, "index"))
        seen.finish[place if index is None else index] = str(dig(reason, "value") or reason)
        seen.complete = True
    note_grounding(candidate, seen)
    for piece in items(dig(ask(candidate, "content"), "parts")):
        if dig(piece, "thought") and dig(piece, "text"):
            seen.visibility = "summarised"
        # Each call comes whole, and the finish is that of any text.
        if ask(piece, "functionCall"):
            seen.calls += 1


def note_grounding(answer: Any, seen: Reading) -> None:
    """What was searched for an answer: a candidate, or what a live session says."""
    if grounding := ask(answer, "groundingMetadata"):
        if queries := items(ask(grounding, "webSearchQueries")):
            seen.facts["web_search_queries"] = len(queries)
        if queries or ask(grounding, "groundingChunks"):
            seen.facts["search_grounding"] = True


def _camelised(usage: Any) -> Mapping[str, Any]:
    """Usage metadata under its JSON names."""
    dump = getattr(usage, "model_dump", None)
    told = mapping(dump(by_alias=True, exclude_none=True) if callable(dump) else usage)
    if not any("_" in name for name in told):
        return told
    return {_camel(name): value for name, value in told.items()}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)


def say(part: Any, said: Said) -> None:
    """What a response or a chunk of it says."""
    for place, candidate in enumerate(items(ask(part, "candidates"))):
        for number_of, piece in enumerate(items(dig(ask(candidate, "content"), "parts"))):
            if dig(piece, "thought"):
                # A summary: what was thought is longer.
                said.is_veiled = True
                continue
            said.add(TEXT, dig(piece, "text"), place)
            said.add(TEXT, dig(ask(piece, "executableCode"), "code"), (place, "code"))
            if called := ask(piece, "functionCall"):
                # Each call comes whole, and those of one chunk beside each other.
                said.call(dig(called, "name"), dig(called, "args"), (place, len(said.pieces), number_of))
            if ask(piece, "inlineData") or ask(piece, "executableCode"):
                said.is_cut = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Prompt with its cache, tool results and thoughts beside prompt and candidates."""
    return tally(seen, context).settle(seen, context)


def tally(seen: Reading, context: Mapping[str, Any]) -> Tally:
    """The counts of usage metadata."""
    usage = seen.usage
    counts = Tally()
    prompt, tools = number(usage.get("promptTokenCount")), number(usage.get("toolUsePromptTokenCount"))
    thoughts, total = number(usage.get("thoughtsTokenCount")), number(usage.get("totalTokenCount"))
    answered = number(usage.get("candidatesTokenCount"))
    if answered is None:
        answered = number(usage.get("responseTokenCount"))
    known = (prompt or 0) + (tools or 0)
    if answered is not None and thoughts and total == known + answered:
        # Some servers count the thoughts in; everywhere else they are beside the candidates.
        answered -= min(thoughts, answered)
    if answered is None and total is not None and total > known + (thoughts or 0):
        answered = total - known - (thoughts or 0)
    if total is not None and total != known + (answered or 0) + (thoughts or 0):
        counts.flags["inconsistent"] = True
    if prompt is not None:
        cached = number(usage.get("cachedContentTokenCount"))
        by_kind = _by_kind(usage.get("cacheTokensDetails"))
        split = {"text": max(0, cached - sum(by_kind.values())), **by_kind} if cached and by_kind else cached
        counts.place_input(
            prompt, split, media=_by_kind(usage.get("promptTokensDetails") or usage.get("promptTokenDetails"))
        )
    if tools is not None:
        counts.input = (counts.input or 0) + tools
        counts.add("tool_use_prompt", tools)
    if answered is not None or thoughts is not None:
        _place_output(counts, usage, answered or 0, thoughts)
    _ground(counts, seen, context, tools)
    return counts


def _place_output(counts: Tally, usage: Mapping[str, Any], answered: int, thoughts: int | None) -> None:
    kinds = _by_kind(usage.get("candidatesTokensDetails") or usage.get("responseTokensDetails"))
    parts = [(f"output_{kind}", kinds.get(kind)) for kind in ("image", "audio")]
    counts.place_output(answered + (thoughts or 0), parts, reasoning=thoughts)


def _by_kind(details: Any) -> Mapping[str, int]:
    """Tokens other than text by kind of input, in the order of `MEDIA`."""
    counted: dict[str, int] = {}
    for detail in items(details):
        kind = _KINDS.get(str(dig(ask(detail, "modality"), "value") or ask(detail, "modality")))
        tokens = number(ask(detail, "tokenCount"))
        if kind and tokens:
            counted[kind] = counted.get(kind, 0) + tokens
    return {kind: counted[kind] for kind in MEDIA if kind in counted}


def _ground(counts: Tally, seen: Reading, context: Mapping[str, Any], tools: int | None) -> None:
    facts: Iterable[Mapping[str, Any]] = (context, seen.facts)
    queries = next((n for source in facts if (n := number(source.get("web_search_queries")))), 0)
    # The messages of a live session do not repeat its model.
    model = seen.model or text(context.get("requested_model"))
    if queries and model and _PER_PROMPT.match(model):
        queries = 1
    counts.meter("web_search", queries)
    # What Search and Maps retrieve is paid by the query.
    if tools and (context.get("search_grounding") or seen.facts.get("search_grounding")):
        counts.flags["tool_use_prompt_billable"] = False


FORMAT = Format(
    "gemini",
    read,
    count,
    re.compile(rb'"(?:usageMetadata|finishReason|promptFeedback|groundingMetadata|functionCall|error)"'),
    say=say,
    compose=prompts.compose,
)
