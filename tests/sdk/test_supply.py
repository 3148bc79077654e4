"""What a call says of its provider's limits, and that nothing else of the headers is kept."""

from __future__ import annotations

import datetime as dt
import time

import httpx2
import openai
import pytest
from hypothesis import given, strategies as st

from tokentrace.providers import supply

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9},
}
LIMITS = "tokentrace.rate_limit."


def ask(*answers: httpx2.Response) -> None:
    given_ = iter(answers)
    transport = httpx2.MockTransport(lambda _: next(given_))
    client = openai.OpenAI(api_key="-", max_retries=2, http_client=httpx2.Client(transport=transport))
    client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": "2+2?"}])


def limits(said: dict[str, object]) -> dict[str, object]:
    return {key.removeprefix(LIMITS): value for key, value in said.items() if key.startswith(LIMITS)}


def at(seconds: float) -> str:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("headers", "stated"),
    [
        pytest.param(
            {
                "x-ratelimit-limit-requests": "14400",
                "x-ratelimit-limit-tokens": "15000",
                "x-ratelimit-remaining-requests": "14399",
                "x-ratelimit-remaining-tokens": "14987",
                "x-ratelimit-reset-requests": "1m6.5s",
                "x-ratelimit-reset-tokens": "52ms",
            },
            {
                "limit.requests": 14400,
                "limit.tokens": 15000,
                "remaining.requests": 14399,
                "remaining.tokens": 14987,
                "reset.requests": 66.5,
                "reset.tokens": pytest.approx(0.052),
            },
            id="openai, groq, xai",
        ),
        pytest.param(
            {
                "anthropic-ratelimit-input-tokens-limit": "2000000",
                "anthropic-ratelimit-output-tokens-remaining": "400000",
                "anthropic-ratelimit-tokens-reset": at(86_400),
            },
            {
                "limit.input_tokens": 2000000,
                "remaining.output_tokens": 400000,
                "reset.tokens": pytest.approx(86_400, abs=3600),
            },
            id="anthropic",
        ),
        pytest.param(
            {"x-ratelimit-limit-req-minute": "5", "x-ratelimit-remaining-tokens-minute": "74932"},
            {"limit.requests": 5, "remaining.tokens": 74932},
            id="mistral",
        ),
        pytest.param(
            {"x-ratelimit-limit": "20", "x-ratelimit-reset": str(round((time.time() + 86_400) * 1000))},
            {"limit.requests": 20, "reset.requests": pytest.approx(86_400, abs=3600)},
            id="openrouter",
        ),
        pytest.param(
            {"x-ratelimit-limit-tokens": "X-RATELIMIT-LIMIT-TOKENS-XXX", "x-ratelimit-reset-tokens": "soon"},
            {},
            id="what is no number is not stated",
        ),
    ],
)
def test_the_limits_of_the_last_answer_are_told(spans, headers, stated):
    ask(httpx2.Response(200, json=ANSWER, headers=headers))
    assert limits(spans.only()) == stated


def test_no_other_header_is_kept(spans):
    secrets = {
        "authorization": "hush-1",
        "openai-organization": "hush-2",
        "set-cookie": "hush-3",
        "x-ratelimit-key": "hush-4",
    }
    refused = httpx2.Response(429, headers={**secrets, "retry-after-ms": "1"})
    ask(refused, httpx2.Response(200, json=ANSWER, headers={**secrets, "x-ratelimit-remaining-tokens": "7"}))
    (span,) = spans.ours()
    assert "hush" not in span.to_json()
    assert limits(spans.only()) == {"remaining.tokens": 7}


def test_what_a_call_waited_for_a_provider_that_refused_it_is_told(spans):
    """And how long the provider asked for."""
    ask(httpx2.Response(429, headers={"retry-after-ms": "20"}), httpx2.Response(200, json=ANSWER))
    (span,) = spans.ours()
    refused, answered = (dict(event.attributes) for event in span.events)
    assert refused["tokentrace.attempt.retry_after"] == pytest.approx(0.02)
    assert "tokentrace.attempt.retry_after" not in answered
    assert spans.only()["tokentrace.throttle.wait"] == answered["tokentrace.attempt.wait"] > 0


def test_a_wait_after_an_error_of_the_server_is_no_throttling(spans):
    ask(httpx2.Response(500, headers={"retry-after-ms": "1"}), httpx2.Response(200, json=ANSWER))
    assert "tokentrace.throttle.wait" not in spans.only()


def test_the_time_in_the_providers_queue_is_told(spans):
    """By a header in milliseconds, or in the usage in seconds."""
    ask(httpx2.Response(200, json=ANSWER, headers={"x-queue-time": "125"}))
    assert spans.only()["tokentrace.queue.wait"] == 0.125
    spans.clear()
    ask(httpx2.Response(200, json=ANSWER | {"usage": ANSWER["usage"] | {"queue_time": 0.018}}))
    assert spans.only()["tokentrace.queue.wait"] == 0.018


@given(st.dictionaries(st.sampled_from(sorted(supply.ALLOWED)) | st.text(), st.text() | st.floats().map(str)))
def test_whatever_headers_say_only_numbers_come_of_them(headers):
    assert all(value >= 0 for value in supply.stated(headers).values())
    waited = supply.retry_after(headers | {"Retry-After": "x"})
    assert waited is None or waited >= 0
