"""`client.responses` of openai."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pydantic

from shapes import stainless
from shapes.api import Api, call, client_of, named
from shapes.provider import reply, stream
from shapes.shape import Shape, Surface, drain, entered, settle

USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 16},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 150,
}
TOKENS = {"input_text": 44, "cache_read": 40, "cache_write_30m": 16, "output_text": 20, "output_reasoning": 30}
TEXT = json.dumps({"sum": 4})
ASK = {"model": "gpt-5.6", "input": "2+2?"}


def body(status: str = "completed", **more: Any) -> dict[str, Any]:
    """A response as it is stored, created or retrieved."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5.6-2026-08-01",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "output": [_message(TEXT)],
        "usage": USAGE,
    } | more


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if text else []
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": content}


def events(last: str = "response.completed", **more: Any) -> tuple[bytes, ...]:
    """A streamed answer that ends in `last`."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    begun = body("in_progress", output=[], usage=None)
    told: list[Mapping[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": _message("") | {"status": "in_progress"}},
        {"type": "response.content_part.added", **place, "part": part},
        {"type": "response.output_text.delta", **place, "delta": TEXT, "logprobs": []},
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0, "item": _message(TEXT)},
        {"type": last, "response": body(last.removeprefix("response."), **more)},
    ]
    return tuple(named(event | {"sequence_number": number}) for number, event in enumerate(told))


API = Api(
    resource=lambda client: client.responses,
    ask=ASK,
    streaming={"stream": True},
    whole=body(),
    events=events(),
    tokens=TOKENS,
    begun={},
)


class Answered(pydantic.BaseModel):
    """What the application wants to have parsed."""

    sum: int


def _helpers() -> Iterable[Shape]:
    async def helper(client: Any) -> Any:
        async with entered(client.responses.stream(**ASK)) as parts:
            return [await drain(parts), await settle(parts.get_final_response())]

    async def left(client: Any) -> Any:
        async with entered(client.responses.stream(**ASK)) as parts:
            return type(parts)

    async def parse(client: Any) -> Any:
        return await settle(client.responses.parse(**ASK, text_format=Answered))

    yield Shape("stream helper", helper, (stream(events()),), (API.streamed,))
    yield Shape("stream helper, never started", left, (stream(events()),), (call({}, source="missing", end="unread"),))
    yield Shape("`parse`", parse, (reply(body()),), (API.counted,))


def _endings() -> Iterable[Shape]:
    async def streamed(client: Any) -> Any:
        return await drain(await settle(client.responses.create(**ASK, stream=True)))

    short = events("response.incomplete", incomplete_details={"reason": "max_output_tokens"})
    yield Shape("stream of an answer cut off by its length", streamed, (stream(short),), (API.streamed,))
    fault = named(
        {"type": "error", "code": "server_error", "message": "overloaded", "param": None, "sequence_number": 1}
    )
    refused = call({}, source="missing", end="failed", error="server_error")
    yield Shape("stream ended by an error event", streamed, (stream((*events()[:1], fault)),), (refused,))
    error = {"code": "server_error", "message": "overloaded"}
    broken = events("response.failed", error=error, usage=None)
    unknown = call({}, source="missing", end="failed", error="server_error")
    yield Shape("stream of a failed response", streamed, (stream(broken),), (unknown,))


def _stored() -> Iterable[Shape]:
    async def background(client: Any) -> Any:
        created = await settle(client.responses.create(**ASK, background=True))
        polls = [await settle(client.responses.retrieve(created.id)) for _ in range(3)]
        return [created, *polls]

    async def cancelled(client: Any) -> Any:
        created = await settle(client.responses.create(**ASK, background=True))
        return await settle(client.responses.cancel(created.id))

    async def resumed(client: Any) -> Any:
        created = await settle(client.responses.create(**ASK, background=True))
        return [created, await drain(await settle(client.responses.retrieve(created.id, stream=True)))]

    async def compacted(client: Any) -> Any:
        return await settle(client.responses.compact(**ASK))

    queued = reply(body("queued", output=[], usage=None, background=True))
    waits = reply(body("in_progress", output=[], usage=None, background=True))
    done = reply(body(background=True))
    begun = call({}, source="missing")
    read = call(TOKENS, scope="retrieve")
    polled = (begun, call({}, source="missing", scope="retrieve"), read, read)
    yield Shape("background, polled and read twice", background, (queued, waits, done), polled)
    again = call(TOKENS, scope="retrieve", end="complete")
    yield Shape("background, read as a stream", resumed, (queued, stream(events())), (begun, again))
    stopped = reply(body("cancelled", output=[], usage=None, background=True))
    yield Shape("background, cancelled", cancelled, (queued, stopped), (begun, begun | {"scope": "retrieve"}))
    compact = reply({"id": "cmp_1", "object": "response.compaction", "created_at": 1, "output": [], "usage": USAGE})
    has = lambda client: hasattr(client.responses, "compact")  # noqa: E731
    yield Shape("conversation compacted", compacted, (compact,), (API.counted,), needs=has)


SURFACE = Surface(
    "openai responses",
    client_of("openai", "OpenAI"),
    (*stainless.shapes(API), *_helpers(), *_endings(), *_stored()),
)
