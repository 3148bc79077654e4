"""Formats of their own: Bedrock, Cohere, Mistral, Hugging Face, Ollama, xAI's gRPC, the Claude Agent SDK."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tokentrace.normalise import read_usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import chat, cohere, conversations, converse, invoke, ollama

CONVERSED = {"inputTokens": 18, "outputTokens": 30, "totalTokens": 55, "cacheReadInputTokenCount": 7}


def test_a_converse_stream_reads_like_its_answer_bare_or_under_the_names_of_its_events():
    block = {"reasoningContent": {"reasoningText": {"text": "Two and two."}}}
    whole = {"output": {"message": {"content": [block, {"text": "4"}]}}, "stopReason": "end_turn", "usage": CONVERSED}
    bare = [
        {"role": "assistant"},
        {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Two and two."}}},
        {"contentBlockIndex": 1, "delta": {"text": "4"}},
        {"stopReason": "end_turn"},
        {"usage": CONVERSED, "metrics": {"latencyMs": 1}},
    ]
    names = ("messageStart", "contentBlockDelta", "contentBlockDelta", "messageStop", "metadata")
    readings = []
    for parts in ([whole], bare, [{name: part} for name, part in zip(names, bare, strict=True)]):
        reading = Reading()
        for part in parts:
            converse.read(part, reading)
        readings.append(reading)
    assert readings[0] == readings[1] == readings[2]
    read = converse.count(readings[0], "aws.bedrock", {})
    assert (read.buckets, read.flags) == (
        {"input_text": 18, "cache_read": 7, "output_text": 30},
        {"reasoning_source": "unknown"},
    )


def test_writes_of_converse_live_as_long_as_their_details_say():
    details = [{"ttl": "5m", "inputTokens": 60}, {"ttl": "1h", "inputTokens": 30}]
    usage = {
        "inputTokens": 1,
        "outputTokens": 2,
        "totalTokens": 93,
        "cacheWriteInputTokens": 90,
        "cacheDetails": details,
    }
    read = read_usage({"usage": usage}, provider="bedrock", api="converse")
    assert read.buckets == {"input_text": 1, "cache_write_1h": 30, "cache_write_5m": 60, "output_text": 2}


def test_policies_of_a_guardrail_are_metered_unless_they_are_free():
    units = {"contentPolicyUnits": 1, "topicPolicyUnits": 2, "sensitiveInformationPolicyFreeUnits": 5}
    trace = {"guardrail": {"outputAssessments": {"g": [{"invocationMetrics": {"usage": units}}]}}}
    body = {"usage": CONVERSED, "stopReason": "guardrail_intervened", "trace": trace}
    assert read_usage(body, provider="bedrock", api="converse").meters == {"guardrail_units": 3}


INVOKED = {
    "Titan": {"inputTextTokenCount": 12, "results": [{"tokenCount": 30}, {"tokenCount": 4}]},
    "Nova": {"usage": {"inputTokens": 12, "outputTokens": 34, "totalTokens": 46}, "stopReason": "end_turn"},
    "Claude": {"type": "message", "stop_reason": "end_turn", "usage": {"input_tokens": 12, "output_tokens": 34}},
    "Mistral": {"choices": [{"message": {}}], "usage": {"prompt_tokens": 12, "completion_tokens": 34}},
    "headers": {"X-Amzn-Bedrock-Input-Token-Count": "12", "X-Amzn-Bedrock-Output-Token-Count": "34"},
}


@pytest.mark.parametrize("vendor", INVOKED)
def test_invoke_model_counts_as_the_vendor_of_the_model_does(vendor):
    read = read_usage(INVOKED[vendor], provider="bedrock", api="invoke_model")
    assert (read.buckets, read.flags) == ({"input_text": 12, "output_text": 34}, {})


def test_headers_do_not_count_what_the_body_counts_already():
    parts = [INVOKED["headers"], INVOKED["Claude"]]
    assert read_usage(parts, provider="bedrock", api="invoke_model").buckets == {"input_text": 12, "output_text": 34}


def streamed(*events: Mapping[str, Any]) -> Reading:
    """What the events of a stream tell, as botocore gives them."""
    reading = Reading()
    for event in events:
        invoke.read({"chunk": {"bytes": json.dumps(event).encode()}}, reading)
    return reading


def test_a_stream_of_nova_counts_its_cache():
    reading = streamed(
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "4"}}},
        {"messageStop": {"stopReason": "end_turn"}},
        {
            "metadata": {"usage": {"inputTokens": 12, "outputTokens": 34, "cacheReadInputTokenCount": 7}},
            "amazon-bedrock-invocationMetrics": {"inputTokenCount": 12, "outputTokenCount": 34},
        },
    )
    read = invoke.count(reading, "aws.bedrock", {})
    assert (reading.finish, read.buckets, read.flags) == (
        {0: "end_turn"},
        {"input_text": 12, "cache_read": 7, "output_text": 34},
        {},
    )


def test_a_stream_of_titan_counts_with_what_bedrock_adds():
    reading = streamed(
        {"outputText": "4", "index": 0, "totalOutputTextTokenCount": None, "inputTextTokenCount": 12},
        {"outputText": "", "completionReason": "FINISH", "totalOutputTextTokenCount": 34, "inputTextTokenCount": None},
    )
    read = invoke.count(reading, "aws.bedrock", {})
    assert (reading.complete, reading.finish, read.buckets) == (
        True,
        {0: "FINISH"},
        {"input_text": 12, "output_text": 34},
    )


def test_thinking_in_a_stream_of_claude_is_noticed():
    usage = {"input_tokens": 12, "output_tokens": 1}
    reading = streamed(
        {"type": "message_start", "message": {"id": "msg_bdrk_1", "usage": usage}},
        {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 34}},
    )
    read = invoke.count(reading, "aws.bedrock", {})
    assert (read.buckets, read.flags) == ({"input_text": 12, "output_text": 34}, {"reasoning_source": "unknown"})


def test_a_body_that_broke_off_leaves_what_the_headers_say():
    reading = Reading()
    invoke.read(INVOKED["headers"], reading)
    invoke.read(b'{"usage": {"input_tok', reading)
    assert not reading.complete
    assert invoke.count(reading, "aws.bedrock", {}).buckets == {"input_text": 12, "output_text": 34}


def test_guardrail_checks_are_metered():
    body = {"results": {}, "usage": {"contentFilter": {"textUnits": 2}, "sensitiveInformation": {"textUnits": 1}}}
    assert read_usage(body, provider="bedrock", api="guardrail").meters == {"guardrail_units": 3}


def test_a_stream_of_cohere_counts_with_its_last_event():
    usage = {"billed_units": {"input_tokens": 7, "output_tokens": 33}, "tokens": {"input_tokens": 501}}
    parts = [
        {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
        {"type": "content-delta", "delta": {"message": {"content": {"thinking": "Two and two."}}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}},
    ]
    reading = Reading()
    for part in parts:
        cohere.read(part, reading)
    assert (reading.finish, reading.complete, reading.visibility) == ({0: "COMPLETE"}, True, "readable")
    assert cohere.count(reading, "cohere", {}).buckets == {"input_text": 7, "output_text": 33}


def test_a_rerank_is_billed_by_its_searches():
    body = {"results": [], "meta": {"billed_units": {"search_units": 2}}}
    assert read_usage(body, provider="cohere", api="rerank").meters == {"search_units": 2}


def test_a_stream_of_ollama_counts_with_its_last_line():
    lines = [
        {"model": "qwen3", "message": {"role": "assistant", "thinking": "Two and two."}, "done": False},
        {"model": "qwen3", "message": {"role": "assistant", "content": "4"}, "done": False},
        {"model": "qwen3", "done": True, "done_reason": "stop", "prompt_eval_count": 18, "eval_count": 64},
    ]
    reading = Reading()
    for line in lines:
        ollama.read(line, reading)
    assert (reading.model, reading.finish, reading.complete) == ("qwen3", {0: "stop"}, True)
    assert ollama.count(reading, "ollama", {}).flags == {"reasoning_source": "unknown"}


def test_a_stream_of_ollama_that_breaks_off_counts_nothing():
    line = {"model": "qwen3", "message": {"role": "assistant", "content": "4"}, "done": False}
    expected = {"usage_source": "missing", "billable": "unknown"}
    assert read_usage([line], provider="ollama", api="chat").flags == expected


def test_the_first_result_of_an_agent_is_all_new():
    usage = {"claude-opus-5": {"inputTokens": 120, "outputTokens": 30, "cacheReadInputTokens": 90, "costUSD": 0.2}}
    read = read_usage({"type": "result", "modelUsage": usage}, provider="anthropic", api="result")
    assert (read.buckets, read.flags["reported_cost_usd"]) == (
        {"input_text": 120, "cache_read": 90, "output_text": 30},
        Decimal("0.2"),
    )


def test_what_cohere_thinks_is_part_of_what_it_bills():
    told = {"billed_units": {"input_tokens": 67, "output_tokens": 66}, "tokens": {"reasoning_tokens": 29}}
    read = read_usage({"usage": told}, provider="cohere", api="chat")
    assert read.buckets == {"input_text": 67, "output_text": 37, "output_reasoning": 29}


@pytest.mark.parametrize(
    ("billed", "text", "image"),
    [
        ({"input_tokens": 300, "image_tokens": 258}, 42, 258),
        ({"text_tokens": 42, "image_tokens": 258}, 42, 258),
        ({"input_tokens": 42, "text_tokens": 42, "image_tokens": 258}, 42, 258),
        ({"input_tokens": 42, "image_tokens": 258}, 42, 258),
    ],
)
def test_images_that_cohere_embeds_are_counted_beside_the_text(billed, text, image):
    read = read_usage({"meta": {"billed_units": billed}}, provider="cohere", api="embeddings")
    assert read.buckets == {"input_text": text, "input_image": image}


def test_an_agent_of_mistral_is_known_by_what_it_put_out():
    seen = Reading()
    for part in (
        {"type": "conversation.response.started", "conversation_id": "c"},
        {"type": "message.output.delta", "id": "m", "model": "mistral-medium-2505", "content": "4"},
        {"type": "conversation.response.done", "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
    ):
        conversations.read(part, seen)
    assert (seen.model, seen.complete, seen.usage["prompt_tokens"]) == ("mistral-medium-2505", True, 3)


def test_connectors_of_mistral_are_metered_under_the_names_of_the_registry():
    usage = {"prompt_tokens": 1, "connectors": {"web_search": 2, "code_interpreter": 1, "document_library": 3}}
    read = read_usage({"usage": usage}, provider="mistral", api="conversations")
    assert read.meters == {"web_search": 2, "code_execution": 1, "file_search": 3}


def test_mistral_shows_its_thinking_and_names_its_tier_in_the_usage():
    message = {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "…"}]}]}
    seen = Reading()
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "service_tier": "priority"}
    chat.read({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}, seen)
    assert (seen.visibility, seen.tier) == ("readable", "priority")
    assert chat.count(seen, "mistral_ai", {}).flags == {"reasoning_source": "unknown"}


def test_audio_that_mistral_hears_is_metered_by_the_second():
    usage = {"prompt_audio_seconds": 203, "prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 639}
    read = read_usage({"usage": usage}, provider="mistral", api="transcription")
    assert (read.buckets, read.meters) == ({"input_text": 4, "output_text": 635}, {"audio_seconds": 203})


def test_a_stream_of_generated_text_counts_its_prompt():
    details = {"finish_reason": "length", "generated_tokens": 2, "input_length": 5}
    parts = [{"token": {"text": "a"}, "details": None}, {"generated_text": "ab", "details": details}]
    read = read_usage(parts, provider="huggingface", api="text-generation")
    assert read.buckets == {"input_text": 5, "output_text": 2}


def test_a_number_in_json_names_nothing():
    """Only a message of protobuf says what its numbers stand for."""
    assert read_usage({"service_tier": 1}, provider="x_ai", api="grpc").input is None


def test_an_answer_of_another_shape_tells_nothing():
    assert read_usage({"choices": False}, provider="x_ai", api="grpc").input is None
