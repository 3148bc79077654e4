"""The quick starts of `huggingface_hub`'s inference client."""

from __future__ import annotations

import base64
from importlib.util import find_spec
from typing import Any

from shapes.api import LEFT, call, data, failed
from shapes.provider import Answer, refused, reply, stream

from quickstarts.quickstart import Client, Quickstart

MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
ID = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL, "system_fingerprint": "fp"}
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 9,
    "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
TOKENS = {"input_text": 16, "cache_read": 4, "output_text": 6, "output_reasoning": 3}
ANSWER = ID | {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def _chunk(content: str, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
    return data(ID | {"object": "chat.completion.chunk", "choices": [choice]} | more)


EVENTS = (_chunk("Pa"), _chunk("ris."), _chunk("", "stop", usage=USAGE), b"data: [DONE]\n\n")
SILENT = (_chunk("Pa"), _chunk("ris."), _chunk("", "stop"), b"data: [DONE]\n\n")
PREFILL = [{"id": 1, "text": word, "logprob": -1.0} for word in ("The", "huggingface_hub", "library", "is")]
DETAILS = {"finish_reason": "length", "generated_tokens": 12, "seed": None, "prefill": PREFILL, "tokens": []}
GENERATED = [{"generated_text": "100% open source", "details": DETAILS}]


def _token(text: str, **more: Any) -> bytes:
    token = {"id": 1, "text": text, "logprob": -1.0, "special": False}
    return data({"index": 1, "token": token, "generated_text": None, "details": None} | more)


COUNTS = {"finish_reason": "length", "generated_tokens": 2, "input_length": 5, "seed": None}
GENERATION = (_token("100%"), _token(" open", generated_text="100% open", details=COUNTS))
VECTORS = [[0.125] * 4096]


def _client(url: str) -> Any:
    from huggingface_hub import InferenceClient

    return InferenceClient(base_url=url, api_key="-")


def _async_client(url: str) -> Any:
    from huggingface_hub import AsyncInferenceClient

    return AsyncInferenceClient(base_url=url, api_key="-")


def chat(url: str) -> Any:
    return _client(url).chat.completions.create(model=MODEL, messages=MESSAGES)


def chat_completion(url: str) -> Any:
    return _client(url).chat_completion(MESSAGES)


def chat_streamed(url: str) -> Any:
    client = _client(url)
    parts = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    return list(parts)


def chat_silent(url: str) -> Any:
    client = _client(url)
    return list(client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))


def chat_left(url: str) -> Any:
    client = _client(url)
    return next(iter(client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)))


def generation(url: str) -> Any:
    return _client(url).text_generation("The huggingface_hub library is", max_new_tokens=12, details=True)


def generation_streamed(url: str) -> Any:
    client = _client(url)
    return list(client.text_generation("The huggingface_hub library is", max_new_tokens=12, stream=True))


def embeddings(url: str) -> Any:
    return _client(url).feature_extraction("Hi, who are you?").shape


def transcription(url: str) -> Any:
    return _client(url).automatic_speech_recognition(b"RIFF").text


def image(url: str) -> Any:
    return _client(url).text_to_image("An astronaut riding a horse on the moon.").size


def image_to_image(url: str) -> Any:
    return _client(url).image_to_image(PIXEL, prompt="turn the cat into a tiger").size


def summary(url: str) -> Any:
    return _client(url).summarization("The Eiffel tower stands in Paris, and is tall.").summary_text


def speech(url: str) -> Any:
    return _client(url).text_to_speech("Hello world")


async def chat_async(url: str) -> Any:
    return await _async_client(url).chat.completions.create(model=MODEL, messages=MESSAGES)


async def image_async(url: str) -> Any:
    return (await _async_client(url).text_to_image("An astronaut riding a horse on the moon.")).size


async def chat_async_streamed(url: str) -> Any:
    client = _async_client(url)
    parts = await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    return [part async for part in parts]


async def chat_async_left(url: str) -> Any:
    async with _async_client(url) as client:
        return await anext(await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))


async def generation_async(url: str) -> Any:
    client = _async_client(url)
    return await client.text_generation("The huggingface_hub library is", max_new_tokens=12, details=True)


def _has_numpy() -> bool:
    return find_spec("numpy") is not None


WHOLE = call(TOKENS)
STREAMED = call(TOKENS, end="complete")
UNTOLD = call({}, source="missing")
HELD = stream(EVENTS[:1], hangs=True)
SOUND = Answer(200, {"content-type": "audio/flac"}, (b"fLaC\x00\x00\x00\x22" * 64,))
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = Answer(200, {"content-type": "image/png"}, (PIXEL,))
SUMMARY = [{"summary_text": "A tall tower."}]
GENERATED_CALL = call({"input_text": 4, "output_text": 12})

CLIENT = Client(
    library="huggingface_hub",
    module="huggingface_hub",
    quickstarts=(
        Quickstart("chat", chat, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat_completion", chat_completion, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat refused", chat, (refused(429),), (failed([429], "HfHubHTTPError"),)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart("chat streamed, no usage", chat_silent, (stream(SILENT),), (UNTOLD | {"end": "complete"},)),
        Quickstart("chat streamed refused", chat_streamed, (refused(401),), (failed([401], "HfHubHTTPError"),)),
        Quickstart("chat left early", chat_left, (HELD,), (UNTOLD | {"end": LEFT},)),
        Quickstart("chat async", chat_async, (reply(ANSWER),), (WHOLE,)),
        Quickstart("chat async refused", chat_async, (refused(429),), (failed([429], "HfHubHTTPError"),)),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (STREAMED,)),
        Quickstart("chat async left early", chat_async_left, (HELD,), (UNTOLD | {"end": LEFT},)),
        Quickstart("text_generation", generation, (reply(GENERATED),), (GENERATED_CALL,)),
        Quickstart("text_generation async", generation_async, (reply(GENERATED),), (GENERATED_CALL,)),
        Quickstart(
            "text_generation streamed",
            generation_streamed,
            (stream(GENERATION),),
            (call({"input_text": 5, "output_text": 2}, end="complete"),),
        ),
        Quickstart("feature_extraction", embeddings, (reply(VECTORS),), (UNTOLD,), needs=_has_numpy),
        Quickstart("automatic_speech_recognition", transcription, (reply({"text": "Hi."}),), (UNTOLD,)),
        Quickstart("text_to_image", image, (PICTURE,), (UNTOLD,)),
        Quickstart("text_to_image async", image_async, (PICTURE,), (UNTOLD,)),
        Quickstart("image_to_image", image_to_image, (PICTURE,), (UNTOLD,)),
        Quickstart("summarization", summary, (reply(SUMMARY),), (UNTOLD,)),
        Quickstart("text_to_speech", speech, (SOUND,), (UNTOLD,)),
    ),
    reported="chat, streamed where `include_usage` is asked for; generated text where `details` are",
    missing="vectors, sound, pictures that come as bytes, and every task that is billed by the time it takes",
)
