"""The quick starts of `anthropic`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from shapes import anthropic_messages
from shapes.anthropic_messages import EVENTS, TOKENS
from shapes.api import LEFT, call, data
from shapes.provider import Answer, reply, stream

from quickstarts import anthropic_platforms
from quickstarts.quickstart import Client, Quickstart

ASK: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello, Claude"}],
}


def messages(url: str) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="-", base_url=url)
    return client.messages.create(**ASK)


def messages_streamed(url: str) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="-", base_url=url)
    return list(client.messages.create(**ASK, stream=True))


async def messages_async(url: str) -> Any:
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(api_key="-", base_url=url)
    return await client.messages.create(**ASK)


async def messages_async_streamed(url: str) -> Any:
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(api_key="-", base_url=url)
    async with client.messages.stream(**ASK) as events:
        return [text async for text in events.text_stream]


def batch(url: str) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="-", base_url=url)
    job = client.messages.batches.create(requests=[{"custom_id": "first", "params": ASK}])
    return list(client.messages.batches.results(job.id))


def batch_left(url: str) -> Any:
    from anthropic import Anthropic

    client = Anthropic(api_key="-", base_url=url)
    return next(iter(client.messages.batches.results("msgbatch_1")))


async def batch_async(url: str) -> Any:
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(api_key="-", base_url=url)
    return [result async for result in await client.messages.batches.results("msgbatch_1")]


def completion(url: str) -> Any:
    from anthropic import AI_PROMPT, HUMAN_PROMPT, Anthropic

    client = Anthropic(api_key="-", base_url=url)
    prompt = f"{HUMAN_PROMPT} how does a court case get decided?{AI_PROMPT}"
    return client.completions.create(model="claude-2.1", max_tokens_to_sample=300, prompt=prompt)


def completion_streamed(url: str) -> Any:
    from anthropic import AI_PROMPT, HUMAN_PROMPT, Anthropic

    client = Anthropic(api_key="-", base_url=url)
    prompt = f"{HUMAN_PROMPT} how does a court case get decided?{AI_PROMPT}"
    return list(client.completions.create(model="claude-2.1", max_tokens_to_sample=300, prompt=prompt, stream=True))


JOB = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "request_counts": {"processing": 0, "succeeded": 2, "errored": 1, "canceled": 0, "expired": 1},
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2026-01-02T00:00:00Z",
    "results_url": "/v1/messages/batches/msgbatch_1/results",
}


def _message(name: str, asked: int, answered: int) -> dict[str, Any]:
    usage = {"input_tokens": asked, "output_tokens": answered, "service_tier": "batch"}
    return anthropic_messages.body() | {"id": name, "usage": usage}


FAILED = {"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}
RESULTS = (
    {"custom_id": "first", "result": {"type": "succeeded", "message": _message("msg_1", 11, 5)}},
    {"custom_id": "second", "result": {"type": "errored", "error": FAILED}},
    {"custom_id": "third", "result": {"type": "expired"}},
    {"custom_id": "fourth", "result": {"type": "succeeded", "message": _message("msg_2", 7, 3)}},
)
LINES = b"\n".join(json.dumps(result).encode() for result in RESULTS)
"""The last line has no end; parts end anywhere."""


def _lines(**headers: str) -> Answer:
    return Answer(200, headers, tuple(LINES[start : start + 150] for start in range(0, len(LINES), 150)))


TYPED = _lines(**{"content-type": "application/x-jsonl"})
LIST = call({}, scope="aggregate", end="complete", billable="false")


def _result(asked: int, answered: int) -> dict[str, Any]:
    return call({"input_text": asked, "output_text": answered}, [], scope="retrieve")


BOTH = (_result(11, 5), _result(7, 3), LIST)
TOLD = {"id": "compl_1", "type": "completion", "completion": " By a judge.", "model": "claude-2.1"}
COMPLETED = TOLD | {"stop_reason": "stop_sequence"}


def _completed(event: dict[str, Any]) -> bytes:
    return b"event: completion\n" + data(event)


PARTS = stream((_completed(TOLD | {"stop_reason": None}), _completed(COMPLETED)))
UNSAID = call({}, source="missing")


def _has(module: str, name: str) -> Callable[[], bool]:
    return lambda: hasattr(importlib.import_module(module), name)


BATCHED, LEGACY = _has("anthropic.resources.messages", "Batches"), _has("anthropic", "HUMAN_PROMPT")


CLIENT = Client(
    library="anthropic",
    module="anthropic",
    quickstarts=(
        Quickstart("messages", messages, (reply(anthropic_messages.body()),), (call(TOKENS),)),
        Quickstart("messages streamed", messages_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("messages async", messages_async, (reply(anthropic_messages.body()),), (call(TOKENS),)),
        Quickstart(
            "messages async streamed", messages_async_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)
        ),
        Quickstart("batch", batch, (reply(JOB), reply(JOB), TYPED), BOTH, needs=BATCHED),
        Quickstart("batch async of no type", batch_async, (reply(JOB), _lines()), BOTH, needs=BATCHED),
        Quickstart(
            "batch left", batch_left, (reply(JOB), TYPED), (_result(11, 5), LIST | {"end": LEFT}), needs=BATCHED
        ),
        Quickstart("completions", completion, (reply(COMPLETED),), (UNSAID,), needs=LEGACY),
        Quickstart(
            "completions streamed",
            completion_streamed,
            (PARTS,),
            (UNSAID | {"end": "complete"},),
            needs=LEGACY,
        ),
        *anthropic_platforms.QUICKSTARTS,
    ),
    reported="all, streamed too; cache writes by their life, thinking, searches; the results of batches when they are read",
    missing="output of what was left before its end; legacy completions; batches whose results nobody reads",
)
