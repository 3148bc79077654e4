"""The quick starts of `together`."""

from __future__ import annotations

import io
from typing import Any

from shapes.api import LEFT, call, data, failed
from shapes.provider import AT_ONCE, Answer, refused, reply, stream

from quickstarts import compatible, together_later
from quickstarts.quickstart import Client, Quickstart

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
TALK = [{"role": "user", "content": "Say this is a test!"}]
USAGE = {"prompt_tokens": 46, "completion_tokens": 42, "total_tokens": 88, "cached_tokens": 16}
TOKENS = {"input_text": 30, "cache_read": 16, "output_text": 42}
WHOLE = reply(compatible.completion(MODEL, USAGE))
EVENTS = stream(compatible.chunks(MODEL, USAGE))
VECTORS = {
    "object": "list",
    "model": "BAAI/bge-base-en-v1.5",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
}
COUNTED = {"usage": {"prompt_tokens": 9, "total_tokens": 9}}
RANKED = {
    "id": "ranked-1",
    "object": "rerank",
    "model": "Salesforce/Llama-Rank-V1",
    "results": [{"index": 0, "document": {"text": "Llamas"}, "relevance_score": 0.9}],
    "usage": {"prompt_tokens": 120, "completion_tokens": 0, "total_tokens": 120},
}
DRAWN = {
    "id": "drawn-1",
    "object": "list",
    "model": "black-forest-labs/FLUX.1-schnell",
    "data": [{"index": place, "type": "url", "url": f"http://127.0.0.1/{place}.png"} for place in range(2)],
}
SOUND = Answer(200, {"content-type": "audio/mpeg"}, (b"\xff\xfb\x90", b"\x00\n\x00"))
SAYING = {"object": "audio.tts.chunk", "model": "cartesia/sonic", "b64": "aGVsbG8="}
SAID = stream((data(SAYING), data(SAYING), b"data: [DONE]\n\n"))
HEARD = {"task": "transcribe", "language": "en", "duration": 3.5, "text": "Hello.", "segments": []}
JOB = {
    "id": "video-1",
    "object": "video",
    "model": "minimax/video-01-director",
    "status": "in_progress",
    "created_at": 1.0,
    "seconds": "6",
    "size": "1366x768",
}


def chat(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.chat.completions.create(messages=TALK, model=MODEL)


def chat_streamed(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return list(chunks)


async def chat_async(url: str) -> Any:
    from together import AsyncTogether

    client = AsyncTogether(api_key="-", base_url=url)
    return await client.chat.completions.create(messages=TALK, model=MODEL)


async def chat_async_streamed(url: str) -> Any:
    from together import AsyncTogether

    client = AsyncTogether(api_key="-", base_url=url)
    chunks = await client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return [chunk async for chunk in chunks]


def chat_left(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    chunks = client.chat.completions.create(messages=TALK, model=MODEL, stream=True)
    return next(iter(chunks))


def completion(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.completions.create(model=MODEL, prompt="The largest city in France is", max_tokens=1)


def embeddings(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.embeddings.create(model="BAAI/bge-base-en-v1.5", input="New York City")


def rerank(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.rerank.create(model="Salesforce/Llama-Rank-V1", query="What eats grass?", documents=["Llamas"])


async def images(url: str) -> Any:
    from together import AsyncTogether

    client = AsyncTogether(api_key="-", base_url=url)
    return await client.images.generate(model="black-forest-labs/FLUX.1-schnell", prompt="A cat", n=2)


def speech(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.audio.speech.create(model="cartesia/sonic", input="Hello, world!", voice="laidback woman").read()


def speech_streamed(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    sounds = client.audio.speech.create(
        model="cartesia/sonic", input="Hello, world!", voice="laidback woman", response_format="raw", stream=True
    )
    return list(sounds)


def transcription(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    sound = ("hello.mp3", io.BytesIO(b"sound"))
    return client.audio.transcriptions.create(
        model="openai/whisper-large-v3", file=sound, response_format="verbose_json"
    )


def translation(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.audio.translations.create(model="openai/whisper-large-v3", file=("hola.mp3", io.BytesIO(b"sound")))


def video(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    return client.videos.create(model="minimax/video-01-director", prompt="A serene sunset", seconds="6")


UNSAID = call({}, source="missing")

CLIENT = Client(
    library="together",
    module="together._base_client",
    quickstarts=(
        Quickstart("chat", chat, (WHOLE,), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, (EVENTS,), (call(TOKENS, end="complete"),)),
        Quickstart("chat async", chat_async, (WHOLE,), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (EVENTS,), (call(TOKENS, end="complete"),)),
        Quickstart("chat after 429", chat, (refused(429, **AT_ONCE), WHOLE), (call(TOKENS, [429, 200]),)),
        Quickstart("chat left", chat_left, (EVENTS,), (call({}, source="missing", end=LEFT),)),
        Quickstart("chat denied", chat, (refused(401),), (failed([401], "AuthenticationError"),)),
        Quickstart("completions", completion, (reply(compatible.text(MODEL, USAGE)),), (call(TOKENS),)),
        Quickstart("embeddings", embeddings, (reply(VECTORS | COUNTED),), (call({"input_text": 9}),)),
        Quickstart("embeddings uncounted", embeddings, (reply(VECTORS),), (UNSAID,)),
        Quickstart("rerank", rerank, (reply(RANKED),), (call({"input_text": 120}),)),
        Quickstart("images async", images, (reply(DRAWN),), (call({}, meters={"images": 2}),)),
        Quickstart("speech", speech, (SOUND,), (call({}, meters={"characters": 13}),)),
        Quickstart("speech streamed", speech_streamed, (SAID,), (call({}, meters={"characters": 13}, end="complete"),)),
        Quickstart("transcription", transcription, (reply(HEARD),), (call({}, meters={"audio_seconds": 3.5}),)),
        Quickstart("translation uncounted", translation, (reply({"text": "Hello."}),), (UNSAID,)),
        Quickstart("video", video, (reply(JOB),), (call({}, meters={"video_seconds": 6}, billable="unknown"),)),
        *together_later.QUICKSTARTS,
    ),
    reported=(
        "chat and completions, streamed too; cache reads; images, characters, seconds where they are what is billed, of "
        "realtime transcription too; the results of batches when they are read"
    ),
    missing=(
        "embeddings and transcripts that come without counts; batches whose results nobody reads; reasoning; what was "
        "left before its end"
    ),
)
