"""The quick starts of `cerebras-cloud-sdk`."""

from __future__ import annotations

import importlib.util
import inspect
from importlib import import_module
from typing import Any

from shapes.api import LEFT, call, failed
from shapes.provider import AT_ONCE, Answer, refused, reply, stream

from quickstarts import compatible
from quickstarts.quickstart import Client, Quickstart

MODEL = "gpt-oss-120b"
TALK = [{"role": "user", "content": "Why is fast inference important?"}]
USAGE = {
    "prompt_tokens": 340,
    "completion_tokens": 50,
    "total_tokens": 390,
    "completion_tokens_details": {
        "accepted_prediction_tokens": 4,
        "rejected_prediction_tokens": 3,
        "reasoning_tokens": 17,
    },
    "prompt_tokens_details": {"cached_tokens": 128},
    "image_tokens": 200,
}
# Of 340 asked, 200 were images; a cache holds text first, so that 128 of the other 140 were read from it.
TOKENS = {
    "input_text": 12,
    "input_image": 200,
    "cache_read": 128,
    "output_text": 30,
    "output_reasoning": 17,
    "output_rejected_prediction": 3,
}
PLAIN = {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
WHOLE = reply(compatible.completion(MODEL, USAGE, time_info={"total_time": 0.1}))
EVENTS = compatible.chunks(MODEL, USAGE)
WARM = reply("ok")
"""The answer to a greeting, which is free."""
SDK = import_module("cerebras.cloud.sdk") if importlib.util.find_spec("cerebras") else None


def chat(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="-", base_url=url)
    return client.chat.completions.create(messages=TALK, model=MODEL)


def chat_streamed(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return list(chunks)


async def chat_async(url: str) -> Any:
    from cerebras.cloud.sdk import AsyncCerebras

    client = AsyncCerebras(api_key="-", base_url=url)
    return await client.chat.completions.create(messages=TALK, model=MODEL)


async def chat_async_streamed(url: str) -> Any:
    from cerebras.cloud.sdk import AsyncCerebras

    client = AsyncCerebras(api_key="-", base_url=url)
    chunks = await client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return [chunk async for chunk in chunks]


def chat_left(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return next(iter(chunks))


def completion(url: str) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="-", base_url=url)
    return client.completions.create(prompt="It was a dark and stormy ", max_tokens=100, model=MODEL)


def _after_greeting(*answers: Answer) -> tuple[Answer, ...]:
    """What the client is answered, which greets the provider first where it is not among the oldest."""
    greets = SDK is not None and "warm_tcp_connection" in inspect.signature(SDK.Cerebras.__init__).parameters
    return (WARM, *answers) if greets else answers


DENIED, STREAM = refused(401), stream(EVENTS)
BUSY = refused(429, **AT_ONCE)

CLIENT = Client(
    library="cerebras-cloud-sdk",
    module="cerebras.cloud.sdk",
    quickstarts=(
        Quickstart("chat", chat, _after_greeting(WHOLE), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, _after_greeting(STREAM), (call(TOKENS, end="complete"),)),
        Quickstart("chat async", chat_async, (WHOLE,), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (STREAM,), (call(TOKENS, end="complete"),)),
        Quickstart("chat after 429", chat, _after_greeting(BUSY, WHOLE), (call(TOKENS, [429, 200]),)),
        Quickstart("chat left", chat_left, _after_greeting(STREAM), (call({}, source="missing", end=LEFT),)),
        Quickstart("chat denied", chat, _after_greeting(DENIED), (failed([401], "AuthenticationError"),)),
        Quickstart(
            "completions",
            completion,
            _after_greeting(reply(compatible.text(MODEL, PLAIN))),
            (call({"input_text": 7, "output_text": 9}),),
            needs=lambda: hasattr(SDK.Cerebras, "completions") or "completions" in SDK.Cerebras.__annotations__,
        ),
    ),
    reported="all, streamed too; cache reads, images, reasoning, rejected predictions",
    missing="what was left before its end",
)
