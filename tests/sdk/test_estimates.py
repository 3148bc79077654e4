"""What is delivered of calls whose counts nobody reported: an estimate, marked, and in no standard attribute."""

from __future__ import annotations

import gc
import gzip
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace
from tokentrace.delivery import finish
from tokentrace.estimation import missing, tokenizers

TEXT = "The capital of France is Paris, and it is a lovely city to visit in spring."
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}


@pytest.fixture
def delivered(monkeypatch):
    """What tokentrace delivers: the attributes of every span, in the order in which they ended."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", type(trace._TRACER_PROVIDER_SET_ONCE)())
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter)

    def spans() -> list[dict[str, Any]]:
        gc.collect()
        assert tokentrace.flush(10)
        return [dict(span.attributes or {}) for span in exporter.get_finished_spans()]

    yield spans
    tokentrace.uninstrument()


def event(part: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(part)}\n\n".encode()


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    return event(HEAD | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


STREAM = (*(chunk(content=f"{word} ") for word in TEXT.split(" ")), chunk("stop"), b"data: [DONE]\n\n")


class Body(httpx2.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self.pieces


def events(pieces: Iterable[bytes], **headers: str) -> httpx2.Response:
    named = {"content-type": "text/event-stream"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(200, headers=named, stream=Body(pieces))


def http(answer: Any) -> httpx2.Client:
    return httpx2.Client(transport=httpx2.MockTransport(answer if callable(answer) else lambda _: answer))


def chat(answer: Any) -> Any:
    return openai.OpenAI(api_key="-", max_retries=0, http_client=http(answer)).chat.completions


def claude(answer: Any) -> Any:
    return anthropic.Anthropic(api_key="-", max_retries=0, http_client=http(answer)).messages


def whole(model: str, usage: Any, **message: Any) -> httpx2.Response:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return httpx2.Response(200, json={"id": "c", "model": model, "choices": [choice], "usage": usage})


def estimate(said: dict[str, Any]) -> dict[str, Any]:
    """All that a span says of counts, with the standard attributes."""
    prefixes = ("tokentrace.usage.", "tokentrace.estimate.", "tokentrace.reasoning.", "gen_ai.usage.")
    return {key: value for key, value in said.items() if key.startswith(prefixes)}


def test_a_stream_without_usage_is_counted_and_says_so(delivered):
    list(chat(events(STREAM)).create(stream=True, **ASK))

    assert [estimate(said) for said in delivered()] == [
        {
            "tokentrace.usage.scope": "call",
            "tokentrace.usage.source": "estimated",
            "tokentrace.usage.input_text": 14,
            "tokentrace.usage.output_text": 19,
            "tokentrace.reasoning.source": "unknown",
            "tokentrace.estimate.counts": ("input", "output"),
            "tokentrace.estimate.method": "heuristic",
            "tokentrace.estimate.error.input": pytest.approx(0.27, abs=0.03),
            "tokentrace.estimate.error.output": pytest.approx(0.26, abs=0.03),
        }
    ]


def test_with_ranks_the_count_is_that_of_the_model(delivered, ranks):
    list(chat(events(STREAM)).create(stream=True, **ASK))

    (said,) = delivered()
    # Seventeen tokens of text, the one behind each word among them, and the end of the answer.
    assert (said["tokentrace.usage.output_text"], said["tokentrace.estimate.method"]) == (20, "o200k_base")


def test_neither_method_nor_text_has_to_do_with_the_network(delivered, monkeypatch):
    import socket

    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("nothing is fetched"))
    list(chat(events(STREAM)).create(stream=True, **ASK))

    (said,) = delivered()
    assert "Paris" not in json.dumps(said, default=str)


def test_a_stream_that_is_left_is_counted_as_far_as_it_came(delivered):
    for _, _part in zip(range(4), chat(events(STREAM)).create(stream=True, **ASK), strict=False):
        pass
    del _part

    (said,) = delivered()
    assert said["tokentrace.usage.source"] == "estimated"
    # It is up to the garbage collector whether it closes the stream of the client or ours beneath it first.
    assert said["tokentrace.stream.end"] in {"dropped", "closed"}
    assert 0 < said["tokentrace.usage.output_text"] < 8
    assert set(said["tokentrace.usage.flags"]) == {"output_lower_bound", "provider_may_bill_more"}
    assert not any(key.startswith("gen_ai.usage.") for key in said)


def test_a_stream_that_breaks_is_counted_as_far_as_it_came(delivered):
    def broken() -> Iterator[bytes]:
        yield from STREAM[:5]
        raise httpx2.ReadError("gone")

    with pytest.raises(openai.APIConnectionError):
        list(chat(events(broken())).create(stream=True, **ASK))

    (said,) = delivered()
    assert (said["error.type"], said["tokentrace.usage.source"]) == ("ReadError", "estimated")
    assert said["tokentrace.usage.output_text"] > 3


def test_of_claudes_stream_the_input_stays_reported_and_the_output_is_the_larger_of_both(delivered):
    started = {
        "input_tokens": 25,
        "cache_read_input_tokens": 1000,
        "cache_creation_input_tokens": 0,
        "output_tokens": 1,
    }
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": []}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}
    stream = (
        {"type": "message_start", "message": message | {"stop_reason": None, "usage": started}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        text,
        text,
        {"type": "message_stop"},
    )
    body = [f"event: {each['type']}\n".encode() + event(each) for each in stream]
    asked = {"model": "claude-haiku-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "?"}]}
    with claude(events(body)).create(stream=True, **asked) as answer:
        for part in answer:
            if part.type == "content_block_delta":
                break

    (said,) = delivered()
    assert said["gen_ai.usage.input_tokens"] == 1025
    assert "gen_ai.usage.output_tokens" not in said
    assert said["tokentrace.estimate.counts"] == ("output",)
    assert said["tokentrace.usage.source"] == "partial_stream"
    assert 12 < said["tokentrace.usage.output_text"] < 30


@pytest.mark.parametrize("reported", [1, 500])
def test_an_answer_without_its_counts_of_one_side_keeps_the_other(delivered, reported):
    chat(whole("gpt-4o", {"prompt_tokens": reported, "total_tokens": reported}, content=TEXT)).create(**ASK)

    (said,) = delivered()
    assert (said["gen_ai.usage.input_tokens"], said["tokentrace.usage.input_text"]) == (reported, reported)
    assert said["tokentrace.estimate.counts"] == ("output",)
    assert "gen_ai.usage.output_tokens" not in said


def test_reasoning_that_can_be_read_shares_in_what_was_billed(delivered):
    usage = {"prompt_tokens": 20, "completion_tokens": 700, "total_tokens": 720}
    chat(whole("qwen3-32b", usage, content=TEXT, reasoning_content=TEXT * 9)).create(**ASK)

    (said,) = delivered()
    shares = said["tokentrace.usage.output_reasoning"], said["tokentrace.usage.output_text"]
    assert (sum(shares), said["gen_ai.usage.output_tokens"]) == (700, 700)
    assert shares[0] == pytest.approx(600, rel=0.1)
    assert said["tokentrace.reasoning.source"] == "derived"
    assert said["tokentrace.estimate.counts"] == ("reasoning",)
    assert said["tokentrace.usage.source"] == "reported"
    assert "gen_ai.usage.reasoning.output_tokens" not in said


def test_reasoning_out_of_sight_is_what_the_answer_does_not_show(delivered):
    usage = {"prompt_tokens": 20, "completion_tokens": 1000, "total_tokens": 1020}
    chat(whole("o3-mini", usage, content=TEXT)).create(**ASK)

    (said,) = delivered()
    assert said["tokentrace.usage.output_reasoning"] == pytest.approx(975, abs=5)
    assert said["tokentrace.usage.output_reasoning"] + said["tokentrace.usage.output_text"] == 1000
    assert said["tokentrace.reasoning.source"] == "estimated"
    assert said["tokentrace.estimate.error.reasoning"] < 0.1


def test_reasoning_that_would_be_lost_in_the_error_is_unknown(delivered):
    usage = {"prompt_tokens": 20, "completion_tokens": 26, "total_tokens": 46}
    chat(whole("o3-mini", usage, content=TEXT)).create(**ASK)

    (said,) = delivered()
    assert (said["tokentrace.reasoning.source"], said["tokentrace.usage.output_text"]) == ("unknown", 26)
    assert "tokentrace.estimate.counts" not in said


def test_what_a_model_thinks_aloud_between_tags_is_its_reasoning(delivered):
    usage = {"prompt_tokens": 20, "completion_tokens": 100, "total_tokens": 120}
    chat(whole("deepseek-r1", usage, content=f"<think>{TEXT * 3}</think>\n{TEXT}")).create(**ASK)

    (said,) = delivered()
    assert said["tokentrace.reasoning.source"] == "derived"
    assert 55 < said["tokentrace.usage.output_reasoning"] < 85


def test_what_was_reported_in_full_is_not_looked_at_again(delivered, monkeypatch):
    monkeypatch.setattr(missing.Missing, "__call__", lambda *_: pytest.fail("nothing is to be estimated"))
    usage = {
        "prompt_tokens": 20,
        "completion_tokens": 100,
        "total_tokens": 120,
        "completion_tokens_details": {"reasoning_tokens": 64},
    }
    chat(whole("o3-mini", usage, content=TEXT)).create(**ASK)
    list(
        chat(events((*STREAM[:-1], event(HEAD | {"choices": [], "usage": usage}), STREAM[-1]))).create(
            stream=True, **ASK
        )
    )

    assert [said["tokentrace.usage.output_reasoning"] for said in delivered()] == [64, 64]


def test_counting_is_done_in_no_thread_of_the_application(delivered, monkeypatch):
    threads = []
    guess = tokenizers._HEURISTIC.tokens
    noting = tokenizers._HEURISTIC._replace(
        tokens=lambda text: (threads.append(threading.current_thread().name), guess(text))[1]
    )
    monkeypatch.setattr(tokenizers, "_HEURISTIC", noting)
    list(chat(events(STREAM)).create(stream=True, **ASK))
    delivered()

    assert set(threads) == {"tokentrace-delivery"}


def test_a_compressed_stream_is_counted_too(delivered):
    packed = gzip.compress(b"".join(STREAM))
    pieces = [packed[at : at + 50] for at in range(0, len(packed), 50)]
    list(chat(events(pieces, content_encoding="gzip")).create(stream=True, **ASK))
    list(chat(events(STREAM)).create(stream=True, **ASK))

    packed, plain = (said["tokentrace.usage.output_text"] for said in delivered())
    assert packed == plain


BEHIND = {
    "x-litellm-model-name": "anthropic/claude-opus-5",
    "x-litellm-model-api-base": "https://api.anthropic.com/v1/messages",
    "x-litellm-response-cost": "1.28e-05",
}


def behind(answer: httpx2.Response) -> Any:
    """Chat Completions of a LiteLLM proxy."""
    answer.headers.update(BEHIND)
    return openai.OpenAI(
        api_key="-", base_url="http://proxy.internal:4000", max_retries=0, http_client=http(answer)
    ).chat.completions


@pytest.mark.parametrize(
    ("streamed", "told", "cost"),
    [
        (True, {}, ("0.0000128", "litellm")),
        (False, {}, ("0.0000128", "litellm")),
        (False, {"cost": 0.5}, ("0.5", "anthropic")),
    ],
)
def test_an_estimate_takes_nothing_back_of_what_a_proxy_says(delivered, streamed, told, cost):
    """Neither who answered, nor what it cost, nor who says so."""
    usage = {"prompt_tokens": 30, "completion_tokens": 400, "total_tokens": 430, **told}
    answer = events(STREAM) if streamed else whole("gpt-4o", usage, content="Paris.", reasoning_content=TEXT)
    answered = behind(answer).create(stream=streamed, **ASK)
    if streamed:
        list(answered)

    (said,) = delivered()
    assert said["tokentrace.estimate.counts"] == (("input", "output") if streamed else ("reasoning",))
    assert said["gen_ai.provider.name"] == "anthropic"
    assert (said["tokentrace.cost.reported"], said["tokentrace.cost.reporter"]) == cost


def test_an_estimate_is_that_of_the_model_behind_an_alias(delivered):
    answer = whole("gpt-4o", None, content=TEXT)
    behind(answer).create(**ASK)

    (said,) = delivered()
    assert said["gen_ai.response.model"] == "claude-opus-5"
    assert said["tokentrace.estimate.method"].startswith("heuristic*")


def test_of_a_long_stream_the_rest_is_like_its_beginning(delivered, monkeypatch):
    monkeypatch.setattr(missing, "LIMIT", 20_000)
    long = [chunk(content=TEXT)] * 1000
    list(chat(events((*long, *STREAM[-2:]))).create(stream=True, **ASK))

    (said,) = delivered()
    assert said["tokentrace.usage.output_text"] == pytest.approx(18_000, rel=0.1)


def test_texts_that_would_wait_beyond_measure_are_let_go(delivered, monkeypatch):
    monkeypatch.setattr(finish, "HELD", 100)
    list(chat(events(STREAM)).create(stream=True, **ASK))

    (said,) = delivered()
    assert (said["tokentrace.usage.source"], "tokentrace.estimate.counts" in said) == ("missing", False)


def test_a_request_that_nobody_answered_may_be_billed_for_its_prompt(delivered):
    def lost(_request: Any) -> Any:
        raise httpx2.ReadTimeout("too late")

    with pytest.raises(openai.APITimeoutError):
        chat(lost).create(**ASK)

    (said,) = delivered()
    assert (said["tokentrace.usage.billable"], said["tokentrace.usage.input_text"]) == ("unknown", 14)
    assert said["tokentrace.estimate.counts"] == ("input",)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_request_that_was_refused_costs_nothing(delivered, status):
    with pytest.raises(openai.APIStatusError):
        chat(httpx2.Response(status, json={"error": {"message": "no"}})).create(**ASK)

    (said,) = delivered()
    assert (said["tokentrace.usage.billable"], "tokentrace.estimate.counts" in said) == ("false", False)


def test_what_the_application_exports_itself_stays_as_it_was(monkeypatch):
    theirs, ours = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    tokentrace.instrument(tracer_provider=provider, exporter=ours)
    try:
        list(chat(events(STREAM)).create(stream=True, **ASK))
        assert tokentrace.flush(10)
    finally:
        tokentrace.uninstrument()

    (their,), (our,) = theirs.get_finished_spans(), ours.get_finished_spans()
    assert (their.attributes["tokentrace.usage.source"], our.attributes["tokentrace.usage.source"]) == (
        "missing",
        "estimated",
    )
    same = ("name", "context", "parent", "kind", "status", "start_time", "end_time", "events", "resource", "links")
    assert [getattr(their, name) for name in same] == [getattr(our, name) for name in same]


def test_where_the_export_is_left_to_others_nothing_is_estimated(spans):
    list(chat(events(STREAM)).create(stream=True, **ASK))

    assert spans.only()["tokentrace.usage.source"] == "missing"


def test_the_metrics_count_what_was_estimated_and_what_was_not():
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader], shutdown_on_exit=False)
    tokentrace.instrument(exporter=InMemorySpanExporter(), meter_provider=meters)
    try:
        list(chat(events(STREAM)).create(stream=True, **ASK))
        with pytest.raises(openai.APIStatusError):
            chat(httpx2.Response(429, json={})).create(**ASK)
        assert tokentrace.flush(10)
    finally:
        tokentrace.uninstrument()

    data = reader.get_metrics_data()
    metrics = {m.name: m.data for each in data.resource_metrics for scope in each.scope_metrics for m in scope.metrics}
    sums = {name: sum(point.value for point in metrics[name].data_points) for name in metrics if ".calls." in name}
    assert sums == {"tokentrace.client.calls.estimated": 1, "tokentrace.client.calls.missing": 1}
    assert "gen_ai.client.token.usage" not in metrics


@pytest.mark.parametrize("outcome", ["read", "left"])
def test_no_reference_to_a_stream_outlives_its_span(delivered, outcome):
    pieces = [chunk(content="word ") for _ in range(50)]
    before = sys.getrefcount(pieces[5])
    body = [*pieces, *STREAM[-2:]]
    for place, _ in enumerate(chat(events(body)).create(stream=True, **ASK)):
        if outcome == "left" and place == 10:
            break
    del _
    body.clear()
    delivered()

    after = sys.getrefcount(pieces[5])
    assert after == before
