"""The quick starts of `xai-sdk`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from operator import attrgetter
from typing import Any

from shapes.api import LEFT, call
from shapes.provider import Answer, Provider
from shapes.shape import SYNC, Act, run, settle

from quickstarts import xai_later
from quickstarts.peers import rpc
from quickstarts.peers.rpc import said
from quickstarts.quickstart import Client, Quickstart

UNAUTHENTICATED = 16
ID = {"id": "a1b2", "model": "grok-4"}
USAGE = {"prompt_tokens": 40, "cached_prompt_text_tokens": 12, "completion_tokens": 9, "reasoning_tokens": 94}
TOKENS = {"input_text": 28, "cache_read": 12, "output_text": 9, "output_reasoning": 94}
TOTAL = {"total_tokens": 143}
STOP = "REASON_STOP"
ROLE = {"role": "ROLE_ASSISTANT"}


def _answer(content: str, *outputs: str, usage: dict[str, Any] = USAGE | TOTAL) -> dict[str, Any]:
    texts = (content, *outputs)
    answers = [{"index": i, "finish_reason": STOP, "message": {"content": t} | ROLE} for i, t in enumerate(texts)]
    return ID | {"outputs": answers, "usage": usage}


def _chunk(content: str, usage: dict[str, Any], **ended: str) -> dict[str, Any]:
    return ID | {"outputs": [{"index": 0, "delta": {"content": content} | ROLE} | ended], "usage": usage}


CHUNKS = (
    _chunk("42", USAGE | {"completion_tokens": 1, "total_tokens": 135}),
    _chunk(" is the answer.", USAGE | {"completion_tokens": 8, "total_tokens": 142}),
    _chunk("", USAGE | TOTAL, finish_reason=STOP),
)
BEGUN = {"input_text": 28, "cache_read": 12, "output_text": 1, "output_reasoning": 94}
SEARCHED = (
    USAGE
    | TOTAL
    | {
        "server_side_tools_used": [
            "SERVER_SIDE_TOOL_WEB_SEARCH",
            "SERVER_SIDE_TOOL_X_SEARCH",
            "SERVER_SIDE_TOOL_X_SEARCH",
        ],
        "cost_in_usd_ticks": "123450000",
    }
)
CLIP = {"video": {"url": "https://host/1.mp4", "duration": 6}, "model": "grok-imagine-video"}
PICTURE = {"images": [{"url": "https://host/1.jpg"}], "model": "grok-2-image"}


def _encode(method: str, answer: Any) -> bytes:
    """What a method answers with, as far as this release knows it."""
    from google.protobuf import empty_pb2, json_format
    from xai_sdk import proto
    from xai_sdk.proto import chat_pb2, deferred_pb2, image_pb2

    kind = {
        "GetCompletion": chat_pb2.GetChatCompletionResponse,
        "GetCompletionChunk": chat_pb2.GetChatCompletionChunk,
        "StartDeferredCompletion": deferred_pb2.StartDeferredResponse,
        "GetDeferredCompletion": chat_pb2.GetDeferredCompletionResponse,
        "GetStoredCompletion": chat_pb2.GetChatCompletionResponse,
        "GenerateImage": image_pb2.ImageResponse,
        "GenerateVideo": deferred_pb2.StartDeferredResponse,
        "CompactContext": getattr(chat_pb2, "CompactContextResponse", None),
        "ExtendVideo": deferred_pb2.StartDeferredResponse,
        "GetDeferredVideo": getattr(getattr(proto, "video_pb2", None), "GetDeferredVideoResponse", None),
        "CreateBatch": getattr(getattr(proto, "batch_pb2", None), "Batch", None),
        "AddBatchRequests": empty_pb2.Empty,
        "ListBatchResults": getattr(getattr(proto, "batch_pb2", None), "ListBatchResultsResponse", None),
    }[method]
    told = answer if _has_outputs() else json.loads(json.dumps(answer).replace('"outputs"', '"choices"'))
    return json_format.ParseDict(told, kind(), ignore_unknown_fields=True).SerializeToString()


def _has_outputs() -> bool:
    """Whether answers and tools have their later names."""
    from xai_sdk.proto import chat_pb2

    return "outputs" in chat_pb2.GetChatCompletionResponse.DESCRIPTOR.fields_by_name


def _serve(provider: Provider) -> AbstractContextManager[str]:
    return rpc.serve(provider, _encode)


def _client(host: str) -> Any:
    from xai_sdk import Client

    return Client(api_key="-", api_host=host)


def _chat(host: str) -> Any:
    from xai_sdk.chat import system, user

    chat = _client(host).chat.create(model="grok-4")
    chat.append(system("You are a PhD-level mathematician."))
    chat.append(user("What is 2 + 2?"))
    return chat


def chat(host: str) -> Any:
    return _chat(host).sample().content


def chat_streamed(host: str) -> Any:
    return [(response.content, chunk.content) for response, chunk in _chat(host).stream()]


def chat_left(host: str) -> Any:
    return next(_chat(host).stream())[1].content


def chat_parsed(host: str) -> Any:
    from pydantic import BaseModel

    class Answer(BaseModel):
        text: str

    response, parsed = _chat(host).parse(Answer)
    return [response.content, parsed.text]


async def chat_async(host: str) -> Any:
    from xai_sdk import AsyncClient
    from xai_sdk.chat import user

    client = AsyncClient(api_key="-", api_host=host)
    chat = client.chat.create(model="grok-4", messages=[user("What is 2 + 2?")])
    return (await chat.sample()).content


async def chat_async_streamed(host: str) -> Any:
    from xai_sdk import AsyncClient
    from xai_sdk.chat import user

    client = AsyncClient(api_key="-", api_host=host)
    chat = client.chat.create(model="grok-4", messages=[user("What is 2 + 2?")])
    return [chunk.content async for _, chunk in chat.stream()]


async def several(client: Any) -> Any:
    return [response.content for response in await settle(_asked(client).sample_batch(2))]


async def several_streamed(client: Any) -> Any:
    stream = _asked(client).stream_batch(2)
    parts = [part async for part in stream] if hasattr(stream, "__aiter__") else list(stream)
    return [[chunk.content for chunk in chunks] for _, chunks in parts]


async def parsed(client: Any) -> Any:
    from pydantic import BaseModel

    class Answer(BaseModel):
        text: str

    return (await settle(_asked(client).parse(Answer)))[1].text


async def deferred(client: Any) -> Any:
    return (await settle(_asked(client).defer())).content


async def compacts(client: Any) -> Any:
    return (await settle(_asked(client).compact())).dropped_message_count


async def context_compacted(client: Any) -> Any:
    from xai_sdk.chat import user

    context = await settle(client.chat.compact_context("grok-4", [user("What is 2 + 2?")]))
    return context.dropped_message_count


async def stored(client: Any) -> Any:
    return [response.content for response in await settle(client.chat.get_stored_completion("a1b2"))]


async def image(client: Any) -> Any:
    return (await settle(client.image.sample("A cat in a tree", "grok-2-image"))).url


async def images(client: Any) -> Any:
    return [answer.url for answer in await settle(client.image.sample_batch("A cat in a tree", "grok-2-image", 2))]


async def video(client: Any) -> Any:
    return (await settle(client.video.generate("A cat in a tree", "grok-imagine-video"))).url


async def extended(client: Any) -> Any:
    clip = "https://host/1.mp4"
    return (await settle(client.video.extend("It climbs down", "grok-imagine-video", clip, duration=4))).url


def _asked(client: Any) -> Any:
    from xai_sdk.chat import user

    return client.chat.create(model="grok-4", messages=[user("What is 2 + 2?")])


def _blocking(act: Act) -> Callable[[str], Any]:
    return lambda host: run(act(_client(host)), SYNC)


def _awaited(act: Act) -> Callable[[str], Any]:
    async def asked(host: str) -> Any:
        from xai_sdk import AsyncClient

        return await act(AsyncClient(api_key="-", api_host=host))

    return asked


def _has(module: str, name: str) -> Callable[[], bool]:
    """Whether a client of this release can do something."""

    def found() -> bool:
        try:
            attrgetter(name)(import_module(f"xai_sdk.sync.{module}"))
        except (ImportError, AttributeError):
            return False
        return True

    return found


WHOLE, STREAMED = call(TOKENS, []), call(TOKENS, [], end="complete")


def _case(name: str, run: Any, answers: Any, *calls: Any, **more: Any) -> Quickstart:
    return Quickstart(name, run, answers, calls, serve=_serve, **more)


def _quickstarts() -> Iterator[Quickstart]:
    yield _case("chat", chat, (said(_answer("4")),), WHOLE)
    yield _case("chat streamed", chat_streamed, (said(*CHUNKS),), STREAMED)
    yield _case("chat async", chat_async, (said(_answer("4")),), WHOLE)
    yield _case("chat async streamed", chat_async_streamed, (said(*CHUNKS),), STREAMED)
    shapeless = call(TOKENS, [], error="ValidationError")
    yield _case("chat parsed in vain", chat_parsed, (said(_answer("four")),), shapeless)
    searched = call(TOKENS, [], meters={"web_search": 1, "x_search": 2})
    yield _case(
        "chat with tools of the server", chat, (said(_answer("4", usage=SEARCHED)),), searched, needs=_has_outputs
    )
    left = call(BEGUN, [], source="partial_stream", end=LEFT)
    yield _case("chat stream left early", chat_left, (said(*CHUNKS),), left)
    refused = call({}, [], source="missing", error="_InactiveRpcError")
    yield _case("chat refused", chat, (said(status=UNAUTHENTICATED),), refused)
    for name, act, answers, calls, needed in _in_both_worlds():
        needs = _has(*needed.split()) if needed else None
        yield _case(name, _blocking(act), answers, calls, needs=needs)
        yield _case(f"{name} async", _awaited(act), answers, calls, needs=needs)
    for name, run_later, answers, calls, needed_later in xai_later.cases(_client, _answer("4")):
        yield _case(name, run_later, answers, *calls, needs=needed_later)


def _in_both_worlds() -> Iterator[tuple[str, Act, tuple[Answer, ...], Any, str]]:
    asked = said({"request_id": "r1"})
    chatted = (asked, said({"status": "PENDING"}), said({"status": "DONE", "response": _answer("4")}))
    clip = (asked, said({"status": "DONE", "response": CLIP}))
    compacted = said({"id": "c1", "encrypted_content": "-", "dropped_message_count": 2, "usage": USAGE | TOTAL})
    drawn = said({"images": [{"url": "https://host/1.jpg"}, {"url": "https://host/2.jpg"}], "model": "grok-2-image"})
    yield "chat several answers", several, (said(_answer("4", "four")),), WHOLE, ""
    yield "chat several answers streamed", several_streamed, (said(*CHUNKS),), STREAMED, ""
    yield "chat parsed", parsed, (said(_answer('{"text": "4"}')),), WHOLE, ""
    yield "chat deferred", deferred, chatted, WHOLE, ""
    yield "chat compacted", compacts, (compacted,), WHOLE, "chat Chat.compact"
    yield "context compacted", context_compacted, (compacted,), WHOLE, "chat Client.compact_context"
    read = call(TOKENS, [], scope="retrieve")
    yield "stored completion", stored, (said(_answer("4")),), read, "chat Client.get_stored_completion"
    yield "image", image, (said(PICTURE),), call({}, [], meters={"images": 1}), ""
    yield "images", images, (drawn,), call({}, [], meters={"images": 2}), ""
    yield "video", video, clip, call({}, [], meters={"video_seconds": 6}), "video Client.generate"
    yield "video extended", extended, clip, call({}, [], meters={"video_seconds": 4}), "video Client.extend"


CLIENT = Client(
    library="xai-sdk",
    module="xai_sdk",
    quickstarts=tuple(_quickstarts()),
    reported=(
        "all, streamed too; cache reads; reasoning; tools that xAI ran; images; seconds of videos; the results of batches "
        "when they are read; the cost itself"
    ),
    missing="batches whose results nobody reads; HTTP attempts: retries happen inside gRPC",
)
