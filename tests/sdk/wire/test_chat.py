"""Chat Completions: parts inside their whole, and the many dialects of it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace.normalise import read_usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import chat, inclusive

COUNT = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    """A usage whose parts fit their whole, as OpenAI reports it."""
    asked = draw(COUNT)
    audio = draw(st.integers(0, asked))
    image = draw(st.integers(0, asked - audio))
    cached = draw(st.integers(0, asked))
    written = draw(st.integers(0, asked - cached))
    answered = draw(COUNT)
    hidden = draw(st.integers(0, answered))
    spoken = draw(st.integers(0, answered - hidden))
    rejected = draw(st.integers(0, answered - hidden - spoken))
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {
            "cached_tokens": cached,
            "cache_write_tokens": written,
            "audio_tokens": audio,
            "image_tokens": image,
        },
        "completion_tokens_details": {
            "reasoning_tokens": hidden,
            "audio_tokens": spoken,
            "rejected_prediction_tokens": rejected,
        },
    }


ODD = st.sampled_from((None, True, -1, 3.0, "4", 2**63, 10**7))
"""What hardly anybody sends in the place of a count."""
ZEROS = ("accepted_prediction_tokens", "audio_tokens", "rejected_prediction_tokens")


@st.composite
def plain_usages(draw: st.DrawFn) -> dict[str, Any]:
    """What OpenAI tells of texts, now and then with something that is not like it."""
    asked, answered = draw(COUNT), draw(COUNT)
    details = {"cached_tokens": draw(st.integers(0, asked))}
    details |= draw(st.dictionaries(st.sampled_from(("audio_tokens",)), st.just(0)))
    answer = {"reasoning_tokens": draw(st.integers(0, answered))}
    answer |= draw(st.dictionaries(st.sampled_from(ZEROS), st.just(0)))
    usage: dict[str, Any] = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": details,
        "completion_tokens_details": answer,
    }
    place = draw(st.sampled_from((usage, details, answer)))
    place |= draw(st.dictionaries(st.sampled_from((*place, "cache_write_tokens", "cost")), ODD | COUNT, max_size=1))
    return usage


@settings(deadline=None, max_examples=300)
@given(
    usage=plain_usages(),
    provider=st.sampled_from(("openai", "x_ai", "vercel")),
    complete=st.booleans(),
    facts=st.sampled_from(({}, {"has_reasoning_content": True})),
    context=st.sampled_from(({}, {"http_status": 200}, {"visible_output_tokens": 3})),
)
def test_a_plain_usage_comes_to_what_all_of_the_rules_make_of_it(usage, provider, complete, facts, context):
    seen = Reading(usage=usage, complete=complete, facts=facts)
    rules = inclusive.tally(usage, apart=provider == "x_ai", untotalled=provider == "vercel")
    assert chat.count(seen, provider, context) == rules.settle(seen, context)


def test_what_openai_tells_of_texts_is_plain():
    usage = {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 4} | dict.fromkeys(ZEROS, 0),
    }
    assert inclusive.plain(Reading(usage=usage, complete=True), {"http_status": 200}) == (
        {"input_text": 19, "output_reasoning": 4, "output_text": 6},
        {},
        {},
        (),
        {"cache_read", "output_audio", "output_rejected_prediction"},
    )


@settings(deadline=None)
@given(usage=usages())
def test_buckets_add_up_to_what_is_reported(usage):
    read = read_usage(usage, provider="openai", api="chat")
    expected = (usage["prompt_tokens"], usage["completion_tokens"], None)
    assert (read.input, read.output, read.flags.get("inconsistent")) == expected


@settings(deadline=None)
@given(usage=usages())
def test_every_part_is_in_a_bucket_of_its_own(usage):
    asked, answered = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    read = read_usage(usage, provider="openai", api="chat")
    assert (read.cache_read, read.cache_write, read.reasoning) == (
        asked["cached_tokens"],
        asked["cache_write_tokens"],
        answered["reasoning_tokens"],
    )
    assert read.buckets.get("output_audio", 0) == answered["audio_tokens"]
    assert read.buckets.get("output_rejected_prediction", 0) == answered["rejected_prediction_tokens"]


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    reasons = draw(
        st.lists(st.sampled_from(["stop", "length", "tool_calls", "content_filter"]), min_size=1, max_size=3)
    )
    thought = draw(st.none() | st.text(min_size=1, max_size=20))
    message = {"role": "assistant", "content": draw(st.text(max_size=40)), "reasoning_content": thought}
    return {
        "id": "chatcmpl-1",
        "model": "gpt-5",
        "service_tier": draw(st.sampled_from(["default", "flex", "priority"])),
        "choices": [{"index": n, "message": message, "finish_reason": reason} for n, reason in enumerate(reasons)],
        "usage": draw(usages()),
    }


def chunks(completion: dict[str, Any]) -> list[dict[str, Any]]:
    """The completion as a stream of it would bring it."""
    head = {name: completion[name] for name in ("id", "model", "service_tier")}
    stream = []
    for choice in completion["choices"]:
        message = choice["message"]
        thoughts = [{"reasoning_content": message["reasoning_content"]}] if message["reasoning_content"] else []
        deltas = [{"role": "assistant"}, *thoughts, *({"content": letter} for letter in message["content"])]
        stream += [{"index": choice["index"], "delta": delta, "finish_reason": None} for delta in deltas]
        stream += [{"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}]
    parts = [{**head, "choices": [choice], "usage": None} for choice in stream]
    return [*parts, {**head, "choices": [], "usage": completion["usage"]}]


def seen(*parts: Any) -> Reading:
    reading = Reading()
    for part in parts:
        chat.read(part, reading)
    return reading


@settings(deadline=None)
@given(completion=completions())
def test_a_stream_reads_like_the_complete_answer(completion):
    assert seen(*chunks(completion)) == seen(completion)


@settings(deadline=None)
@given(completion=completions(), separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", " :\t")]))
def test_the_marked_chunks_of_a_stream_tell_everything(completion, separators):
    data = [json.dumps(part, separators=separators).encode() for part in chunks(completion)]
    told = [json.loads(one) for place, one in enumerate(data) if not place or chat.FORMAT.marks.search(one)]
    assert seen(*told) == seen(completion)


CONTENT = {
    "text": {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}], "usage": None},
    "text about usage": {
        "choices": [{"index": 0, "delta": {"content": '"usage":{"finish_reason":"x"'}}],
        "usage": None,
    },
    "arguments": {"choices": [{"delta": {"tool_calls": [{"function": {"arguments": '{"usage": {'}}]}}]},
    "no reasoning": {
        "choices": [{"delta": {"content": "a", "reasoning_content": None, "reasoning": ""}}],
        "error": None,
    },
}


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_content_is_not_marked(name, separators):
    assert not chat.FORMAT.marks.search(json.dumps(CONTENT[name], separators=separators).encode())


def test_a_stream_that_breaks_off_before_its_usage_is_not_complete():
    part = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}
    assert not seen(part, part).complete


def test_a_broken_stream_of_running_totals_is_a_lower_bound():
    usage = {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42}
    parts = [{"choices": [{"index": 0, "delta": {"content": "b"}}], "usage": usage}]
    read = read_usage({"chunks": parts}, provider="vllm", api="chat.stream", context={"visible_output_tokens": 3})
    assert (read.buckets, read.flags) == (
        {"input_text": 40, "output_text": 3},
        {"usage_source": "partial_stream", "output_lower_bound": True},
    )


def test_the_usage_of_groq_is_found_beside_the_choices():
    part = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": {"prompt_tokens": 3}}}
    assert read_usage([part], provider="groq", api="chat.stream").buckets == {"input_text": 3}


ERRORS = {
    "a type": ({"error": {"type": "server_error", "code": "x"}}, "server_error"),
    "a code": ({"error": {"code": "rate_limited"}}, "rate_limited"),
    "a number": ({"error": {"code": 502, "message": "Bad gateway"}}, "502"),
    "a sentence": ({"error": "overloaded"}, "error"),
    "a choice": ({"choices": [{"finish_reason": "error", "error": {"code": 502}}]}, "502"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_inside_a_stream_is_named(name):
    part, expected = ERRORS[name]
    assert seen(part).error == expected


RULES = {
    "the total says inside": (150, 30, "openai", (20, 30)),
    "the total says beside": (180, 30, "openai", (50, 30)),
    "the total says beside, and there is more of it than of the rest": (230, 80, "openai", (50, 80)),
    "no total, more reasoning than output": (None, 80, "openai", (50, 80)),
    "no total, inside for most": (None, 30, "openai", (20, 30)),
    "no total, beside for xAI": (None, 30, "xai", (50, 30)),
    "the total says inside, for xAI": (150, 30, "xai", (20, 30)),
    "the total says inside, and it is too much": (150, 80, "openai", (0, 50)),
}


@pytest.mark.parametrize("rule", RULES)
def test_arithmetic_decides_whether_reasoning_is_inside_the_output(rule):
    total, hidden, provider, expected = RULES[rule]
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": total, "reasoning_tokens": hidden}
    read = read_usage(usage, provider=provider, api="chat")
    assert (read.buckets.get("output_text", 0), read.reasoning) == expected


def test_more_reasoning_than_output_is_cut_and_said():
    usage = {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6, "reasoning_tokens": 9}
    assert read_usage(usage, provider="openai", api="chat").flags == {"inconsistent": True}


CACHED = {
    "details": {"prompt_tokens_details": {"cached_tokens": 4}, "cached_tokens": 9},
    "misspelt details": {"prompt_token_details": {"cached_tokens": 4}},
    "num_cached_tokens": {"num_cached_tokens": 4, "prompt_cache_hit_tokens": 9},
    "prompt_cache_hit_tokens": {"prompt_cache_hit_tokens": 4, "cached_tokens": 9},
    "cached_tokens": {"cached_tokens": 4, "cache_read_input_tokens": 9},
    "cache_read_input_tokens": {"cache_read_input_tokens": 4},
    "null details": {"prompt_tokens_details": {"cached_tokens": None}, "cached_tokens": 4},
}


@pytest.mark.parametrize("name", CACHED)
def test_cached_tokens_are_read_under_one_of_their_names(name):
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, **CACHED[name]}
    read = read_usage(usage, provider="openai", api="chat")
    assert read.buckets == {"input_text": 6, "cache_read": 4, "output_text": 1}


def test_cached_tokens_without_kinds_are_text_first_then_images_then_audio():
    details = {"text_tokens": 10, "image_tokens": 20, "audio_tokens": 30, "cached_tokens": 45}
    read = read_usage({"prompt_tokens": 60, "prompt_tokens_details": details}, provider="openai", api="chat")
    assert read.buckets == {"cache_read": 10, "cache_read_image": 20, "cache_read_audio": 15, "input_audio": 15}


def test_what_is_written_to_a_cache_may_be_an_image():
    details = {"image_tokens": 80, "cache_write_tokens": 90}
    read = read_usage({"prompt_tokens": 100, "prompt_tokens_details": details}, provider="openai", api="chat")
    assert (read.buckets, read.flags) == ({"input_image": 10, "cache_write_30m": 90}, {"cache_ttl_assumed": True})


def test_a_gateway_that_repeats_anthropic_says_how_long_a_cache_lives():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "total_tokens": 105,
        "prompt_tokens_details": {
            "cached_tokens": 10,
            "cache_creation_tokens": 80,
            "cache_creation_token_details": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 30},
        },
        "cache_creation_input_tokens": 80,
        "cache_read_input_tokens": 10,
    }
    assert read_usage(usage, provider="openai", api="chat").buckets == {
        "input_text": 10,
        "cache_read": 10,
        "cache_write_1h": 30,
        "cache_write_5m": 50,
        "output_text": 5,
    }


def test_audio_that_only_the_total_counts_is_input():
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 20,
        "total_tokens": 400,
        "prompt_tokens_details": {"audio_tokens": 375},
    }
    assert read_usage(usage, provider="mistral", api="chat").buckets == {
        "input_text": 5,
        "input_audio": 375,
        "output_text": 20,
    }


def test_thoughts_that_only_the_total_counts_are_derived():
    usage = {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}
    read = read_usage(usage, provider="gemini", api="chat")
    assert (read.buckets, read.flags) == (
        {"input_text": 35, "output_text": 12, "output_reasoning": 62},
        {"reasoning_source": "derived"},
    )


def test_reasoning_that_can_be_read_but_is_reported_as_none_is_unknown():
    message = {"role": "assistant", "content": "4", "reasoning": "Two and two."}
    usage = {"prompt_tokens": 22, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 0}}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
    assert read_usage(body, provider="snowflake", api="chat").flags == {"reasoning_source": "unknown"}


def test_searches_that_a_gateway_counts_are_metered():
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 1,
        "num_search_queries": 2,
        "server_tool_use": {"web_search_requests": 1},
    }
    assert read_usage(usage, provider="perplexity", api="chat").meters == {"web_search": 3}


def test_what_litellm_repeats_as_openai_s_is_written_for_as_long_as_anthropic_keeps_it():
    details = {"cached_tokens": 2000, "cache_write_tokens": 300, "cache_creation_tokens": 300}
    raw = {"prompt_tokens": 2312, "completion_tokens": 7, "total_tokens": 2319, "prompt_tokens_details": details}
    counted = read_usage(raw, provider="anthropic", api="chat")
    assert counted.buckets == {"input_text": 12, "cache_read": 2000, "cache_write_5m": 300, "output_text": 7}
