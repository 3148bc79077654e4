"""`openai`: chat completions and responses."""

from __future__ import annotations

import io
from typing import Any

from shapes import openai_chat, openai_others, openai_responses
from shapes.provider import reply
from shapes.shape import SYNC

from behaviour.door import Door, Settings


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    import openai

    kind = openai.OpenAI if settings.mode == SYNC else openai.AsyncOpenAI
    return kind(api_key="-", base_url=settings.url, max_retries=settings.retries, timeout=settings.timeout)


def _chat(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(**openai_chat.ASK, **more)


def _responses(client: Any, **more: Any) -> Any:
    return client.responses.create(**openai_responses.ASK, **more)


def _raw(resource: Any, ask: Any, streaming: Any) -> dict[str, Any]:
    return {
        "raw": lambda client: resource(client).with_raw_response.create(**ask),
        "raw stream": lambda client: resource(client).with_raw_response.create(**ask, **streaming),
        "streaming response": lambda client: resource(client).with_streaming_response.create(**ask),
        "streaming response stream": lambda client: resource(client).with_streaming_response.create(**ask, **streaming),
    }


WITH = openai_chat.WITH_USAGE
_OPTIONS = {"stream_options": {"include_usage": True}}
IMAGE = {
    "created": 1,
    "data": [{"b64_json": "AAAA"}],
    "usage": {
        "input_tokens": 11,
        "output_tokens": 1056,
        "total_tokens": 1067,
        "input_tokens_details": {"text_tokens": 11, "image_tokens": 0},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 1056},
    },
}
HEARD = {
    "text": "Hello.",
    "usage": {
        "type": "tokens",
        "input_tokens": 14,
        "output_tokens": 5,
        "total_tokens": 19,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
    },
}
_FILE = ("a.wav", io.BytesIO(b"RIFF"), "audio/wav")

CHAT = Door(
    name="openai chat",
    module="openai",
    client=client,
    ask=_chat,
    open=lambda client: _chat(client, **WITH),
    whole=openai_chat.body(),
    events=openai_chat.EVENTS,
    tokens=openai_chat.TOKENS,
    verbs={
        **_raw(lambda client: client.chat.completions, openai_chat.ASK, WITH),
        "parse": lambda client: client.chat.completions.parse(**openai_chat.ASK, response_format=openai_chat.Answered),
        "helper": lambda client: client.chat.completions.stream(**openai_chat.ASK, **_OPTIONS),
        "silent": lambda client: _chat(client, stream=True),
        "embed": lambda client: client.embeddings.create(model="text-embedding-3-small", input=["2+2?"] * 8),
        "draw": lambda client: client.images.generate(model="gpt-image-2", prompt="A sum."),
        "hear": lambda client: client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", b"RIFF")),
        "speak": lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="2+2"),
    },
    facts={
        "silent events": (*openai_chat.TALK, openai_chat.DONE),
        "error event": openai_chat.data({"error": {"message": "overloaded", "type": "server_error", "code": 500}}),
        "error": "server_error",
        "embed": (reply(openai_others.VECTORS), {"input_text": 100}),
        "draw": (reply(IMAGE), {"input_text": 11, "output_image": 1056}),
        "hear": (reply(HEARD), {"input_audio": 14, "output_text": 5}),
    },
)
_FAILED = {"error": {"code": "server_error", "message": "overloaded"}}
RESPONSES = Door(
    name="openai responses",
    module="openai",
    client=client,
    ask=_responses,
    open=lambda client: _responses(client, stream=True),
    whole=openai_responses.body(),
    events=openai_responses.events(),
    tokens=openai_responses.TOKENS,
    verbs={
        **_raw(lambda client: client.responses, openai_responses.ASK, {"stream": True}),
        "parse": lambda client: client.responses.parse(**openai_responses.ASK, text_format=openai_responses.Answered),
        "helper": lambda client: client.responses.stream(**openai_responses.ASK),
        "in background": lambda client: _responses(client, background=True),
        "retrieve": lambda client: client.responses.retrieve("resp_1"),
        "resume": lambda client: client.responses.retrieve("resp_1", stream=True, starting_after=2),
    },
    facts={
        "error event": openai_responses.events("response.failed", **_FAILED, usage=None)[-1],
        "error event with usage": openai_responses.events("response.failed", **_FAILED)[-1],
        "error": "server_error",
        "queued": openai_responses.body("queued", output=[], usage=None, background=True),
        "working": openai_responses.body("in_progress", output=[], usage=None, background=True),
        "done": openai_responses.body(background=True),
    },
)
