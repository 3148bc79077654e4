"""The quick starts of `azure-ai-inference`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from shapes.api import LEFT, call, data, failed
from shapes.provider import refused, reply, stream

from quickstarts.quickstart import Client, Quickstart

ID = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "grok-4-1-fast-reasoning"}
# More than the models of the client declare: they keep it all the same.
USAGE = {
    "prompt_tokens": 40,
    "completion_tokens": 72,
    "total_tokens": 112,
    "prompt_tokens_details": {"cached_tokens": 10},
    "completion_tokens_details": {"reasoning_tokens": 60},
}
TOKENS = {"input_text": 30, "cache_read": 10, "output_text": 12, "output_reasoning": 60}
ANSWER = ID | {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "5,280."}, "finish_reason": "stop"}],
    "usage": USAGE,
}
EMBEDDED = {
    "id": "emb-1",
    "object": "list",
    "model": "cohere-embed-v3-english",
    "data": [{"index": 0, "object": "embedding", "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8},
}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data(ID | {"object": "chat.completion.chunk", "choices": [choice]})


EVENTS = (
    _chunk({"role": "assistant", "content": "5,"}),
    _chunk({"content": "280."}),
    _chunk({}, "stop"),
    data(ID | {"object": "chat.completion.chunk", "choices": [], "usage": USAGE}),
    b"data: [DONE]\n\n",
)


def _messages() -> list[Any]:
    from azure.ai.inference.models import SystemMessage, UserMessage

    return [
        SystemMessage(content="You are a helpful assistant."),
        UserMessage(content="How many feet are in a mile?"),
    ]


def _credential() -> Any:
    from azure.core.credentials import AzureKeyCredential

    return AzureKeyCredential("-")


def chat(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    client = ChatCompletionsClient(endpoint=url, credential=_credential(), retry_backoff_factor=0)
    response = client.complete(messages=_messages())
    return response.as_dict()


def chat_body(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    client = ChatCompletionsClient(endpoint=url, credential=_credential())
    request_body = {"messages": [{"role": "user", "content": "How many feet are in a mile?"}], "model": "grok-4-1"}
    return client.complete(request_body).as_dict()


def chat_streamed(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    client = ChatCompletionsClient(endpoint=url, credential=_credential())
    response = client.complete(stream=True, messages=_messages())
    return [update.as_dict() for update in response]


def chat_stream_closed(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    client = ChatCompletionsClient(endpoint=url, credential=_credential())
    with client.complete(stream=True, messages=_messages()) as response:
        return next(response).as_dict()


def chat_stream_left(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    client = ChatCompletionsClient(endpoint=url, credential=_credential())
    return next(client.complete(stream=True, messages=_messages())).as_dict()


async def chat_async(url: str) -> Any:
    from azure.ai.inference.aio import ChatCompletionsClient

    async with ChatCompletionsClient(endpoint=url, credential=_credential(), retry_backoff_factor=0) as client:
        response = await client.complete(messages=_messages())
        return response.as_dict()


async def chat_async_streamed(url: str) -> Any:
    from azure.ai.inference.aio import ChatCompletionsClient

    async with ChatCompletionsClient(endpoint=url, credential=_credential()) as client:
        response = await client.complete(stream=True, messages=_messages())
        return [update.as_dict() async for update in response]


async def chat_async_stream_closed(url: str) -> Any:
    from azure.ai.inference.aio import ChatCompletionsClient

    async with (
        ChatCompletionsClient(endpoint=url, credential=_credential()) as client,
        await client.complete(stream=True, messages=_messages()) as response,
    ):
        return (await anext(response)).as_dict()


def embed(url: str) -> Any:
    from azure.ai.inference import EmbeddingsClient

    client = EmbeddingsClient(endpoint=url, credential=_credential())
    response = client.embed(input=["first phrase", "second phrase"])
    return response.as_dict()


async def embed_async(url: str) -> Any:
    from azure.ai.inference.aio import EmbeddingsClient

    async with EmbeddingsClient(endpoint=url, credential=_credential()) as client:
        response = await client.embed(input=["first phrase", "second phrase"])
        return response.as_dict()


def _image() -> list[Any]:
    # The documentation loads it from a file.
    from azure.ai.inference import models

    # As the first releases call it.
    kind = getattr(models, "ImageEmbeddingInput", None) or models.EmbeddingInput
    return [kind(image="data:image/png;base64,AA==")]


def embed_image(url: str) -> Any:
    from azure.ai.inference import ImageEmbeddingsClient

    client = ImageEmbeddingsClient(endpoint=url, credential=_credential())
    return client.embed(input=_image()).as_dict()


async def embed_image_async(url: str) -> Any:
    from azure.ai.inference.aio import ImageEmbeddingsClient

    async with ImageEmbeddingsClient(endpoint=url, credential=_credential()) as client:
        return (await client.embed(input=_image())).as_dict()


async def chat_through_threads(url: str) -> Any:
    from azure.ai.inference.aio import ChatCompletionsClient
    from azure.core.pipeline.transport import AsyncioRequestsTransport

    async with ChatCompletionsClient(
        endpoint=url, credential=_credential(), transport=AsyncioRequestsTransport(), retry_backoff_factor=0
    ) as client:
        return (await client.complete(messages=_messages())).as_dict()


def chat_through_trio(url: str) -> Any:
    import trio
    from azure.ai.inference.aio import ChatCompletionsClient
    from azure.core.pipeline.transport import TrioRequestsTransport

    async def ask() -> Any:
        async with ChatCompletionsClient(
            endpoint=url, credential=_credential(), transport=TrioRequestsTransport(), retry_backoff_factor=0
        ) as client:
            return (await client.complete(messages=_messages())).as_dict()

    return trio.run(ask)


def _has_trio() -> bool:
    return find_spec("trio") is not None


def model_info(url: str) -> Any:
    from azure.ai.inference import ChatCompletionsClient

    return ChatCompletionsClient(endpoint=url, credential=_credential()).get_model_info().as_dict()


def _closes_streams() -> bool:
    from azure.ai.inference import models

    return hasattr(models.StreamingChatCompletions, "__enter__")


WHOLE, STREAMED = call(TOKENS), call(TOKENS, end="complete")
RETRIED = (refused(429, retry_after="0"), refused(500), reply(ANSWER))
AGAIN = (call(TOKENS, [429, 500, 200]),)
COUNTED = call({"input_text": 8})
INFO = {"model_name": "grok", "model_type": "chat-completion", "model_provider_name": "xai"}

CLIENT = Client(
    library="azure-ai-inference",
    module="azure.ai.inference",
    quickstarts=(
        Quickstart("chat", chat, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat retried", chat, RETRIED, AGAIN),
        Quickstart("chat refused", chat, (refused(400),), (failed([400], "HttpResponseError"),)),
        Quickstart("chat body", chat_body, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart(
            "chat stream closed",
            chat_stream_closed,
            (stream(EVENTS),),
            (call({}, source="missing", end="closed"),),
            needs=_closes_streams,
        ),
        Quickstart("chat stream left", chat_stream_left, (stream(EVENTS),), (call({}, source="missing", end=LEFT),)),
        Quickstart("chat async", chat_async, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat async retried", chat_async, RETRIED, AGAIN),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart(
            "chat async stream closed",
            chat_async_stream_closed,
            (stream(EVENTS),),
            (call({}, source="missing", end="closed"),),
            needs=_closes_streams,
        ),
        Quickstart("embeddings", embed, (reply(EMBEDDED),), (COUNTED,)),
        Quickstart("embeddings async", embed_async, (reply(EMBEDDED),), (COUNTED,)),
        Quickstart("image embeddings", embed_image, (reply(EMBEDDED),), (COUNTED,)),
        Quickstart("image embeddings async", embed_image_async, (reply(EMBEDDED),), (COUNTED,)),
        Quickstart("chat through threads", chat_through_threads, RETRIED, AGAIN),
        Quickstart("chat through trio", chat_through_trio, RETRIED, AGAIN, needs=_has_trio),
        Quickstart("model info", model_info, (reply(INFO),), ()),
    ),
    reported="all, streamed too where the model sends its usage; cache reads; reasoning",
    missing="streams that are left early, or whose model sends no usage: `missing`",
)
