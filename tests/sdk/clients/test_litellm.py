"""`litellm`: whose call it is, by the name of the model."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
from opentelemetry import trace
from quickstarts.litellm_answers import CHAT
from shapes.provider import Provider, http_of, reply

from tokentrace.clients.litellm import INTEGRATION
from tokentrace.integration import Call
from tokentrace.usage.reading import Reading

SEAMS = {seam.name: seam for seam in INTEGRATION.seams}
LISTED = {
    "gpt-5": {"litellm_provider": "openai"},
    "gemini-2.5-pro": {"litellm_provider": "vertex_ai-language-models"},
    "anthropic.claude-sonnet-4-5-v1:0": {"litellm_provider": "bedrock_converse"},
}


@pytest.mark.parametrize(
    ("asked", "whose"),
    [
        ({"model": "anthropic/claude-sonnet-4-5"}, ("anthropic", "claude-sonnet-4-5")),
        ({"model": "bedrock/anthropic.claude-sonnet-4-5-v1:0"}, ("aws.bedrock", "anthropic.claude-sonnet-4-5-v1:0")),
        ({"model": "anthropic.claude-sonnet-4-5-v1:0"}, ("aws.bedrock", "anthropic.claude-sonnet-4-5-v1:0")),
        ({"model": "gpt-5"}, ("openai", "gpt-5")),
        ({"model": "gemini-2.5-pro"}, ("gcp.vertex_ai", "gemini-2.5-pro")),
        ({"model": "openrouter/openai/gpt-5"}, ("openrouter", "openai/gpt-5")),
        ({"model": "mine", "custom_llm_provider": "hosted_vllm"}, ("vllm", "mine")),
        ({"model": "meta/llama", "custom_llm_provider": "together_ai"}, ("together", "meta/llama")),
        ({"model": "novita/qwen"}, ("novita", "qwen")),
        ({"model": "nobody-knows"}, ("litellm", "nobody-knows")),
    ],
)
def test_a_call_is_its_provider_s(monkeypatch, asked, whose):
    monkeypatch.setitem(sys.modules, "litellm", SimpleNamespace(model_cost=LISTED))
    request = SEAMS["completion"].describe(Call(None, (), asked))
    assert (request.provider, request.model) == whose


def test_an_answer_that_is_made_up_is_no_call():
    asked = {"model": "gpt-5", "mock_response": "Hi."}
    assert SEAMS["acompletion"].describe(Call(None, (), asked)) is None


def test_speech_is_counted_in_characters():
    request = SEAMS["speech"].describe(Call(None, ("openai/tts-1", "Hello"), {}))
    assert request.facts == {"characters": 5}


def test_what_a_callback_writes_is_none_of_our_span(monkeypatch, metering):
    """It writes prompts, counts and prices into the span that is current, which without us is the application's."""
    import openai

    http, provider = http_of("openai._base_client"), Provider((reply(CHAT),))
    sender = http.Client(transport=provider.transport(http))

    def completion(model):
        answer = openai.OpenAI(api_key="-", http_client=sender).chat.completions.create(model=model, messages=[])
        trace.get_current_span().set_attribute("gen_ai.prompt.0.content", "How is the weather?")
        return answer

    library = ModuleType("litellm")
    library.completion = completion
    monkeypatch.setitem(sys.modules, "litellm", library)
    with metering() as spans, spans.tracer.start_as_current_span("request"):
        library.completion("gpt-5")
    inner, outer, request = spans
    assert (inner.parent.span_id, outer.parent.span_id) == (outer.context.span_id, request.context.span_id)
    assert ["gen_ai.prompt.0.content" in span.attributes for span in spans] == [False, False, True]


def test_what_a_callback_sends_makes_no_call_of_an_aggregate(monkeypatch, metering):
    import openai

    http, provider = http_of("openai._base_client"), Provider((reply(CHAT),))
    sender = http.Client(transport=provider.transport(http))

    def completion(model):
        answer = openai.OpenAI(api_key="-", http_client=sender).chat.completions.create(model=model, messages=[])
        http.Client(transport=provider.transport(http)).get("https://callback.example/")
        return answer

    library = ModuleType("litellm")
    library.completion = completion
    monkeypatch.setitem(sys.modules, "litellm", library)
    with metering() as spans:
        library.completion("gpt-5")
    assert [span.attributes["tokentrace.usage.scope"] for span in spans.ours()] == ["call", "aggregate"]


@pytest.mark.parametrize(
    ("name", "answer", "meters"),
    [
        ("image_generation", {"data": [{"url": "1"}, {"url": "2"}], "usage": None}, {"images": 2}),
        ("image_generation", {"data": [{"url": "1"}], "usage": {"output_tokens": 0, "total_tokens": 0}}, {"images": 1}),
        ("transcription", {"text": "-", "usage": {"type": "duration", "seconds": 5}}, {"audio_seconds": 5}),
        ("transcription", {"text": "-", "duration": 5.5}, {"audio_seconds": 5.5}),
        ("speech", {}, {"characters": 5}),
    ],
)
def test_media_are_measured(name, answer, meters):
    request, seen = SEAMS[name].describe(Call(None, (), {"model": "openai/x", "input": "Hello"})), Reading()
    request.format.read(SimpleNamespace(**answer), seen)
    assert request.format.count(seen, request.provider, request.facts).meters == meters


@pytest.mark.parametrize(
    ("streamed", "cost", "reporter"),
    [
        (False, {"cost": 0.5}, None),
        (True, {"cost": 0.5}, "litellm"),
        (True, {"cost": 0.5, "cost_in_usd_ticks": 5_000_000_000}, None),
        (True, {}, None),
    ],
)
def test_a_cost_at_the_end_of_a_stream_may_be_computed_by_litellm(streamed, cost, reporter):
    """In a whole answer it is what the provider told."""
    asked = {"model": "openrouter/x/y", "stream": streamed}
    request, seen = SEAMS["completion"].describe(Call(None, (), asked)), Reading()
    usage = {"prompt_tokens": 3, "completion_tokens": 1, **cost}
    request.format.read(SimpleNamespace(usage=usage, choices=[{"index": 0, "finish_reason": "stop"}]), seen)
    counted = request.format.count(seen, request.provider, request.facts)
    assert counted.flags.get("cost_reporter") == reporter
    assert ("reported_cost_usd" in counted.flags) == bool(cost)


def test_a_stream_out_of_the_cache_is_not_billed():
    request, seen, given = SEAMS["completion"].describe(Call(None, (), {"model": "openai/gpt-5"})), Reading(), []
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    chunk = SimpleNamespace(usage=usage, choices=[SimpleNamespace(index=0, finish_reason="stop", delta=None)])
    listener = SimpleNamespace(enter=lambda: None, leave=lambda: None, part=given.append, end=lambda *_: None)

    class Stream:
        custom_llm_provider, chunks = "cached_response", [chunk]

        def __next__(self):
            return chunk

        def __iter__(self):
            return self

    next(SEAMS["completion"].tap(Stream(), listener))
    request.format.read(given[0], seen)
    counted = request.format.count(seen, "openai", {})
    assert (counted.buckets, counted.flags) == ({"input_text": 5, "output_text": 7}, {"billable": False})
