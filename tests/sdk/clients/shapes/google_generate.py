"""`client.models` and `client.chats` of google-genai."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable
from typing import Any

from shapes.api import call, data, failed
from shapes.provider import HANGS, Provider, http_of, lost, refused, reply, stream
from shapes.shape import ASYNC, Shape, Surface, drain, first, settle

MODEL = "gemini-3.8-flash"
USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 150,
}
TOKENS = {"input_text": 60, "cache_read": 40, "output_text": 20, "output_reasoning": 30}
BEGUN = {"input_text": 60, "cache_read": 40}
ASK = {"model": MODEL, "contents": "2+2?"}


def body(*parts: dict[str, Any], finish: str | None = "STOP", usage: dict[str, int] | None = None) -> dict[str, Any]:
    """A response, whole or one event of a stream."""
    content = {"role": "model", "parts": list(parts or ({"text": "4"},))}
    candidate = {"index": 0, "content": content} | ({"finishReason": finish} if finish else {})
    return {
        "responseId": "r-1",
        "modelVersion": "gemini-3.8-flash-001",
        "candidates": [candidate],
        "usageMetadata": usage or USAGE,
    }


EARLY = {"promptTokenCount": 100, "cachedContentTokenCount": 40, "totalTokenCount": 100}
EVENTS = (data(body({"text": "4"}, finish=None, usage=EARLY)), data(body({"text": "."})))
COUNTED = call(TOKENS)
STREAMED = call(TOKENS, end="complete")


def left(end: str, error: str | None = None) -> dict[str, Any]:
    """What the span of a stream says of which only the first event was read."""
    return call(BEGUN, source="partial_stream", end=end, error=error)


def client(mode: str, provider: Provider, retries: int, **options: Any) -> Any:
    """A client that talks to a given provider."""
    from google import genai
    from google.genai import types

    http = http_of("google.genai._api_client")
    retry = types.HttpRetryOptions(attempts=retries + 1, initial_delay=0.001, max_delay=0.001, jitter=0.0)
    settings = types.HttpOptions(
        client_args={"transport": provider.transport(http)},
        async_client_args={"transport": provider.async_transport(http)},
        retry_options=retry if retries else None,
    )
    built = genai.Client(**(options or {"api_key": "-"}), http_options=settings)
    return built.aio if mode == ASYNC else built


def vertex(mode: str, provider: Provider, retries: int) -> Any:
    """The same client, turned to Vertex AI."""
    from google.auth.credentials import AnonymousCredentials

    class Credentials(AnonymousCredentials):
        def refresh(self, request: Any) -> None:
            self.token = "-"

    return client(
        mode, provider, retries, vertexai=True, project="p", location="us-central1", credentials=Credentials()
    )


async def generate(client: Any) -> Any:
    """One answer."""
    return await settle(client.models.generate_content(**ASK))


async def opened(client: Any) -> Any:
    """A stream, before anything of it is read."""
    return await settle(client.models.generate_content_stream(**ASK))


async def streamed(client: Any) -> Any:
    """A stream, read to its end."""
    return await drain(await opened(client))


def _complete() -> Iterable[Shape]:
    async def chat(client: Any) -> Any:
        talk = client.chats.create(model=MODEL)
        return [await settle(talk.send_message("2+2?")), await settle(talk.send_message("sure?"))]

    async def chat_stream(client: Any) -> Any:
        return await drain(await settle(client.chats.create(model=MODEL).send_message_stream("2+2?")))

    async def as_json(client: Any) -> Any:
        config = {"response_mime_type": "application/json", "response_schema": {"type": "OBJECT"}}
        return await settle(client.models.generate_content(**ASK, config=config))

    yield Shape("complete", generate, (reply(body()),), (COUNTED,))
    yield Shape("`parse`", as_json, (reply(body({"text": json.dumps({"sum": 4})})),), (COUNTED,))
    yield Shape("streamed", streamed, (stream(EVENTS),), (STREAMED,))
    yield Shape("chat, two turns", chat, (reply(body()),), (COUNTED, COUNTED))
    yield Shape("chat, streamed", chat_stream, (stream(EVENTS),), (STREAMED,))


def _functions() -> Iterable[Shape]:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    asks = {"functionCall": {"name": "add", "args": {"a": 2, "b": 2}}}

    async def called(client: Any) -> Any:
        return await settle(client.models.generate_content(**ASK, config={"tools": [add]}))

    async def called_streamed(client: Any) -> Any:
        return await drain(await settle(client.models.generate_content_stream(**ASK, config={"tools": [add]})))

    async def continued(client: Any) -> Any:
        return await settle(client.models.generate_content(**ASK))

    def continues(client: Any) -> bool:
        return hasattr(client.models, "_generate_content_with_continuation")

    more = body(finish="CONTINUATION")
    more["candidates"][0]["continuationToken"] = "AAAA"
    halves = (reply(more), reply(body()))
    yield Shape("automatic continuation, two hops", continued, halves, (COUNTED,) * 2, needs=continues)
    hops = (reply(body(asks)), reply(body(asks)), reply(body()))
    yield Shape("automatic function calls, three hops", called, hops, (COUNTED,) * 3)
    events = (stream((data(body(asks)),)), stream(EVENTS))
    yield Shape("automatic function calls, streamed", called_streamed, events, (STREAMED,) * 2)


def _left() -> Iterable[Shape]:
    async def dropped(client: Any) -> Any:
        seen = await first(await opened(client))
        gc.collect()
        return seen

    async def closed(client: Any) -> Any:
        events = await opened(client)
        seen = await anext(events) if hasattr(events, "__anext__") else next(events)
        await settle(events.aclose() if hasattr(events, "aclose") else events.close())
        return seen

    async def never_started(client: Any) -> Any:
        kind = type(await opened(client))
        gc.collect()
        return kind

    yield Shape("stream left by `break`", dropped, (stream(EVENTS),), (left("dropped"),))
    yield Shape("stream left by `close()`", closed, (stream(EVENTS),), (left("dropped"),))
    yield Shape("stream never started", never_started, (stream(EVENTS),), ())


def _failing() -> Iterable[Shape]:
    def retried(name: str, *before: Any, statuses: list[Any]) -> Shape:
        tries = (call(TOKENS, [*statuses, 200]),)
        return Shape(name, generate, (*before, reply(body())), tries, retries=2)

    yield retried("retried after 429", refused(429), statuses=[429])
    yield retried("retried after 500 and 500", refused(500), refused(500), statuses=[500, 500])
    yield retried("retried after a timeout", lost("timeout"), statuses=["ReadTimeout"])
    yield Shape("every attempt refused", generate, (refused(429),), (failed([429] * 3, "ClientError"),), retries=2)
    yield Shape("refused with 400", generate, (refused(400),), (failed([400], "ClientError"),))
    yield Shape("timeout", generate, (lost("timeout"),), (failed(["ReadTimeout"], "ReadTimeout"),))
    yield Shape("connection lost", generate, (lost("reset"),), (failed(["ReadError"], "ReadError"),))
    broken = (stream(EVENTS[:1], lost="reset"),)
    cut = (stream(EVENTS[:1]),)
    yield Shape("stream that ends before its answer", streamed, cut, (left("failed", "incomplete_stream"),))
    yield Shape("stream refused with 400", streamed, (refused(400),), (failed([400], "ClientError"),))
    yield Shape("stream broken by the connection", streamed, broken, (left("failed", "ReadError"),))
    in_flight = (failed(["CancelledError"], "CancelledError"),)
    yield Shape("task cancelled in flight", generate, (HANGS,), in_flight, modes=(ASYNC,))
    waiting = (stream(EVENTS[:1], hangs=True),)
    cancelled = (left("cancelled", "CancelledError"),)
    yield Shape("task cancelled in mid-stream", streamed, waiting, cancelled, modes=(ASYNC,))


def _embeddings() -> Iterable[Shape]:
    async def embed(client: Any) -> Any:
        return await settle(client.models.embed_content(model="gemini-embedding-2", contents="2+2?"))

    vector = {"embeddings": [{"values": [0.5]}]}
    counted = vector | {"usageMetadata": {"promptTokenCount": 100}}
    yield Shape("complete", embed, (reply(counted),), (call({"input_text": 100}),))
    yield Shape("complete, of a model that does not count", embed, (reply(vector),), (call({}, source="missing"),))


def _predictions() -> Iterable[Shape]:
    async def embed(client: Any) -> Any:
        return await settle(client.models.embed_content(model="text-embedding-005", contents="2+2?"))

    statistics = {"token_count": 100, "truncated": False}
    made = {"predictions": [{"embeddings": {"values": [0.5], "statistics": statistics}}]}
    yield Shape("complete", embed, (reply(made),), (call({"input_text": 100}),))


def _bound() -> Iterable[Shape]:
    # The client closes itself when nobody holds it any more.
    early: Callable[[Any], Any] = lambda client: (client, client.models.generate_content)  # noqa: E731

    async def bound(held: Any) -> Any:
        return await settle(held[1](**ASK))

    yield Shape("method bound before instrumentation", bound, (reply(body()),), (COUNTED,), early=early)


ALL = (*_complete(), *_functions(), *_left(), *_failing(), *_bound())
GEMINI = Surface("google-genai", client, ALL)
VERTEX = Surface("google-genai on Vertex", vertex, ALL)
EMBEDDINGS = Surface("google-genai embeddings", client, tuple(_embeddings()))
VERTEX_EMBEDDINGS = Surface("google-genai embeddings on Vertex", vertex, tuple(_predictions()))
