"""Responses: the event that ends a stream carries the whole answer, and hosted tools are billed on top."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace.normalise import read_usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import responses

COUNT = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    asked, answered = draw(COUNT), draw(COUNT)
    cached = draw(st.integers(0, asked))
    short = draw(st.integers(0, asked - cached))
    long = draw(st.integers(0, asked - cached - short))
    return {
        "input_tokens": asked,
        "input_tokens_details": {
            "cached_tokens": cached,
            "cache_write_tokens": short + long,
            "cache_write_tokens_details": {"ttl_30m_tokens": short, "ttl_12h_tokens": long},
        },
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": draw(st.integers(0, answered))},
        "total_tokens": asked + answered,
    }


@settings(deadline=None)
@given(usage=usages())
def test_buckets_add_up_to_what_is_reported(usage):
    read = read_usage(usage, provider="openai", api="responses")
    assert (read.input, read.output, dict(read.flags)) == (usage["input_tokens"], usage["output_tokens"], {})


@settings(deadline=None)
@given(usage=usages())
def test_every_part_is_in_a_bucket_of_its_own(usage):
    read, details = read_usage(usage, provider="openai", api="responses"), usage["input_tokens_details"]
    lives = details["cache_write_tokens_details"]
    found = [read.buckets.get(name, 0) for name in ("cache_read", "cache_write_30m", "cache_write_12h")]
    assert found == [details["cached_tokens"], lives["ttl_30m_tokens"], lives["ttl_12h_tokens"]]
    assert read.reasoning == usage["output_tokens_details"]["reasoning_tokens"]


ITEMS = st.sampled_from(
    [
        {"type": "message", "content": [{"type": "output_text", "text": "4"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "x"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Two and two."}]},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Two and two."}]},
        {"type": "web_search_call", "action": {"type": "search", "query": "2+2"}},
        {"type": "web_search_call", "action": {"type": "open_page", "url": "https://example.com"}},
        {"type": "code_interpreter_call", "code": "2+2"},
        {"type": "function_call", "name": "add", "arguments": "{}"},
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    status = draw(st.sampled_from(["completed", "incomplete", "failed"]))
    return {
        "id": "resp_1",
        "object": "response",
        "model": "gpt-5",
        "service_tier": draw(st.sampled_from(["default", "flex", "priority"])),
        "status": status,
        "error": {"code": "server_error", "message": "…"} if status == "failed" else None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "output": draw(st.lists(ITEMS, max_size=5)),
        "usage": draw(usages()),
    }


def events(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The response as a stream of it would bring it."""
    empty = {"status": "in_progress", "output": [], "usage": None, "error": None, "incomplete_details": None}
    started = {**answer, **empty, "service_tier": "auto"}
    stream: list[dict[str, Any]] = [
        {"type": f"response.{name}", "response": started} for name in ("created", "in_progress")
    ]
    for index, item in enumerate(answer["output"]):
        stream.append({"type": "response.output_item.added", "output_index": index, "item": item})
        stream.append({"type": "response.output_text.delta", "output_index": index, "delta": "4"})
        stream.append({"type": "response.output_item.done", "output_index": index, "item": item})
    return [*stream, {"type": f"response.{answer['status']}", "response": answer}]


def seen(*parts: Any) -> Reading:
    reading = Reading()
    for part in parts:
        responses.read(part, reading)
    return reading


@settings(deadline=None)
@given(answer=answers())
def test_a_stream_reads_like_the_complete_answer(answer):
    assert seen(*events(answer)) == seen(answer)


@settings(deadline=None)
@given(answer=answers(), separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " :\t")]))
def test_the_marked_events_of_a_stream_tell_everything(answer, separators):
    data = [json.dumps(part, separators=separators).encode() for part in events(answer)]
    told = [json.loads(one) for place, one in enumerate(data) if not place or responses.FORMAT.marks.search(one)]
    assert seen(*told) == seen(answer)


@settings(deadline=None)
@given(answer=answers())
def test_a_stream_that_breaks_off_is_not_complete(answer):
    assert not seen(*events(answer)[:-1]).complete


CONTENT = {
    "text": {"type": "response.output_text.delta", "delta": '"type":"response.completed"'},
    "arguments": {"type": "response.function_call_arguments.delta", "delta": '{"type":"error"}'},
    "an item": {"type": "response.output_item.done", "item": {"type": "message", "status": "completed"}},
    "a search": {"type": "response.web_search_call.completed", "item_id": "ws_1"},
}


@pytest.mark.parametrize("name", CONTENT)
def test_content_is_not_marked(name):
    assert not responses.FORMAT.marks.search(json.dumps(CONTENT[name]).encode())


def test_a_queued_response_has_no_counts_yet():
    body = {"id": "resp_1", "object": "response", "status": "queued", "output": [], "usage": None}
    read = read_usage(body, provider="openai", api="responses")
    assert (read.buckets, read.flags) == ({}, {"usage_source": "missing", "billable": "unknown"})


USAGE = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}


def test_searches_are_counted_where_nobody_reports_them():
    output = [
        {"type": "web_search_call", "action": {"type": "search"}},
        {"type": "web_search_call", "action": {"type": "open_page"}},
        {"type": "web_search_call"},
        {"type": "file_search_call"},
        {"type": "code_interpreter_call"},
    ]
    read = read_usage({"output": output, "usage": USAGE}, provider="openai", api="responses")
    assert read.meters == {"web_search": 2, "file_search": 1, "code_execution": 1}


def test_billable_searches_are_the_reported_ones():
    output = [{"type": "web_search_call"}] * 3
    body = {"output": output, "usage": USAGE, "tool_usage": {"web_search": {"num_requests": 1}}}
    assert read_usage(body, provider="openai", api="responses").meters == {"web_search": 1}


def test_images_that_a_tool_draws_are_priced_apart():
    drawn = {
        "input_tokens": 100,
        "input_tokens_details": {"image_tokens": 60, "text_tokens": 40},
        "cached_tokens": 30,
        "cached_tokens_details": {"cached_image_tokens": 20, "cached_text_tokens": 10},
        "output_tokens": 1056,
        "total_tokens": 1156,
    }
    body = {"output": [], "usage": USAGE, "tool_usage": {"image_gen": drawn}}
    buckets = {"input_text": 30, "input_image": 40, "cache_read": 10, "cache_read_image": 20, "output_image": 1056}
    assert read_usage(body, provider="openai", api="responses").sub == ({"kind": "image_gen", "buckets": buckets},)


def test_a_realtime_answer_splits_its_cache_by_kind():
    usage = {
        "total_tokens": 300,
        "input_tokens": 200,
        "input_token_details": {
            "text_tokens": 80,
            "audio_tokens": 120,
            "cached_tokens": 100,
            "cached_tokens_details": {"text_tokens": 40, "audio_tokens": 60},
        },
        "output_tokens": 100,
        "output_token_details": {"text_tokens": 30, "audio_tokens": 70},
    }
    event = {"type": "response.done", "response": {"id": "resp_1", "status": "completed", "usage": usage}}
    assert read_usage([event], provider="openai", api="realtime").buckets == {
        "input_text": 40,
        "input_audio": 60,
        "cache_read": 40,
        "cache_read_audio": 60,
        "output_text": 30,
        "output_audio": 70,
    }


ERRORS = {
    "an event": ({"type": "error", "code": "rate_limit_exceeded", "message": "…"}, "rate_limit_exceeded"),
    "an event with an error": ({"type": "error", "error": {"type": "server_error"}}, "server_error"),
    "a failed response": ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "x"}}}, "x"),
    "a realtime response": (
        {"type": "response.done", "response": {"status": "failed", "status_details": {"error": {"code": "x"}}}},
        "x",
    ),
    "a failure without a word": ({"type": "response.failed", "response": {"status": "failed"}}, "failed"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_inside_a_stream_is_named(name):
    part, expected = ERRORS[name]
    assert seen(part).error == expected


def test_a_realtime_response_that_was_interrupted_says_why():
    details = {"type": "cancelled", "reason": "turn_detected"}
    told = seen({"type": "response.done", "response": {"status": "cancelled", "status_details": details}})
    assert (told.finish, told.complete, told.error) == ({0: "turn_detected"}, True, None)
