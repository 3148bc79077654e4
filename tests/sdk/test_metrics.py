"""What calls add to the application's metrics: no more and no less than their spans say."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import tokentrace

ASK: dict[str, Any] = {"model": "gpt-x", "messages": [{"role": "user", "content": "2+2?"}]}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x-1"}


class Heard:
    """The application's metrics."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def points(self) -> dict[str, list[Any]]:
        """Points by metric."""
        data = self._reader.get_metrics_data()
        resources = data.resource_metrics if data else ()
        found = [metric for each in resources for scope in each.scope_metrics for metric in scope.metrics]
        return {metric.name: list(metric.data.data_points) for metric in found}

    def sums(self, metric: str, key: str) -> dict[Any, float]:
        """The sum of a metric by one of its attributes."""
        sums: dict[Any, float] = {}
        for point in self.points().get(metric, ()):
            value = point.sum if hasattr(point, "sum") else point.value
            sums[point.attributes.get(key)] = sums.get(point.attributes.get(key), 0) + value
        return sums


@pytest.fixture
def heard() -> Heard:
    return Heard()


def client(*answers: httpx2.Response) -> openai.OpenAI:
    given_ = iter(answers)
    transport = httpx2.MockTransport(lambda _: next(given_))
    return openai.OpenAI(api_key="-", max_retries=2, http_client=httpx2.Client(transport=transport))


def answer(usage: dict[str, Any] | None, **headers: str) -> httpx2.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(200, json=HEAD | {"choices": [choice], "usage": usage}, headers=names)


COUNTS = st.integers(0, 10_000)
USAGES = st.none() | st.builds(
    lambda fresh, read, written: {
        "prompt_tokens": fresh + read,
        "completion_tokens": written,
        "total_tokens": fresh + read + written,
        "prompt_tokens_details": {"cached_tokens": read},
    },
    COUNTS,
    COUNTS,
    COUNTS,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(USAGES, min_size=1, max_size=6))
def test_the_token_metric_is_the_sum_of_the_spans(metering, usages):
    heard = Heard()
    with metering(meter_provider=heard.provider) as spans:
        asked = client(*map(answer, usages))
        for _ in usages:
            asked.chat.completions.create(**ASK)
    said = [dict(span.attributes or {}) for span in spans.ours()]
    expected = {
        side: sum(each.get(f"gen_ai.usage.{side}_tokens", 0) for each in said)
        for side in ("input", "output")
        if any(f"gen_ai.usage.{side}_tokens" in each for each in said)
    }
    assert heard.sums("gen_ai.client.token.usage", "gen_ai.token.type") == expected
    assert heard.sums("tokentrace.client.calls.missing", "?").get(None, 0) == usages.count(None)
    durations = heard.points()["gen_ai.client.operation.duration"]
    assert sum(point.count for point in durations) == len(usages)


def test_a_call_is_told_by_whom_it_asked_and_what_answered(metering, heard):
    usage = {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}
    with metering(meter_provider=heard.provider):
        client(answer(usage)).chat.completions.create(**ASK)
    (point,) = heard.points()["gen_ai.client.operation.duration"]
    assert dict(point.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x",
        "gen_ai.response.model": "gpt-x-1",
        "server.address": "api.openai.com",
    }
    assert point.sum > 0


def test_a_failure_is_told_by_its_kind(metering, heard):
    with metering(meter_provider=heard.provider), pytest.raises(openai.BadRequestError):
        client(httpx2.Response(400)).chat.completions.create(**ASK)
    (point,) = heard.points()["gen_ai.client.operation.duration"]
    assert point.attributes["error.type"] == "BadRequestError"


def test_a_stream_tells_its_first_chunk(metering, heard):
    body = (
        b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"4"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    )
    streamed = httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Once(body))
    with metering(meter_provider=heard.provider):
        list(client(streamed).chat.completions.create(**ASK, stream=True))
    (point,) = heard.points()["gen_ai.client.operation.time_to_first_chunk"]
    assert point.count == 1


def test_limits_and_waits_are_told(metering, heard):
    usage = {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}
    refused = httpx2.Response(429, headers={"retry-after-ms": "5"})
    with metering(meter_provider=heard.provider):
        answered = answer(usage, x_ratelimit_remaining_tokens="42", x_ratelimit_limit_tokens="50")
        client(refused, answered).chat.completions.create(**ASK)
    assert heard.sums("tokentrace.client.rate_limit.remaining", "tokentrace.rate_limit.kind") == {"tokens": 42}
    (point,) = heard.points()["tokentrace.client.throttle.wait"]
    assert point.sum >= 0.004


def test_a_stored_answer_read_again_is_a_duplicate_and_adds_no_tokens(metering, heard):
    stored = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": "gpt-x-1",
        "output": [],
        "usage": {"input_tokens": 8, "output_tokens": 1, "total_tokens": 9},
    }
    with metering(meter_provider=heard.provider):
        client(httpx2.Response(200, json=stored)).responses.retrieve("resp_1")
    assert heard.sums("tokentrace.client.calls.duplicate", "gen_ai.operation.name") == {"chat": 1}
    assert "gen_ai.client.token.usage" not in heard.points()


def test_without_metrics_of_the_application_nothing_is_kept(spans):
    """The global provider of an application that has set none."""
    client(answer({"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9})).chat.completions.create(**ASK)
    assert len(spans.ours()) == 1


class Once(httpx2.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self):
        yield self._body


def test_instrument_again_goes_on_with_the_same_metrics(metering, heard):
    usage = {"prompt_tokens": 8, "completion_tokens": 1, "total_tokens": 9}
    for _ in range(2):
        with metering(meter_provider=heard.provider):
            client(answer(usage)).chat.completions.create(**ASK)
        tokentrace.uninstrument()
    assert heard.sums("gen_ai.client.token.usage", "gen_ai.token.type") == {"input": 16, "output": 2}
