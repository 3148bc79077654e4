"""The quick starts of `mistralai`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shapes.api import LEFT, call, failed
from shapes.provider import refused, reply, stream

from quickstarts import mistral_batches, mistral_others
from quickstarts.mistral_answers import (
    ANSWER,
    BROKEN,
    CONVERSATION,
    CONVERSED,
    EMBEDDED,
    EVENTS,
    HEARD,
    HEARD_TOKENS,
    JUDGED,
    MESSAGES,
    METERS,
    MODEL,
    READ,
    REASONED,
    TALK_TOKENS,
    TOKENS,
    TRANSCRIPT,
)
from quickstarts.quickstart import Client, Quickstart


def client(url: str, **more: Any) -> Any:
    try:
        from mistralai.client import Mistral
    except ImportError:
        from mistralai import Mistral  # As the first generation has it.
    return Mistral(api_key="-", server_url=url, **more)


def _patient(url: str) -> Any:
    try:
        from mistralai.client.utils import BackoffStrategy, RetryConfig
    except ImportError:
        from mistralai.utils import BackoffStrategy, RetryConfig
    return client(url, retry_config=RetryConfig("backoff", BackoffStrategy(1, 1, 1.0, 60_000), False))


def chat(url: str) -> Any:
    return client(url).chat.complete(model=MODEL, messages=MESSAGES)


def chat_retried(url: str) -> Any:
    return _patient(url).chat.complete(model=MODEL, messages=MESSAGES)


def chat_streamed(url: str) -> Any:
    return list(client(url).chat.stream(model=MODEL, messages=MESSAGES))


def chat_left(url: str) -> Any:
    return next(client(url).chat.stream(model=MODEL, messages=MESSAGES))


def agent(url: str) -> Any:
    return client(url).agents.complete(agent_id="ag-1", messages=MESSAGES)


def fim(url: str) -> Any:
    return client(url).fim.complete(model="codestral-latest", prompt="def f(", suffix="return a + b")


def embeddings(url: str) -> Any:
    return client(url).embeddings.create(model="mistral-embed", inputs=["Embed this sentence."])


def conversation(url: str) -> Any:
    return client(url).beta.conversations.start(agent_id="ag-1", inputs="Who won?")


def conversation_streamed(url: str) -> Any:
    return list(client(url).beta.conversations.start_stream(agent_id="ag-1", inputs="Who won?"))


def ocr(url: str) -> Any:
    document = {"type": "document_url", "document_url": "https://example.com/paper.pdf"}
    return client(url).ocr.process(model="mistral-ocr-latest", document=document)


def transcription(url: str) -> Any:
    file = {"content": b"RIFF", "file_name": "audio.mp3"}
    return client(url).audio.transcriptions.complete(model="voxtral-mini-latest", file=file)


def transcription_streamed(url: str) -> Any:
    file = {"content": b"RIFF", "file_name": "audio.mp3"}
    return list(client(url).audio.transcriptions.stream(model="voxtral-mini-latest", file=file))


def moderation(url: str) -> Any:
    return client(url).classifiers.moderate(model="mistral-moderation-latest", inputs=["…"])


def models(url: str) -> Any:
    return client(url).models.list()


async def chat_async(url: str) -> Any:
    return await client(url).chat.complete_async(model=MODEL, messages=MESSAGES)


async def chat_async_retried(url: str) -> Any:
    return await _patient(url).chat.complete_async(model=MODEL, messages=MESSAGES)


async def chat_async_streamed(url: str) -> Any:
    parts = await client(url).chat.stream_async(model=MODEL, messages=MESSAGES)
    return [part async for part in parts]


async def chat_async_left(url: str) -> Any:
    async with await client(url).chat.stream_async(model=MODEL, messages=MESSAGES) as parts:
        return await anext(parts)


async def embeddings_async(url: str) -> Any:
    return await client(url).embeddings.create_async(model="mistral-embed", inputs=["Embed this sentence."])


async def conversation_async(url: str) -> Any:
    return await client(url).beta.conversations.start_async(agent_id="ag-1", inputs="Who won?")


def has(*path: str) -> Callable[[], bool]:
    """Whether a client of this release has a resource."""

    def found() -> bool:
        resource = client("http://127.0.0.1:9")
        for name in path:
            resource = getattr(resource, name, None)
        return resource is not None

    return found


BUSY = (refused(429), reply(ANSWER))
HELD = stream(EVENTS[:2], hangs=True)
MISSING = call({}, source="missing", end=LEFT)
WHOLE = call(TOKENS)
RETRIED = call(TOKENS, [429, 200])
"""The first releases break their own second attempt."""
STREAMED = call(TOKENS, end="complete")
TALKED = call(TALK_TOKENS, meters=METERS)
UNTOLD = call({}, source="missing", end="failed", error="3000")
HEARD_CALL = call(HEARD_TOKENS, meters={"audio_seconds": 203})
HEARD_STREAM = call(HEARD_TOKENS, meters={"audio_seconds": 203}, end="complete")

CLIENT = Client(
    library="mistralai",
    module="mistralai",
    quickstarts=(
        Quickstart("chat", chat, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat thinking", chat, (reply(REASONED),), (WHOLE,), needs=has("ocr")),
        Quickstart("chat retried", chat_retried, BUSY, (RETRIED,), needs=has("beta")),
        Quickstart("chat refused", chat, (refused(401),), (failed([401], "401"),)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart("chat streamed refused", chat_streamed, (refused(401),), (failed([401], "401"),)),
        Quickstart("chat left early", chat_left, (HELD,), (MISSING,)),
        Quickstart("chat async", chat_async, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat async retried", chat_async_retried, BUSY, (RETRIED,), needs=has("beta")),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart("chat async left early", chat_async_left, (HELD,), (MISSING,), needs=has("beta")),
        Quickstart("agents", agent, (reply(ANSWER),), (WHOLE,)),
        Quickstart("fim", fim, (reply(ANSWER),), (WHOLE,)),
        Quickstart("embeddings", embeddings, (reply(EMBEDDED),), (call({"input_text": 15}),)),
        Quickstart("embeddings async", embeddings_async, (reply(EMBEDDED),), (call({"input_text": 15}),)),
        Quickstart("conversations", conversation, (reply(CONVERSED),), (TALKED,), needs=has("beta")),
        Quickstart("conversations async", conversation_async, (reply(CONVERSED),), (TALKED,), needs=has("beta")),
        Quickstart(
            "conversations streamed",
            conversation_streamed,
            (stream(CONVERSATION),),
            (TALKED | {"end": "complete"},),
            needs=has("beta"),
        ),
        Quickstart("conversations broken", conversation_streamed, (stream(BROKEN),), (UNTOLD,), needs=has("beta")),
        Quickstart("ocr", ocr, (reply(READ),), (call({}, meters={"pages": 29}),), needs=has("ocr")),
        Quickstart("transcriptions", transcription, (reply(HEARD),), (HEARD_CALL,), needs=has("audio")),
        Quickstart(
            "transcriptions streamed",
            transcription_streamed,
            (stream(TRANSCRIPT),),
            (HEARD_STREAM,),
            needs=has("audio"),
        ),
        Quickstart(
            "moderations", moderation, (reply(JUDGED),), (call({}, source="missing"),), needs=has("classifiers")
        ),
        Quickstart("models", models, (reply({"object": "list", "data": []}),), ()),
        *mistral_batches.quickstarts(has),
        *mistral_others.QUICKSTARTS,
    ),
    reported=(
        "all, streamed too; cache reads; connectors; pages; seconds of audio; the results of batches when they are read"
    ),
    missing=(
        "moderations and classifications report nothing; batches whose results nobody reads; reasoning is counted with "
        "the output where it is readable"
    ),
)
