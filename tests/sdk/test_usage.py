"""What `read_usage` makes of anything a provider, a gateway or a vendor's object can say."""

import json
import math
import re
from decimal import Decimal

import pytest
from anthropic.types import Message
from google.genai.types import GenerateContentResponse
from hypothesis import given, settings, strategies as st
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from tokentrace.attributes import BUCKETS
from tokentrace.normalise import read_usage
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import overlaid
from tokentrace.wire.apis import FORMATS

FIELDS = re.findall(
    r"\w+",
    """
    usage usageMetadata tool_usage web_search num_requests image_gen iterations cache_creation output model id type
    prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details cached_tokens
    reasoning_tokens audio_tokens input_tokens output_tokens input_tokens_details output_tokens_details
    cache_read_input_tokens cache_creation_input_tokens ephemeral_1h_input_tokens thinking_tokens server_tool_use
    promptTokenCount candidatesTokenCount thoughtsTokenCount totalTokenCount promptTokensDetails modality tokenCount
    choices message delta content candidates groundingMetadata webSearchQueries response event error code status
    cost cost_details cost_in_usd_ticks upstream_inference_cost seconds duration data chunks events predictions
    connectors connector_tokens service_tier action incomplete_details summary steps results answers
    """,
)

WORDS = st.sampled_from(
    ["", "x", "message", "compaction", "fallback_message", "reasoning", "web_search_call", "TEXT", "IMAGE", "12"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8),
    max_leaves=30,
)
APIS = st.sampled_from([None, *FORMATS])
PROVIDERS = st.sampled_from(["openai", "anthropic", "gemini", "vertex", "openrouter", "xai", "mistral", "nobody"])


@settings(deadline=None)
@given(raw=JSON, provider=PROVIDERS, api=APIS, context=st.dictionaries(WORDS, LEAVES, max_size=2))
def test_whatever_is_reported_becomes_counts_that_can_be_counted(raw, provider, api, context):
    usage = read_usage(raw, provider=provider, api=api, context=context)
    counts = [*usage.buckets.items(), *(item for part in usage.sub for item in part["buckets"].items())]
    assert all(name in BUCKETS and type(count) is int and count > 0 for name, count in counts)
    assert all(0 < count < math.inf for count in usage.meters.values())
    assert usage.zeros.isdisjoint(usage.buckets)


@settings(deadline=None)
@given(raw=JSON, provider=PROVIDERS, api=APIS)
def test_reading_the_same_again_gives_the_same(raw, provider, api):
    before = json.dumps(raw)
    first = read_usage(raw, provider=provider, api=api)
    assert (read_usage(raw, provider=provider, api=api), json.dumps(raw)) == (first, before)


NULLED = {
    "chat": ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "cached_tokens"),
    "responses": ("input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"),
    "messages": ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation", "iterations"),
    "generate": ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
}


@pytest.mark.parametrize("api", NULLED)
def test_null_is_not_zero(api):
    nothing = read_usage(dict.fromkeys(NULLED[api]), provider="openai", api=api)
    assert nothing == Usage(flags={"usage_source": "missing", "billable": "unknown"})


def test_zero_is_kept_apart_from_what_was_not_said():
    usage = read_usage({"prompt_tokens": 7, "total_tokens": 7, "completion_tokens": 0}, provider="openai", api="chat")
    said = (usage.input, usage.output, usage.reasoning, usage.cache_read, usage.cache_write)
    assert said == (7, 0, None, None, None)


COUNTS = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers() | st.just("x"), max_size=4)
USAGES = st.dictionaries(st.sampled_from("abcdef"), st.none() | st.integers() | COUNTS, max_size=6)


@settings(deadline=None)
@given(earlier=USAGES, later=USAGES)
def test_a_later_part_replaces_what_it_states_and_nothing_else(earlier, later):
    merged = overlaid(earlier, later)
    for name in {**earlier, **later}:
        before, after = earlier.get(name), later.get(name)
        nested = isinstance(before, dict) and isinstance(after, dict)
        expected = overlaid(before, after) if nested else before if after is None else after
        assert merged.get(name) == expected


@settings(deadline=None)
@given(parts=st.lists(USAGES, min_size=1, max_size=4))
def test_a_part_that_is_repeated_changes_nothing(parts):
    told = {}
    for part in parts:
        told = overlaid(told, part)
    assert overlaid(told, parts[-1]) == told


@pytest.mark.parametrize("alias", ["azure", "azure_openai", "az.ai.openai", "azure.ai.openai"])
def test_a_provider_is_known_by_any_of_its_names(alias):
    assert read_usage({"prompt_tokens": 3, "total_tokens": 3}, provider=alias, api="chat").buckets == {"input_text": 3}


def test_an_unknown_provider_is_read_by_its_api():
    usage = read_usage({"input_tokens": 3, "output_tokens": 4}, provider="a gateway of ours", api="messages")
    assert usage.buckets == {"input_text": 3, "output_text": 4}


def test_an_unknown_api_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"api 'telepathy'\. Use one of: .*\bchat\b.*\bmessages\b.*\bresponses\b"):
        read_usage({}, provider="openai", api="telepathy")


SHAPES = {
    "chat": {"prompt_tokens": 9, "completion_tokens": 2, "cache_read_input_tokens": 4},
    "messages": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 4},
    "responses": {"input_tokens": 9, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}},
    "gemini": {"promptTokenCount": 9, "candidatesTokenCount": 2, "cachedContentTokenCount": 4},
    "snake_case gemini": {"prompt_token_count": 9, "candidates_token_count": 2, "cached_content_token_count": 4},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_without_an_api_the_shape_of_a_usage_object_decides(shape):
    expected = {"input_text": 5, "cache_read": 4, "output_text": 2}
    assert read_usage(SHAPES[shape], provider="a gateway of ours").buckets == expected


@pytest.mark.parametrize("prefix", ["msg_", "resp_"])
def test_without_an_api_the_id_of_a_body_decides_before_its_fields(prefix):
    body = {"id": prefix + "1", "usage": {"input_tokens": 9, "output_tokens": 2, "cache_read_input_tokens": 4}}
    expected = {
        "msg_": {"input_text": 9, "cache_read": 4, "output_text": 2},
        "resp_": {"input_text": 5, "cache_read": 4, "output_text": 2},
    }
    assert read_usage(body, provider="a gateway of ours").buckets == expected[prefix]


CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [{"type": "text", "text": "4"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 5,
        "cache_read_input_tokens": 4,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 3},
    },
}
GENERATED = {
    "modelVersion": "gemini-3-pro",
    "candidates": [{"content": {"parts": [{"text": "4"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {
        "promptTokenCount": 9,
        "cachedContentTokenCount": 4,
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        "candidatesTokenCount": 2,
        "thoughtsTokenCount": 3,
        "totalTokenCount": 14,
    },
}
OBJECTS = {
    "openai's completion": (ChatCompletion.model_validate(CHAT), "openai", "chat"),
    "openai's usage": (CompletionUsage.model_validate(CHAT["usage"]), "openai", "chat"),
    "anthropic's message": (Message.model_validate(MESSAGE), "anthropic", "messages"),
    "anthropic's usage": (Message.model_validate(MESSAGE).usage, "anthropic", "messages"),
    "google's response": (GenerateContentResponse.model_validate(GENERATED), "gemini", "generate"),
    "google's usage": (GenerateContentResponse.model_validate(GENERATED).usage_metadata, "gemini", "generate"),
    "a list of google's chunks": ([GenerateContentResponse.model_validate(GENERATED)] * 2, "gemini", "generate"),
    "the JSON of a completion": (CHAT, "openai", "chat"),
    "the JSON of a message": (MESSAGE, "anthropic", "messages"),
    "the JSON of a generation": (GENERATED, "gemini", "generate"),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_vendors_read_like_their_json(name):
    raw, provider, api = OBJECTS[name]
    expected = {"input_text": 5, "cache_read": 4, "output_text": 2, "output_reasoning": 3}
    assert read_usage(raw, provider=provider, api=api) == Usage(expected)


COSTS = {
    "a number": ({"cost": 0.00095}, Decimal("0.00095")),
    "a text": ({"cost": "0.00095"}, Decimal("0.00095")),
    "nothing": ({"cost": 0}, Decimal(0)),
    "a total of parts": ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.30}}, Decimal("0.3")),
    "ticks": ({"cost_in_usd_ticks": 123450000}, Decimal("0.012345")),
    "the key of the caller": (
        {"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.00417}},
        Decimal("0.00417"),
    ),
    "the key of the caller, and a fee": (
        {"cost": 0.0002, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.00417}},
        Decimal("0.00437"),
    ),
    "the key of the caller, and who knows what it paid": (
        {"cost": 0.0002, "is_byok": True, "cost_details": {"upstream_inference_cost": None}},
        None,
    ),
    "what the provider paid itself": (
        {"cost": 0.00417, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00417}},
        Decimal("0.00417"),
    ),
    "what the provider gives away": ({"cost": 0, "cost_details": {"upstream_inference_cost": 0.5}}, Decimal(0)),
    "no amount": ({"cost": "free"}, None),
    "not a number": ({"cost": math.nan}, None),
}


@pytest.mark.parametrize("name", COSTS)
def test_a_cost_that_the_provider_states_is_kept_exactly(name):
    reported, expected = COSTS[name]
    usage = read_usage({"prompt_tokens": 3, "completion_tokens": 1, **reported}, provider="openrouter", api="chat")
    assert usage.flags.get("reported_cost_usd") == expected
