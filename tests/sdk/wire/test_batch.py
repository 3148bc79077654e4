"""Batch jobs: one total for a job, or its answers one by one, billed as a batch."""

import pytest

from tokentrace.normalise import read_usage
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import batch

CHAT = {
    "prompt_tokens": 12,
    "completion_tokens": 5,
    "total_tokens": 17,
    "completion_tokens_details": {"reasoning_tokens": 3},
}
GEMINI = {"promptTokenCount": 12, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 17}
MESSAGE = {"input_tokens": 12, "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 3}}
RESPONSE = {
    "input_tokens": 12,
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 17,
}

LINES = {
    "OpenAI's chat": {
        "id": "1",
        "response": {"status_code": 200, "body": {"object": "chat.completion", "usage": CHAT}},
    },
    "OpenAI's responses": {"id": "1", "response": {"body": {"id": "resp_1", "object": "response", "usage": RESPONSE}}},
    "Anthropic": {
        "custom_id": "1",
        "result": {"type": "succeeded", "message": {"id": "msg_1", "stop_reason": "end_turn", "usage": MESSAGE}},
    },
    "Google": {
        "name": "batches/1",
        "response": {
            "inlinedResponses": {
                "inlinedResponses": [{"response": {"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI}}]
            }
        },
    },
    "xAI": {
        "results": [
            {"batch_request_id": "1", "batch_result": {"response": {"chat_get_completion": {"id": "x", "usage": CHAT}}}}
        ]
    },
    "the total of a job": {"id": "batch_1", "object": "batch", "status": "completed", "usage": RESPONSE},
}
EXPECTED = {"input_text": 12, "output_text": 2, "output_reasoning": 3}


@pytest.mark.parametrize("name", LINES)
def test_what_a_job_answers_is_counted(name):
    read = read_usage(LINES[name], provider="openai", api="batch")
    assert (read.buckets, read.flags) == (EXPECTED, {"batch": True})


@pytest.mark.parametrize("name", LINES)
def test_a_job_that_is_asked_again_is_counted_once(name):
    read = read_usage([LINES[name]] * 3, provider="openai", api="batch")
    assert (read.buckets, read.flags) == (EXPECTED, {"batch": True})


def test_the_answers_of_a_job_add_up():
    lines = [{"custom_id": name, **LINES["OpenAI's chat"]} for name in "ab"]
    read = read_usage(lines, provider="openai", api="batch")
    assert (read.input, read.output, read.reasoning) == (24, 10, 6)


def test_an_answer_that_failed_leaves_the_bill_of_the_others_known():
    failed = {"custom_id": "b", "response": {"status_code": 500, "body": {"error": {"message": "…"}}}}
    read = read_usage([LINES["OpenAI's chat"], failed], provider="openai", api="batch")
    assert (read.buckets, read.flags) == (EXPECTED, {"batch": True})


def test_a_job_that_still_runs_has_no_counts_yet():
    job = {"name": "batches/1", "metadata": {"model": "models/gemini-2.5-flash", "state": "BATCH_STATE_RUNNING"}}
    expected = {"usage_source": "missing", "billable": "unknown"}
    assert read_usage(job, provider="gemini", api="batch") == Usage(flags=expected)


@pytest.mark.parametrize("status", ["validating", "in_progress", "finalizing", "cancelling"])
def test_the_zeros_of_a_job_that_still_runs_are_not_its_bill(status):
    zeros = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    job = {"id": "batch_1", "object": "batch", "status": status, "usage": zeros}
    expected = {"usage_source": "missing", "billable": "unknown"}
    assert read_usage(job, provider="openai", api="batch") == Usage(flags=expected)


@pytest.mark.parametrize("status", ["completed", "expired", "cancelled"])
def test_a_job_that_is_over_is_billed_for_what_it_has_done(status):
    job = {"id": "batch_1", "object": "batch", "status": status, "usage": RESPONSE}
    assert read_usage(job, provider="openai", api="batch").buckets == EXPECTED


def test_one_result_of_a_job_is_an_answer_at_the_price_of_a_batch():
    message = {
        "id": "msg_1",
        "type": "message",
        "model": "claude-opus-5",
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 11, "output_tokens": 5, "service_tier": "batch"},
    }
    seen = Reading()
    batch.RESULTS.read({"custom_id": "first", "result": {"type": "succeeded", "message": message}}, seen)
    usage = batch.RESULTS.count(seen, "anthropic", {})
    assert (seen.response_id, seen.model, seen.tier) == ("msg_1", "claude-opus-5", "batch")
    assert (usage.buckets, usage.flags) == ({"input_text": 11, "output_text": 5}, {"batch": True})


def test_a_job_of_google_says_its_answers_twice():
    answers = {"inlinedResponses": LINES["Google"]["response"]["inlinedResponses"]}
    job = {"name": "batches/1", "metadata": {"model": "models/gemini-3-pro", "output": answers}, "response": answers}
    told = Reading()
    batch.FORMAT.read(job, told)
    assert told.model == "gemini-3-pro"
    assert batch.FORMAT.count(told, "gcp.gemini", {}).buckets == EXPECTED


def test_the_lines_of_a_file_of_google_add_up():
    lines = [{"key": key, "response": {"candidates": [], "usageMetadata": GEMINI}} for key in ("a", "b", "a")]
    read = read_usage([*lines, {"key": "c", "error": {"code": 3}}], provider="gemini", api="batch")
    assert read.buckets == {bucket: 2 * count for bucket, count in EXPECTED.items()}


@pytest.mark.parametrize("place", ["metadata", "dest", "response"])
def test_a_job_of_google_names_the_file_that_it_answers_into(place):
    output = {"responsesFile": "files/batch-1"}
    job = {"name": "batches/1", place: {"output": output} if place == "metadata" else output}
    assert batch.answers_into(job) == "files/batch-1"
    assert batch.answers_into({"name": "batches/1"}) is None
