"""`client.messages` and `client.beta.messages` of anthropic."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import pydantic

from shapes import stainless
from shapes.api import Api, call, client_of, named
from shapes.provider import reply, stream
from shapes.shape import Shape, Surface, drain, entered, settle

SEEN = {
    "input_tokens": 44,
    "cache_read_input_tokens": 40,
    "cache_creation_input_tokens": 16,
    "cache_creation": {"ephemeral_5m_input_tokens": 16, "ephemeral_1h_input_tokens": 0},
    "service_tier": "standard",
}
WRITTEN = {"output_tokens": 50, "output_tokens_details": {"thinking_tokens": 30}}
INPUT = {"input_text": 44, "cache_read": 40, "cache_write_5m": 16}
TOKENS = INPUT | {"output_text": 20, "output_reasoning": 30}
BEGUN = INPUT | {"output_text": 1}
TEXT = json.dumps({"sum": 4})
ASK = {"model": "claude-opus-5", "max_tokens": 64, "messages": [{"role": "user", "content": "2+2?"}]}


def body(content: list[dict[str, Any]] | None = None, stop: str = "end_turn") -> dict[str, Any]:
    """A complete message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-20260901",
        "content": content or [{"type": "text", "text": TEXT}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": SEEN | WRITTEN,
    }


def told() -> list[Mapping[str, Any]]:
    """The events of a streamed message."""
    begun = body() | {"content": [], "stop_reason": None, "usage": SEEN | {"output_tokens": 1}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": WRITTEN},
        {"type": "message_stop"},
    ]


EVENTS = tuple(named(event) for event in told())


def _api(resource: Any) -> Api:
    return Api(
        resource=resource,
        ask=ASK,
        streaming={"stream": True},
        whole=body(),
        events=EVENTS,
        tokens=TOKENS,
        begun=BEGUN,
    )


MESSAGES, BETA = _api(lambda client: client.messages), _api(lambda client: client.beta.messages)


class Answered(pydantic.BaseModel):
    """What the application wants to have parsed."""

    sum: int


def _helpers(api: Api) -> Iterable[Shape]:
    async def helper(client: Any) -> Any:
        async with entered(api.resource(client).stream(**ASK)) as events:
            return [await drain(events), await settle(events.get_final_message())]

    async def text(client: Any) -> Any:
        async with entered(api.resource(client).stream(**ASK)) as events:
            return [await drain(events.text_stream), await settle(events.get_final_text())]

    async def left(client: Any) -> Any:
        async with entered(api.resource(client).stream(**ASK)) as events:
            return type(events)

    async def parse(client: Any) -> Any:
        with warnings.catch_warnings():
            # Some releases have only this argument, some only warn of it.
            warnings.simplefilter("ignore", DeprecationWarning)
            return await settle(api.resource(client).parse(**ASK, output_format=Answered))

    def has(name: str) -> Any:
        return lambda client: hasattr(api.resource(client), name)

    answers, counted = (stream(EVENTS),), (api.streamed,)
    yield Shape("stream helper", helper, answers, counted, needs=has("stream"))
    yield Shape("stream helper, `text_stream`", text, answers, counted, needs=has("stream"))
    unread = (call({}, source="missing", end="unread"),)
    yield Shape("stream helper, never started", left, answers, unread, needs=has("stream"))
    yield Shape("`parse`", parse, (reply(body()),), (api.counted,), needs=has("parse"))


def _endings() -> Iterable[Shape]:
    async def streamed(client: Any) -> Any:
        return await drain(await settle(client.messages.create(**ASK, stream=True)))

    overloaded = named({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    broken = call(BEGUN, source="partial_stream", end="failed", error="overloaded_error")
    yield Shape("stream ended by an error event", streamed, (stream((*EVENTS[:1], overloaded)),), (broken,))


def _clients() -> Iterable[Shape]:
    async def vertex(client: Any) -> Any:
        import anthropic

        is_sync = isinstance(client, anthropic.Anthropic)
        kind = anthropic.AnthropicVertex if is_sync else anthropic.AsyncAnthropicVertex
        inside = kind(project_id="p", region="global", access_token="-", http_client=client._client)
        return await settle(inside.messages.create(**ASK))

    yield Shape("Vertex AI client", vertex, (reply(body()),), (MESSAGES.counted,))


def _tools() -> Iterable[Shape]:
    used = [{"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2, "b": 2}}]
    answers = (reply(body(used, "tool_use")), reply(body()))

    def add(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    async def add_later(a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)

    async def run(client: Any) -> Any:
        import anthropic

        is_async = isinstance(client, anthropic.AsyncAnthropic)
        tool = anthropic.beta_async_tool(name="add")(add_later) if is_async else anthropic.beta_tool(name="add")(add)
        return await drain(client.beta.messages.tool_runner(**ASK, tools=[tool]))

    twice = (BETA.counted, BETA.counted)
    yield Shape("tool runner, two turns", run, answers, twice, needs=lambda c: hasattr(c.beta.messages, "tool_runner"))


build = client_of("anthropic", "Anthropic")
SURFACE = Surface(
    "anthropic messages",
    build,
    (*stainless.shapes(MESSAGES), *_helpers(MESSAGES), *_endings(), *_clients()),
)
BETA_SURFACE = Surface(
    "anthropic beta messages",
    build,
    (*stainless.shapes(BETA), *_helpers(BETA), *_tools()),
)
