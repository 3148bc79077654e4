"""The quick starts of `groq`."""

from __future__ import annotations

from typing import Any

from shapes.api import call, data
from shapes.provider import reply, stream

from quickstarts.quickstart import Client, Quickstart

ID = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "openai/gpt-oss-120b"}
USAGE = {
    "queue_time": 0.018,
    "prompt_tokens": 80,
    "prompt_time": 0.003,
    "completion_tokens": 61,
    "completion_time": 0.12,
    "total_tokens": 141,
    "total_time": 0.123,
    "completion_tokens_details": {"reasoning_tokens": 21},
    "prompt_tokens_details": {"cached_tokens": 16},
}
TOKENS = {"input_text": 64, "cache_read": 16, "output_text": 40, "output_reasoning": 21}
ANSWER = ID | {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fast."}, "finish_reason": "stop"}],
    "usage": USAGE,
    "x_groq": {"id": "req_1"},
}


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data(ID | {"object": "chat.completion.chunk", "choices": [choice]} | more)


EVENTS = (
    _chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_1"}),
    _chunk({"content": "Fast."}),
    _chunk({}, "stop", x_groq={"id": "req_1", "usage": USAGE}),
    b"data: [DONE]\n\n",
)


def chat(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    return client.chat.completions.create(
        messages=[{"role": "user", "content": "Explain the importance of fast language models"}],
        model="openai/gpt-oss-120b",
    )


def chat_streamed(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    parts = client.chat.completions.create(
        messages=[{"role": "user", "content": "Explain the importance of fast language models"}],
        model="openai/gpt-oss-120b",
        stream=True,
    )
    return list(parts)


async def chat_async(url: str) -> Any:
    from groq import AsyncGroq

    client = AsyncGroq(api_key="-", base_url=url)
    return await client.chat.completions.create(
        messages=[{"role": "user", "content": "Explain the importance of fast language models"}],
        model="openai/gpt-oss-120b",
    )


async def chat_async_streamed(url: str) -> Any:
    from groq import AsyncGroq

    client = AsyncGroq(api_key="-", base_url=url)
    parts = await client.chat.completions.create(
        messages=[{"role": "user", "content": "Explain the importance of fast language models"}],
        model="openai/gpt-oss-120b",
        stream=True,
    )
    return [part async for part in parts]


CLIENT = Client(
    library="groq",
    module="groq",
    quickstarts=(
        Quickstart("chat", chat, (reply(ANSWER),), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("chat async", chat_async, (reply(ANSWER),), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
    ),
    reported="all, streamed too; cache reads; reasoning",
)
