"""Groq's compound systems: billed by the models and tools that had a part in the answer."""

import json
from typing import Any

from tokentrace.normalise import read_usage

LLAMA = {"model": "llama-3.3-70b", "usage": {"prompt_tokens": 700, "completion_tokens": 30, "total_tokens": 730}}
OSS = {
    "model": "openai/gpt-oss-120b",
    "usage": {
        "prompt_tokens": 300,
        "completion_tokens": 90,
        "total_tokens": 390,
        "prompt_tokens_details": {"cached_tokens": 100},
        "completion_tokens_details": {"reasoning_tokens": 40},
    },
}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 120, "total_tokens": 1120}
PARTS = (
    {"kind": "model", "model": "llama-3.3-70b", "buckets": {"input_text": 700, "output_text": 30}},
    {
        "kind": "model",
        "model": "openai/gpt-oss-120b",
        "buckets": {"input_text": 200, "cache_read": 100, "output_text": 50, "output_reasoning": 40},
    },
)


def answer(usage: Any = USAGE, models: Any = (LLAMA, OSS), tools: Any = None) -> dict[str, Any]:
    message = {"role": "assistant", "content": "It rains.", "executed_tools": tools}
    return {
        "id": "chatcmpl-1",
        "model": "groq/compound",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
        "usage_breakdown": {"models": models and list(models)},
    }


def ran(place: int, kind: str) -> dict[str, Any]:
    return {"index": place, "type": kind, "arguments": "{}"}


def test_every_model_behind_an_answer_is_a_part_of_its_own():
    read = read_usage(answer(), provider="groq", api="chat")
    assert (read.sub, read.flags) == (PARTS, {"main_is_sum_of_sub": True})
    assert (read.input, read.output) == (1000, 120)


def test_models_are_believed_where_the_whole_says_otherwise():
    less = {"prompt_tokens": 300, "completion_tokens": 90, "total_tokens": 390}
    read = read_usage(answer(less), provider="groq", api="chat")
    assert (read.input, read.output) == (1000, 120)
    assert read.flags == {"main_is_sum_of_sub": True, "top_level_disagrees": True}


def test_tools_are_metered_and_priced_as_a_part():
    tools = [ran(0, "search"), ran(1, "python"), ran(2, "search"), ran(3, "visit"), ran(4, "something")]
    read = read_usage(answer(tools=tools), provider="groq", api="chat")
    assert read.meters == {"web_search": 2, "code_execution": 1, "web_fetch": 1}
    assert read.sub == (
        *PARTS,
        {"kind": "tools", "model": "groq/compound", "buckets": {}, "meters": dict(read.meters)},
    )


def test_tools_of_one_model_are_metered_beside_its_counts():
    read = read_usage(answer(models=None, tools=[ran(0, "browser.search")]), provider="groq", api="chat")
    assert (read.meters, read.sub, read.flags) == ({"web_search": 1}, (), {})


def test_a_stream_tells_of_a_tool_several_times():
    delta = {"index": 0, "delta": {"executed_tools": [ran(0, "search")]}}
    last = {"choices": [], "usage": USAGE, "usage_breakdown": {"models": [LLAMA, OSS]}}
    parts = [{"choices": [delta]}, {"choices": [delta]}, last]
    read = read_usage(json.loads(json.dumps(parts)), provider="groq", api="chat.stream")
    assert (read.meters, len(read.sub)) == ({"web_search": 1}, 3)
