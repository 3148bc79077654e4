"""The quick starts of `fireworks-ai`."""

from __future__ import annotations

from typing import Any

from shapes.api import LEFT, call, failed, named
from shapes.provider import AT_ONCE, refused, reply, stream

from quickstarts import compatible
from quickstarts.quickstart import Client, Quickstart

MODEL = "accounts/fireworks/models/kimi-k2-instruct-0905"
TALK = [{"role": "user", "content": "How do LLMs work?"}]
USAGE = {
    "prompt_tokens": 90,
    "completion_tokens": 33,
    "total_tokens": 123,
    "prompt_tokens_details": {"cached_tokens": 64},
}
TOKENS = {"input_text": 26, "cache_read": 64, "output_text": 33}
WHOLE = reply(compatible.completion(MODEL, USAGE))
EVENTS = stream(compatible.chunks(MODEL, USAGE))

BEGUN = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 20, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0, "output_tokens": 0},
}
MESSAGE = BEGUN | {
    "content": [{"type": "text", "text": "They predict."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 20, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0, "output_tokens": 11},
}
SPOKEN = {"input_text": 20, "cache_read": 5, "output_text": 11}
MESSAGES = stream(
    (
        named({"type": "message_start", "message": BEGUN}),
        named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "They predict."}}),
        named({"type": "content_block_stop", "index": 0}),
        named({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 11}}),
        named({"type": "message_stop"}),
    )
)


def chat(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    return client.chat.completions.create(messages=TALK, model=MODEL)


def chat_streamed(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return list(chunks)


async def chat_async(url: str) -> Any:
    from fireworks import AsyncFireworks

    client = AsyncFireworks(api_key="-", base_url=url)
    return await client.chat.completions.create(messages=TALK, model=MODEL)


async def chat_async_streamed(url: str) -> Any:
    from fireworks import AsyncFireworks

    client = AsyncFireworks(api_key="-", base_url=url)
    chunks = await client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return [chunk async for chunk in chunks]


def chat_left(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return next(iter(chunks))


def completion(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    return client.completions.create(model=MODEL, prompt="It was a dark and stormy ")


def messages(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    return client.messages.create(model=MODEL, max_tokens=100, messages=TALK)


async def messages_async(url: str) -> Any:
    from fireworks import AsyncFireworks

    client = AsyncFireworks(api_key="-", base_url=url)
    return await client.messages.create(model=MODEL, max_tokens=100, messages=TALK)


def messages_streamed(url: str) -> Any:
    from fireworks import Fireworks

    client = Fireworks(api_key="-", base_url=url)
    with client.messages.with_streaming_response.create(
        model=MODEL, max_tokens=100, messages=TALK, stream=True
    ) as events:
        return list(events.iter_lines())


NAME = "accounts/mine/batchInferenceJobs/job-1"
JOB = {"name": NAME, "model": MODEL, "state": "JOB_STATE_CREATING", "inputDatasetId": "in", "outputDatasetId": "out"}
PROGRESS = {"percent": 50, "inputTokens": 900, "cachedInputTokenCount": 640, "outputTokens": 330}
RUNNING = JOB | {"state": "JOB_STATE_RUNNING", "jobProgress": PROGRESS | {"inputTokens": 450, "outputTokens": 100}}
OVER = JOB | {"state": "JOB_STATE_COMPLETED", "jobProgress": PROGRESS | {"percent": 100}}


def batch(url: str) -> Any:
    from fireworks import Fireworks

    jobs = Fireworks(api_key="-", base_url=url).batch_inference_jobs
    job = jobs.create(account_id="mine", model=MODEL, input_dataset_id="in", output_dataset_id="out")
    return [job, *(jobs.get("job-1", account_id="mine") for _ in range(3))]


ASKED = call({}, source="missing")
WAITING = call({}, source="missing", scope="retrieve")
COUNTED = call({"input_text": 260, "cache_read": 640, "output_text": 330}, scope="retrieve")

CLIENT = Client(
    library="fireworks-ai",
    module="fireworks._base_client",
    quickstarts=(
        Quickstart("chat", chat, (WHOLE,), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, (EVENTS,), (call(TOKENS, end="complete"),)),
        Quickstart("chat async", chat_async, (WHOLE,), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (EVENTS,), (call(TOKENS, end="complete"),)),
        Quickstart("chat after 500", chat, (refused(500, **AT_ONCE), WHOLE), (call(TOKENS, [500, 200]),)),
        Quickstart("chat left", chat_left, (EVENTS,), (call({}, source="missing", end=LEFT),)),
        Quickstart("chat denied", chat, (refused(401),), (failed([401], "AuthenticationError"),)),
        Quickstart("completions", completion, (reply(compatible.text(MODEL, USAGE)),), (call(TOKENS),)),
        Quickstart("messages", messages, (reply(MESSAGE),), (call(SPOKEN),)),
        Quickstart("messages async", messages_async, (reply(MESSAGE),), (call(SPOKEN),)),
        Quickstart("messages streamed", messages_streamed, (MESSAGES,), (call(SPOKEN, end="complete"),)),
        Quickstart(
            "batch",
            batch,
            (reply(JOB), reply(RUNNING), reply(OVER), reply(OVER)),
            (ASKED, WAITING, COUNTED, COUNTED),
        ),
    ),
    reported=(
        "all, streamed too; cache reads; reasoning only where the model's server counts it; a batch job when it is asked "
        "for after its end"
    ),
    missing="batches that nobody asks for after their end; what was left before its end",
)
