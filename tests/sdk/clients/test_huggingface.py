"""Which provider answers behind Hugging Face's router, and streams that its client keeps open."""

from __future__ import annotations

import json

import pytest
from shapes.api import data
from shapes.provider import SSE, http_of

hub = pytest.importorskip("huggingface_hub")
_http = pytest.importorskip("huggingface_hub.utils._http")
MODEL = "meta-llama/Llama-3.3-70B-Instruct"
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}
ANSWER = {
    "id": "1",
    "created": 1,
    "model": MODEL,
    "system_fingerprint": "",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29},
}
CHUNK = ANSWER | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Pa"}}], "usage": None}

_SERVED = {"status": "live", "providerId": MODEL, "task": "conversational"}
SERVED = {"together": _SERVED, "fireworks-ai": _SERVED}


@pytest.fixture
def answering():
    """Makes the hub and everyone behind it give one answer."""
    http = http_of("huggingface_hub.utils._http")

    def answer(body, kind="application/json"):
        def respond(request):
            if request.method == "GET":
                return http.Response(200, json={"id": MODEL, "inferenceProviderMapping": SERVED})
            return http.Response(200, headers={"content-type": kind}, content=body)

        hub.set_client_factory(lambda: http.Client(transport=http.MockTransport(respond)))

    yield answer
    hub.set_client_factory(_http.default_client_factory)


@pytest.mark.parametrize(
    ("client", "provider"),
    [
        ({"provider": "together", "api_key": "hf_1"}, "huggingface_together"),
        ({"provider": "fireworks-ai", "api_key": "hf_1"}, "huggingface_fireworks-ai"),
        ({"api_key": "hf_1"}, "huggingface"),
        ({"model": f"{MODEL}:groq", "api_key": "hf_1"}, "huggingface_groq"),
        ({"model": f"{MODEL}:fastest", "api_key": "hf_1"}, "huggingface"),
        ({"provider": "together", "api_key": "-"}, "together"),
        ({"base_url": "http://127.0.0.1:8080", "api_key": "-"}, "huggingface"),
    ],
)
def test_the_provider_is_the_one_that_answers_behind_the_router(spans, answering, client, provider):
    answering(json.dumps(ANSWER))
    hub.InferenceClient(**client).chat_completion(MESSAGES, model=client.get("model", MODEL))
    assert spans.only()["gen_ai.provider.name"] == provider


def test_a_stream_left_early_ends_though_its_client_keeps_it_open(spans, answering):
    answering(iter((data(CHUNK), data(CHUNK))), SSE["content-type"])
    client = hub.InferenceClient(MODEL, api_key="hf_1")
    next(client.chat_completion(MESSAGES, stream=True))
    assert spans.only()["tokentrace.stream.end"] == "dropped"
