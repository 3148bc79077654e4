"""What attempts may have been billed that got no answer, beside the one that the counts of their call are of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
HEAD = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06"}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}
USAGE = {"prompt_tokens": 1_000, "completion_tokens": 3, "total_tokens": 1_003}
CHUNK = HEAD | {"choices": [{"index": 0, "delta": {"content": "Paris."}, "finish_reason": "stop"}]}
STREAM = (b"data: " + json.dumps(CHUNK).encode() + b"\n\n", b"data: [DONE]\n\n")


class Breaking(httpx2.SyncByteStream):
    """A body of which a part comes, and then the connection is lost."""

    def __init__(self, *parts: bytes, then: type[httpx2.TransportError] | None = httpx2.ReadError) -> None:
        self.parts = parts
        self.then = then

    def __iter__(self) -> Iterator[bytes]:
        yield from self.parts
        if self.then is not None:
            raise self.then("lost")


def http(*answers: Any) -> httpx2.Client:
    """Answers in turn, the last one for ever; an error is raised."""
    left = list(answers)

    def respond(request: httpx2.Request) -> httpx2.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, type):
            raise answer("no answer", request=request)
        return answer()

    return httpx2.Client(transport=httpx2.MockTransport(respond))


def chat(*answers: Any) -> Any:
    return openai.OpenAI(api_key="-", max_retries=2, http_client=http(*answers)).chat.completions


def claude(*answers: Any) -> Any:
    return anthropic.Anthropic(api_key="-", max_retries=2, http_client=http(*answers)).messages


def whole() -> httpx2.Response:
    return httpx2.Response(200, json=HEAD | {"choices": [CHOICE], "usage": USAGE})


def streamed() -> httpx2.Response:
    stream = Breaking(*STREAM, then=None)
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)


def broken() -> httpx2.Response:
    """An answer whose connection is lost while its body is read."""
    return httpx2.Response(200, headers={"content-type": "application/json"}, stream=Breaking(b'{"id": "c"'))


def busy() -> httpx2.Response:
    return httpx2.Response(503, headers={"retry-after-ms": "1"}, json={"error": {"message": "busy"}})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """A client that tries again does so without a pause."""
    for package in (openai, anthropic):
        monkeypatch.setattr(package._base_client, "INITIAL_RETRY_DELAY", 0.001)


SAME = {
    "tokentrace.attempt.estimate.input": 1_000,
    "tokentrace.attempt.estimate.method": "same_request",
    "tokentrace.attempt.estimate.error": 0.0,
}


def test_an_attempt_that_timed_out_asked_what_the_answered_one_asked(delivered):
    chat(httpx2.ReadTimeout, whole).create(**ASK)

    assert delivered.estimates == [[SAME, {}]]


def test_what_it_may_have_been_billed_stands_in_no_count_of_the_call(delivered):
    chat(httpx2.ReadTimeout, whole).create(**ASK)

    counts = {key: value for key, value in delivered.only.items() if ".usage." in key and isinstance(value, int)}
    assert counts == {
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 3,
        "tokentrace.usage.input_text": 1_000,
        "tokentrace.usage.output_text": 3,
    }


def test_a_connection_that_is_lost_while_the_answer_is_read_may_have_been_billed(delivered):
    chat(broken, broken, whole).create(**ASK)

    assert delivered.estimates == [[SAME, SAME, {}]]


@pytest.mark.parametrize("answer", [httpx2.ConnectError, httpx2.PoolTimeout, busy])
def test_what_was_not_sent_or_refused_is_not_billed(delivered, answer):
    chat(answer, whole).create(**ASK)

    assert delivered.estimates == [[{}, {}]]


def test_where_nothing_was_reported_the_prompt_is_counted_once_for_each(delivered):
    """The last attempt is the one that the counts of the call are of."""
    with pytest.raises(anthropic.APIConnectionError):
        claude(httpx2.ReadTimeout).create(model="claude-sonnet-5", max_tokens=9, messages=ASK["messages"])

    said = delivered.only
    estimate = {
        "tokentrace.attempt.estimate.input": said["tokentrace.usage.input_text"],
        "tokentrace.attempt.estimate.method": said["tokentrace.estimate.method"],
        "tokentrace.attempt.estimate.error": said["tokentrace.estimate.error.input"],
    }
    assert said["tokentrace.usage.source"] == "estimated"
    assert delivered.estimates == [[estimate, estimate, {}]]


def test_the_counts_of_a_call_that_was_refused_at_last_are_of_the_attempt_that_was_not(delivered):
    with pytest.raises(openai.InternalServerError):
        chat(httpx2.ReadTimeout, httpx2.ReadTimeout, busy).create(**ASK)

    assert delivered.only["tokentrace.usage.input_text"] > 0
    assert [bool(estimate) for estimate in delivered.estimates[0]] == [True, False, False]


def test_before_a_stream_without_usage_the_prompt_is_counted(delivered):
    list(chat(httpx2.ReadTimeout, streamed).create(stream=True, **ASK))

    (first, second), said = delivered.estimates[0], delivered.only
    assert (first["tokentrace.attempt.estimate.input"], second) == (said["tokentrace.usage.input_text"], {})


def test_of_a_prompt_that_nobody_can_read_the_attempt_stays_unknown(delivered):
    with pytest.raises(openai.APIConnectionError):
        chat(httpx2.ReadTimeout).create(
            model="gpt-4o", messages=[{"role": "user", "content": [{"type": "unheard_of"}]}]
        )

    assert delivered.estimates == [[{}, {}, {}]]


def test_each_layer_of_retries_tells_of_its_own_attempts(delivered):
    """A client that tries again, and an application around it that does too."""
    completions = chat(*[httpx2.ReadTimeout] * 4, whole)
    for _ in range(2):
        try:
            completions.create(**ASK)
        except openai.APITimeoutError:
            continue

    assert [[bool(each) for each in attempts] for attempts in delivered.estimates] == [
        [True, True, False],
        [True, False],
    ]
