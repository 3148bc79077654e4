"""`client.embeddings` and the legacy `client.completions` of openai."""

from __future__ import annotations

from typing import Any

from shapes.api import call, client_of, data
from shapes.provider import reply, stream
from shapes.shape import Shape, Surface, drain, settle

TOKENS = {"input_text": 100}


async def _embed(client: Any) -> Any:
    return await settle(client.embeddings.create(model="text-embedding-3-small", input="2+2?", encoding_format="float"))


async def _embed_raw(client: Any) -> Any:
    embeddings = client.embeddings.with_raw_response
    return (await settle(embeddings.create(model="text-embedding-3-small", input="2+2?"))).http_response.content


VECTOR = {"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}
VECTORS = {
    "object": "list",
    "data": [VECTOR],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 100, "total_tokens": 100},
}
EMBEDDED = (call(TOKENS),)
EMBEDDINGS = Surface(
    "openai embeddings",
    client_of("openai", "OpenAI"),
    (
        Shape("complete", _embed, (reply(VECTORS),), EMBEDDED),
        Shape("`with_raw_response`, never parsed", _embed_raw, (reply(VECTORS),), EMBEDDED),
    ),
)

ID = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "gpt-3.5-turbo-instruct"}
ASK = {"model": "gpt-3.5-turbo-instruct", "prompt": "2+2?"}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
WRITTEN = {"input_text": 100, "output_text": 50}


def _text(text: str, finish: str | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}


async def _complete(client: Any) -> Any:
    return await settle(client.completions.create(**ASK))


async def _stream(client: Any) -> Any:
    options = {"include_usage": True}
    return await drain(await settle(client.completions.create(**ASK, stream=True, stream_options=options)))


EVENTS = (
    data(ID | {"choices": [_text("4", None)], "usage": None}),
    data(ID | {"choices": [_text("", "stop")], "usage": None}),
    data(ID | {"choices": [], "usage": USAGE}),
    b"data: [DONE]\n\n",
)
COMPLETIONS = Surface(
    "openai completions",
    client_of("openai", "OpenAI"),
    (
        Shape(
            "complete", _complete, (reply(ID | {"choices": [_text("4", "stop")], "usage": USAGE}),), (call(WRITTEN),)
        ),
        Shape("streamed", _stream, (stream(EVENTS),), (call(WRITTEN, end="complete"),)),
    ),
)
