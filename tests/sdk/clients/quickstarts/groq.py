"""The quick starts of `groq`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from shapes.api import LEFT, call, data, failed
from shapes.provider import AT_ONCE, Answer, refused, reply, stream

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


def chat_left(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    parts = client.chat.completions.create(
        messages=[{"role": "user", "content": "Explain the importance of fast language models"}],
        model="openai/gpt-oss-120b",
        stream=True,
    )
    return next(iter(parts))


FAST = {"model": "llama-3.3-70b-versatile", "usage": {"prompt_tokens": 700, "completion_tokens": 30}}
WISE = {"model": "openai/gpt-oss-120b", "usage": {"prompt_tokens": 300, "completion_tokens": 90}}
TOGETHER = {"prompt_tokens": 1000, "completion_tokens": 120, "total_tokens": 1120}
SEARCH = {"index": 0, "type": "search", "arguments": '{"query": "weather"}', "output": "Rain."}
COMPOUND = ID | {
    "model": "groq/compound",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Rain.", "executed_tools": [SEARCH]},
            "finish_reason": "stop",
        }
    ],
    "usage": TOGETHER,
    "usage_breakdown": {"models": [FAST, WISE]},
}
COMPOUND_EVENTS = (
    _chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_1"}),
    _chunk({"executed_tools": [SEARCH | {"output": None}]}),
    _chunk({"executed_tools": [SEARCH]}),
    _chunk({"content": "Rain."}),
    _chunk({}, "stop", x_groq={"id": "req_1", "usage": TOGETHER}, usage_breakdown={"models": [FAST, WISE]}),
    b"data: [DONE]\n\n",
)
SOUND = Answer(200, {"content-type": "audio/wav"}, (b"RIFF", b"\xff\x00\n\x00"))


def compound(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    return client.chat.completions.create(
        messages=[{"role": "user", "content": "What is the weather in Tokyo?"}], model="groq/compound"
    )


def compound_streamed(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    parts = client.chat.completions.create(
        messages=[{"role": "user", "content": "What is the weather in Tokyo?"}], model="groq/compound", stream=True
    )
    return list(parts)


def transcription(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    return client.audio.transcriptions.create(
        model="whisper-large-v3-turbo", file=("audio.m4a", io.BytesIO(b"sound")), response_format="verbose_json"
    )


async def translation(url: str) -> Any:
    from groq import AsyncGroq

    client = AsyncGroq(api_key="-", base_url=url)
    return await client.audio.translations.create(model="whisper-large-v3", file=("audio.m4a", b"sound"))


def speech(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    spoken = client.audio.speech.create(
        model="canopylabs/orpheus-v1-english", voice="austin", input="Welcome home.", response_format="wav"
    )
    return spoken.read()


def embeddings(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    return client.embeddings.create(model="nomic-embed-text-v1_5", input="The quick brown fox")


def batch(url: str) -> Any:
    from groq import Groq

    client = Groq(api_key="-", base_url=url)
    job = client.batches.create(completion_window="24h", endpoint="/v1/chat/completions", input_file_id="file_1")
    job = client.batches.retrieve(job.id)
    return client.files.content(job.output_file_id).text()


def _has(module: str, resource: str) -> Callable[[], bool]:
    return lambda: hasattr(import_module(f"groq.resources{module}"), resource)


BOTH = call({"input_text": 1000, "output_text": 120}, meters={"web_search": 1})
UNSAID = call({}, source="missing")
BATCH = {"id": "batch_1", "object": "batch", "status": "validating"}
EMBEDDED = {
    "object": "list",
    "model": "nomic-embed-text-v1_5",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
    "usage": {"prompt_tokens": 6, "total_tokens": 6},
}
OVER = {"status": "completed", "output_file_id": "file_2"}


def _line(body: Any, status: int = 200) -> bytes:
    return json.dumps({"custom_id": "one", "response": {"status_code": status, "body": body}}).encode() + b"\n"


REFUSED = {"error": {"type": "invalid_request_error", "message": "No."}}
FILE = Answer(parts=(_line(ANSWER), _line(REFUSED, 400), _line({"text": "Hello."})))
LIST = call({}, scope="aggregate", billable="false")
ONE, UNCOUNTED = call(TOKENS, [], scope="retrieve"), call({}, [], scope="retrieve", source="missing")

CLIENT = Client(
    library="groq",
    module="groq",
    quickstarts=(
        Quickstart("chat", chat, (reply(ANSWER),), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("chat async", chat_async, (reply(ANSWER),), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("chat after 429", chat, (refused(429, **AT_ONCE), reply(ANSWER)), (call(TOKENS, [429, 200]),)),
        Quickstart("chat left", chat_left, (stream(EVENTS),), (call({}, source="missing", end=LEFT),)),
        Quickstart("chat denied", chat, (refused(401),), (failed([401], "AuthenticationError"),)),
        Quickstart("compound", compound, (reply(COMPOUND),), (BOTH,)),
        Quickstart("compound streamed", compound_streamed, (stream(COMPOUND_EVENTS),), (BOTH | {"end": "complete"},)),
        Quickstart(
            "transcription",
            transcription,
            (reply({"text": "Hello.", "duration": 12.25}),),
            (call({}, meters={"audio_seconds": 12.25}),),
        ),
        Quickstart("translation uncounted async", translation, (reply({"text": "Hello."}),), (UNSAID,)),
        Quickstart("speech", speech, (SOUND,), (call({}, meters={"characters": 13}),), needs=_has(".audio", "Speech")),
        Quickstart("embeddings", embeddings, (reply(EMBEDDED),), (call({"input_text": 6}),)),
        Quickstart(
            "batch", batch, (reply(BATCH), reply(BATCH | OVER), FILE), (ONE, UNCOUNTED, LIST), needs=_has("", "Batches")
        ),
    ),
    reported=(
        "all, streamed too; cache reads; reasoning; models and tools of compound systems; seconds and characters; "
        "the results of batches when they are read"
    ),
    missing="transcripts without their length; batches whose results nobody reads; what was left before its end",
)
