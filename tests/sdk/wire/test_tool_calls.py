"""Calls of the application's tools in an answer: counted where the finish may be that of any text."""

import json

import pytest

from tokentrace import attributes as name
from tokentrace.usage import record
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import chat, conversations, gemini, ollama, responses

FUNCTION = {"name": "add", "arguments": '{"a": {"id": "1"}}'}
ASKED = [{"id": f"call_{place}", "type": "function", "function": FUNCTION} for place in range(2)]
BEGUN = [{"index": place, **asked} for place, asked in enumerate(ASKED)]
GOES_ON = [{"index": 1, "function": {"arguments": '{"id": "call"}'}}]
PARTS = [{"functionCall": {"name": "add", "args": {}}}] * 2

ANSWERS = {
    "chat": (chat.FORMAT, [{"choices": [{"message": {"tool_calls": ASKED}, "finish_reason": "stop"}]}]),
    "chat, streamed": (
        chat.FORMAT,
        [
            {"choices": [{"delta": {"role": "assistant"}}]},
            *({"choices": [{"delta": {"tool_calls": [begun]}}]} for begun in BEGUN),
            {"choices": [{"delta": {"tool_calls": GOES_ON}}]},
            {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        ],
    ),
    "responses": (
        responses.FORMAT,
        [{
            "type": "response.completed",
            "response": {"output": [{"type": "function_call"}, {"type": "message"}, {"type": "custom_tool_call"}]},
        }],
    ),
    "gemini": (gemini.FORMAT, [{"candidates": [{"content": {"parts": PARTS}, "finishReason": "STOP"}]}]),
    "gemini, streamed": (
        gemini.FORMAT,
        [{"candidates": [{"content": {"parts": [part]}}]} for part in PARTS] + [{"candidates": [{"finishReason": "STOP"}]}],
    ),
    "ollama": (ollama.FORMAT, [{"message": {"tool_calls": ASKED}, "done_reason": "stop", "done": True}]),
    "ollama, streamed": (
        ollama.FORMAT, [{"message": {"tool_calls": ASKED}, "done": False}, {"done_reason": "stop", "done": True}],
    ),
    "conversations": (conversations.FORMAT, [{"outputs": [{"type": "function.call"}, {"type": "function.call"}]}]),
}  # fmt: skip


def told(fmt, parts):
    """What a span says of them, where only the events are parsed that bear a mark, beside the first."""
    seen = Reading()
    for place, part in enumerate(parts):
        if not place or fmt.marks.search(json.dumps(part).encode()):
            fmt.read(part, seen)
    return record.attributes(seen, Usage(), "openai").get(name.OUTPUT_TOOL_CALLS)


@pytest.mark.parametrize("case", ANSWERS)
def test_every_call_is_counted_once(case):
    assert told(*ANSWERS[case]) == 2


def test_an_answer_without_calls_says_nothing():
    assert told(chat.FORMAT, [{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}]) is None


def test_the_arguments_of_a_call_are_content():
    part = {"choices": [{"delta": {"tool_calls": GOES_ON}}]}
    assert not chat.FORMAT.marks.search(json.dumps(part).encode())


def test_what_the_provider_ran_is_no_call_of_ours():
    assert told(responses.FORMAT, [{"output": [{"type": "web_search_call"}, {"type": "message"}]}]) is None
