"""Anthropic Messages: input beside its cache, and the iterations of one answer."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace.normalise import read_usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import messages

COUNT = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    long, short = draw(COUNT), draw(COUNT)
    answered = draw(st.integers(2, 10**6))
    usage = {
        "input_tokens": draw(COUNT),
        "cache_read_input_tokens": draw(COUNT),
        "cache_creation_input_tokens": long + short,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
        "output_tokens": answered,
        "service_tier": draw(st.sampled_from(["standard", "priority"])),
    }
    if draw(st.booleans()):
        usage["output_tokens_details"] = {"thinking_tokens": draw(st.integers(0, answered))}
    if draw(st.booleans()):
        usage["server_tool_use"] = {"web_search_requests": draw(st.integers(0, 5)), "web_fetch_requests": 0}
    return usage


def whole(usage: dict[str, Any]) -> int:
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return sum(usage[name] for name in names)


@settings(deadline=None)
@given(usage=usages())
def test_buckets_add_up_to_what_is_reported(usage):
    read = read_usage(usage, provider="anthropic", api="messages")
    assert (read.input, read.output, dict(read.flags)) == (whole(usage), usage["output_tokens"], {})


@settings(deadline=None)
@given(usage=usages())
def test_every_part_is_in_a_bucket_of_its_own(usage):
    read = read_usage(usage, provider="anthropic", api="messages")
    stored = usage["cache_creation"]
    assert read.buckets.get("cache_write_1h", 0) == stored["ephemeral_1h_input_tokens"]
    assert read.buckets.get("cache_write_5m", 0) == stored["ephemeral_5m_input_tokens"]
    assert read.reasoning == usage.get("output_tokens_details", {}).get("thinking_tokens")


BLOCKS = st.sampled_from(
    [
        {"type": "text", "text": "Half an answer"},
        {"type": "thinking", "thinking": "Two and two.", "signature": "x"},
        {"type": "thinking", "thinking": "", "signature": "x"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "t", "name": "add", "input": {"a": 2}},
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "model": "claude-opus-5",
        "content": draw(st.lists(BLOCKS, max_size=4)),
        "stop_reason": draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal"])),
        "usage": draw(usages()),
    }


def events(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The message as a stream of it would bring it."""
    usage = answer["usage"]
    late = {
        name: usage[name] for name in ("output_tokens", "output_tokens_details", "server_tool_use") if name in usage
    }
    early = {name: count for name, count in usage.items() if name not in ("output_tokens_details", "server_tool_use")}
    start = {**answer, "content": [], "stop_reason": None, "usage": {**early, "output_tokens": 1}}
    stream: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(answer["content"]):
        kind = block["type"]
        opened = {**block, "text": ""} if kind == "text" else {**block, "thinking": ""} if kind == "thinking" else block
        stream.append({"type": "content_block_start", "index": index, "content_block": opened})
        if kind in ("text", "thinking"):
            delta = {"type": f"{kind}_delta", kind: block[kind]}
            stream.append({"type": "content_block_delta", "index": index, "delta": delta})
        stream.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": answer["stop_reason"]}
    return [*stream, {"type": "message_delta", "delta": delta, "usage": late}, {"type": "message_stop"}]


def seen(*parts: Any) -> Reading:
    reading = Reading()
    for part in parts:
        messages.read(part, reading)
    return reading


@settings(deadline=None)
@given(answer=answers())
def test_a_stream_reads_like_the_complete_answer(answer):
    assert seen(*events(answer)) == seen(answer)


@settings(deadline=None)
@given(answer=answers(), separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " :\t")]))
def test_the_marked_events_of_a_stream_tell_everything(answer, separators):
    data = [json.dumps(part, separators=separators).encode() for part in events(answer)]
    told = [json.loads(one) for place, one in enumerate(data) if not place or messages.FORMAT.marks.search(one)]
    assert seen(*told) == seen(answer)


CONTENT = {
    "text": {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": '"type":"message_stop"'},
    },
    "arguments": {
        "type": "content_block_delta",
        "delta": {"type": "input_json_delta", "partial_json": '{"type":"error"'},
    },
    "a signature": {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "thinking"}},
    "a text block": {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    "the end of a block": {"type": "content_block_stop", "index": 0},
    "a ping": {"type": "ping"},
}


@pytest.mark.parametrize("name", CONTENT)
def test_content_is_not_marked(name):
    assert not messages.FORMAT.marks.search(json.dumps(CONTENT[name]).encode())


def test_a_later_total_replaces_an_earlier_one_even_when_it_is_lower():
    start = {
        "input_tokens": 100,
        "cache_read_input_tokens": 55096,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1,
    }
    parts = [
        {"type": "message_start", "message": {"usage": start}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"cache_read_input_tokens": 0, "output_tokens": 8},
        },
    ]
    read = read_usage(parts, provider="anthropic", api="messages")
    assert (read.buckets, read.cache_read) == ({"input_text": 100, "output_text": 8}, 0)


def test_a_null_in_a_delta_does_not_erase_what_the_start_said():
    parts = [
        {"type": "message_start", "message": {"usage": {"input_tokens": 25, "output_tokens": 1}}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"input_tokens": None, "output_tokens": 8},
        },
    ]
    assert read_usage(parts, provider="anthropic", api="messages").buckets == {"input_text": 25, "output_text": 8}


def test_a_write_that_its_split_does_not_cover_lives_as_long_as_is_usual():
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 90, "cache_creation": {"ephemeral_1h_input_tokens": 30}}
    read = read_usage(usage, provider="anthropic", api="messages")
    assert (read.buckets, read.flags) == (
        {"input_text": 1, "cache_write_1h": 30, "cache_write_5m": 60},
        {"cache_ttl_assumed": True},
    )


def test_a_split_without_its_total_is_the_total():
    usage = {"input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 30, "ephemeral_5m_input_tokens": 2}}
    read = read_usage(usage, provider="anthropic", api="messages")
    assert read.buckets == {"input_text": 1, "cache_write_1h": 30, "cache_write_5m": 2}


def test_iterations_are_billed_where_the_top_level_disagrees():
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "iterations": [
            {"type": "message", "input_tokens": 10, "output_tokens": 5},
            {"type": "message", "input_tokens": 20, "output_tokens": 7},
        ],
    }
    read = read_usage(usage, provider="anthropic", api="messages")
    assert (read.buckets, read.flags, read.sub) == (
        {"input_text": 30, "output_text": 12},
        {"top_level_disagrees": True},
        (),
    )


REFUSALS = {"before the first token": (1, {"billable": False}), "after an answer began": (40, {})}


@pytest.mark.parametrize("when", REFUSALS)
def test_a_refusal_is_billed_only_for_what_it_let_through(when):
    answered, flags = REFUSALS[when]
    body = {"type": "message", "stop_reason": "refusal", "usage": {"input_tokens": 106, "output_tokens": answered}}
    assert read_usage(body, provider="anthropic", api="messages").flags == flags


TIERS = {
    "standard": {},
    "priority": {"service_tier": "priority"},
    "fast": {"speed": "fast"},
    "batch": {"service_tier": "batch"},
}


@pytest.mark.parametrize("tier", TIERS)
def test_the_tier_that_changes_the_price_is_noted(tier):
    usage = {"input_tokens": 1, "service_tier": "standard", "speed": "standard", "inference_geo": "us", **TIERS[tier]}
    reading = seen({"type": "message", "stop_reason": "end_turn", "usage": usage})
    assert (reading.tier, reading.facts) == (tier, {"region": "us"})


VISIBILITY = {
    "nothing": ([], None),
    "text": ([{"type": "text", "text": "4"}], None),
    "a summary": ([{"type": "thinking", "thinking": "Two and two."}], "summarised"),
    "an omitted summary": ([{"type": "thinking", "thinking": "", "signature": "x"}], "hidden"),
    "redacted": ([{"type": "redacted_thinking", "data": "x"}], "hidden"),
}


@pytest.mark.parametrize("name", VISIBILITY)
def test_how_much_of_the_thinking_can_be_read(name):
    content, expected = VISIBILITY[name]
    assert seen({"type": "message", "content": content, "stop_reason": "end_turn"}).visibility == expected


def test_thinking_that_is_not_counted_is_unknown():
    content = [{"type": "thinking", "thinking": "Two and two."}, {"type": "text", "text": "4"}]
    body = {
        "type": "message",
        "content": content,
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 40},
    }
    read = read_usage(body, provider="anthropic", api="messages")
    assert (read.buckets, read.flags) == ({"input_text": 9, "output_text": 40}, {"reasoning_source": "unknown"})


def test_an_error_inside_a_stream_is_named():
    assert (
        seen({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).error
        == "overloaded_error"
    )


def test_a_ping_tells_nothing():
    assert seen({"type": "ping"}) == Reading()
