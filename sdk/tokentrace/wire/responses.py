"""OpenAI Responses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import CALL, TEXT, THOUGHT, Format, Reading, Said, items, mapping, number, overlaid, text
from tokentrace.wire import inclusive
from tokentrace.wire.prompts import responses as prompts
from tokentrace.wire.rules import fault, tier
from tokentrace.wire.tally import Tally

_OPEN = frozenset({"queued", "in_progress"})
_TOOLS = {"file_search_call": "file_search", "code_interpreter_call": "code_execution"}
_OWN_TOOLS = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "computer_call",
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
    }
)
"""Tools that the application runs."""


def read(part: Any, seen: Reading) -> None:
    """A `response`, or one event of its stream: the event that ends it carries the whole response."""
    part = mapping(part)
    response = mapping(part.get("response"))
    if not response:
        if kind := text(part.get("type")):
            # An event without a response is content, or the error that ends the stream.
            if kind == "error":
                seen.error = text(part.get("code")) or fault(part) or kind
            return
        response = part
    seen.model = text(response.get("model")) or seen.model
    seen.response_id = text(response.get("id")) or seen.response_id
    seen.tier = tier(response.get("service_tier")) or seen.tier
    # In the words of a realtime session where they are not those of a response.
    details = mapping(response.get("status_details"))
    error = mapping(response.get("error") or details.get("error"))
    seen.error = text(error.get("code")) or fault(response) or seen.error
    seen.usage = overlaid(seen.usage, mapping(response.get("usage")))
    if tools := mapping(response.get("tool_usage")):
        seen.facts["tool_usage"] = tools
    status = text(response.get("status")) or "completed"
    if status == "failed":
        seen.error = seen.error or status
    if status not in _OPEN:
        seen.complete = True
        stopped = mapping(response.get("incomplete_details")) or details
        seen.finish[0] = text(stopped.get("reason")) or status
        _read_output(items(response.get("output")), seen)


def _read_output(output: Any, seen: Reading) -> None:
    calls: dict[str, int] = {}
    own = 0
    for item in map(mapping, output):
        kind = text(item.get("type"))
        if kind == "reasoning":
            _read_reasoning(item, seen)
        elif kind == "web_search_call" and mapping(item.get("action")).get("type", "search") == "search":
            calls["web_search"] = calls.get("web_search", 0) + 1
        elif kind in _TOOLS:
            calls[_TOOLS[kind]] = calls.get(_TOOLS[kind], 0) + 1
        elif kind in _OWN_TOOLS:
            own += 1
    seen.calls = own
    if calls:
        seen.facts["tool_calls"] = calls


def _read_reasoning(item: Mapping[str, Any], seen: Reading) -> None:
    if item.get("content"):
        seen.visibility = "readable"
        seen.facts["has_reasoning_content"] = True
    elif item.get("summary"):
        seen.visibility = seen.visibility or "summarised"


_DELTAS = {
    "response.output_text.delta": TEXT,
    "response.refusal.delta": TEXT,
    "response.reasoning_text.delta": THOUGHT,
    "response.function_call_arguments.delta": CALL,
    "response.custom_tool_call_input.delta": CALL,
    "response.mcp_call_arguments.delta": CALL,
}


def say(part: Any, said: Said) -> None:
    """What a response or an event of its stream says; the event that ends it says everything once more."""
    part = mapping(part)
    kind, place = text(part.get("type")) or "", part.get("output_index", 0)
    if kind in _DELTAS:
        said.add(_DELTAS[kind], part.get("delta"), place)
    elif kind.startswith("response.reasoning_summary"):
        said.is_veiled = True
    elif kind == "response.output_item.added":
        _say_item(mapping(part.get("item")), place, said, is_begun=True)
    elif output := items((mapping(part.get("response")) or part).get("output")):
        said.pieces.clear()
        for place, item in enumerate(output):
            _say_item(mapping(item), place, said)


_HOSTED = frozenset({"image_generation_call", "web_search_call", "file_search_call", "code_interpreter_call"})
"""Tools that run at the provider."""


def _say_item(item: Mapping[str, Any], place: Any, said: Said, *, is_begun: bool = False) -> None:
    kind = text(item.get("type")) or ""
    if kind == "reasoning":
        for thought in items(item.get("content")):
            said.add(THOUGHT, mapping(thought).get("text"), place)
        said.is_veiled = said.is_veiled or bool(item.get("encrypted_content") or item.get("summary"))
    elif kind == "message":
        for content in map(mapping, items(item.get("content"))):
            said.add(TEXT, content.get("text") or content.get("refusal"), place)
    elif kind in _HOSTED:
        # What the model writes on the way to the answer is billed, and not all of it is shown.
        said.is_cut = True
    elif kind.endswith("_call"):
        written = item.get("arguments") or item.get("input") or item.get("action")
        said.call(item.get("name"), None if is_begun else written, place)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Input and output tokens with the parts they count in, and the hosted tools on top of them."""
    counts = inclusive.tally(seen.usage)
    if seen.facts:
        _add_tools(counts, mapping(seen.facts.get("tool_usage")), mapping(seen.facts.get("tool_calls")))
    return counts.settle(seen, context)


def _add_tools(counts: Tally, reported: Mapping[str, Any], called: Mapping[str, int]) -> None:
    searches = number(mapping(reported.get("web_search")).get("num_requests"))
    for name, number_of_calls in called.items():
        if name != "web_search" or searches is None:
            counts.meter(name, number_of_calls)
    counts.meter("web_search", searches)
    drawing = inclusive.tally(mapping(reported.get("image_gen")), output="output_image")
    if any(drawing.buckets.values()):
        counts.sub.append(drawing.part("image_gen", text(mapping(reported.get("image_gen")).get("model"))))


FORMAT = Format(
    "responses",
    read,
    count,
    re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed|cancelled|done)|error)"'),
    say=say,
    compose=prompts.compose,
)
