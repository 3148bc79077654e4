"""What the application pays for being metered is bounded."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import httpx2
import openai
import pytest

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
}
ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2+2?"}]}
STREAM = b'data: {"choices": [{"index": 0, "delta": {"content": "Four."}}]}\n\ndata: [DONE]\n\n'


def client() -> openai.OpenAI:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter((STREAM,)))
        return httpx2.Response(200, json=ANSWER)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the garbage collector frees, from here on."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_leaves_nothing_to_the_garbage_collector(spans, garbage, streamed):
    create = client().chat.completions.create
    for _ in create(stream=streamed, **ASK):
        pass
    gc.collect()

    assert len(spans.ours()) == 1
    assert [kind for each in garbage if (kind := type(each)).__module__.startswith("tokentrace")] == []
