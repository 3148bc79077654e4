"""`client.chat.completions` of openai."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from typing import Any

import pydantic

from shapes import stainless
from shapes.api import Api, call, client_of, data
from shapes.provider import refused, reply, stream
from shapes.shape import SYNC, Shape, Surface, drain, entered, first, settle

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "total_tokens": 150,
    "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 16},
    "completion_tokens_details": {"reasoning_tokens": 30},
}
TOKENS = {"input_text": 44, "cache_read": 40, "cache_write_30m": 16, "output_text": 20, "output_reasoning": 30}
ID = {"id": "chatcmpl-1", "created": 1, "model": "gpt-5.6-2026-08-01"}
TEXT = json.dumps({"sum": 4})


def body(finish: str = "stop") -> dict[str, Any]:
    """A complete answer."""
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "finish_reason": finish, "logprobs": None, "message": message}
    return ID | {"object": "chat.completion", "choices": [choice], "usage": USAGE}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One event of a streamed answer; without a delta, the one that carries the usage."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
    return data(ID | {"object": "chat.completion.chunk", "choices": choices, "usage": None} | more)


DONE = b"data: [DONE]\n\n"
TALK = (chunk({"role": "assistant", "content": ""}), chunk({"content": TEXT}), chunk({}, "stop"))
EVENTS = (*TALK, chunk(usage=USAGE), DONE)
ASK = {"model": "gpt-5.6", "messages": [{"role": "user", "content": "2+2?"}]}
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}

API = Api(
    resource=lambda client: client.chat.completions,
    ask=ASK,
    streaming=WITH_USAGE,
    whole=body(),
    events=EVENTS,
    tokens=TOKENS,
    begun={},
)


class Answered(pydantic.BaseModel):
    """What the application wants to have parsed."""

    sum: int


def _helpers() -> Iterable[Shape]:
    async def helper(client: Any) -> Any:
        options = {"include_usage": True}
        async with entered(client.chat.completions.stream(**ASK, stream_options=options)) as events:
            return [await drain(events), await settle(events.get_final_completion())]

    async def left(client: Any) -> Any:
        async with entered(client.chat.completions.stream(**ASK)) as events:
            return type(events)

    async def parse(client: Any) -> Any:
        return await settle(client.chat.completions.parse(**ASK, response_format=Answered))

    async def beta(client: Any) -> Any:
        return await settle(client.beta.chat.completions.parse(**ASK, response_format=Answered))

    async def broken_off(client: Any) -> Any:
        options = {"include_usage": True}
        async with entered(client.chat.completions.stream(**ASK, stream_options=options)) as events:
            return await first(events)

    async def raw_parse(client: Any) -> Any:
        response = await settle(client.chat.completions.with_raw_response.parse(**ASK, response_format=Answered))
        return [type(response), await settle(response.parse())]

    half = call({}, source="missing", end="closed")
    yield Shape("stream helper, left early", broken_off, (stream(EVENTS),), (half,))
    yield Shape("`with_raw_response.parse`", raw_parse, (reply(body()),), (API.counted,))
    yield Shape("stream helper", helper, (stream(EVENTS),), (API.streamed,))
    yield Shape("stream helper, never started", left, (stream(EVENTS),), (call({}, source="missing", end="unread"),))
    yield Shape("`parse`", parse, (reply(body()),), (API.counted,))
    yield Shape("`beta…parse`", beta, (reply(body()),), (API.counted,))
    cut = call(TOKENS, error="LengthFinishReasonError")
    yield Shape("`parse` of an answer cut off by its length", parse, (reply(body("length")),), (cut,))
    filtered = call(TOKENS, error="ContentFilterFinishReasonError")
    yield Shape("`parse` of an answer that was filtered", parse, (reply(body("content_filter")),), (filtered,))


def _streams() -> Iterable[Shape]:
    async def unasked(client: Any) -> Any:
        return await drain(await settle(client.chat.completions.create(**ASK, stream=True)))

    refusal = data({"error": {"message": "overloaded", "type": "server_error", "code": 500}})
    error = call({}, source="missing", end="failed", error="server_error")
    unknown = call({}, source="missing", end="complete")
    yield Shape("streamed, usage not asked for", unasked, (stream((*TALK, DONE)),), (unknown,))
    yield Shape("stream ended by an error event", unasked, (stream((*TALK[:1], refusal)),), (error,))


def _clients() -> Iterable[Shape]:
    async def module(client: Any) -> Any:
        import openai

        openai.api_key, openai.http_client = "-", client._client
        openai._reset_client()
        try:
            return openai.chat.completions.create(**ASK)
        finally:
            openai.http_client = None
            openai._reset_client()

    async def azure(client: Any) -> Any:
        return await settle(azure_of(client).chat.completions.create(**ASK))

    async def azure_stream(client: Any) -> Any:
        return await drain(await settle(azure_of(client).chat.completions.create(**ASK, **WITH_USAGE)))

    filtered = data(ID | {"object": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]})
    yield Shape("Azure client, streamed", azure_stream, (stream((filtered, *EVENTS)),), (API.streamed,))
    yield Shape("module-level client", module, (reply(body()),), (API.counted,), modes=(SYNC,))
    yield Shape("Azure client", azure, (reply(body()),), (API.counted,))


def _legacy() -> Iterable[Shape]:
    """An httpx client below an openai that is built on httpx2."""

    def legacy(client: Any) -> Any:
        http, provider = importlib.import_module("httpx"), client._client._transport.asked_of
        if hasattr(client._client, "aclose"):
            return client.with_options(http_client=http.AsyncClient(transport=provider.async_transport(http)))
        return client.with_options(http_client=http.Client(transport=provider.transport(http)))

    async def complete(client: Any) -> Any:
        return await settle(legacy(client).chat.completions.create(**ASK))

    async def streamed(client: Any) -> Any:
        return await drain(await settle(legacy(client).chat.completions.create(**ASK, **WITH_USAGE)))

    def takes_both(client: Any) -> bool:
        is_new = type(client._client).__module__.startswith("httpx2")
        return is_new and importlib.util.find_spec("httpx") is not None

    yield Shape("client of httpx", complete, (reply(body()),), (API.counted,), needs=takes_both)
    again = (refused(429, retry_after_ms="1"), stream(EVENTS))
    tried = (call(TOKENS, [429, 200], end="complete"),)
    yield Shape("client of httpx, streamed", streamed, again, tried, retries=1, needs=takes_both)


def azure_of(client: Any) -> Any:
    """An Azure client that talks to the provider of `client`."""
    import openai

    kind = openai.AzureOpenAI if isinstance(client, openai.OpenAI) else openai.AsyncAzureOpenAI
    endpoint = "https://example.openai.azure.com"
    return kind(api_key="-", api_version="2026-01-01", azure_endpoint=endpoint, http_client=client._client)


SURFACE = Surface(
    "openai chat",
    client_of("openai", "OpenAI"),
    (*stainless.shapes(API), *_helpers(), *_streams(), *_clients(), *_legacy()),
)
