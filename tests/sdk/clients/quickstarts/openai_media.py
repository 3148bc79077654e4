"""The quick starts of `openai` for images, speech and transcription."""

from __future__ import annotations

import io
from typing import Any

from shapes.api import LEFT, call, data, failed, named
from shapes.provider import AT_ONCE, Answer, refused, reply, stream

from quickstarts.quickstart import Quickstart

PIXELS = "aGVsbG8="
DRAWN = {
    "total_tokens": 386,
    "input_tokens": 114,
    "output_tokens": 272,
    "input_tokens_details": {"text_tokens": 14, "image_tokens": 100},
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 272},
}
PICTURE = {"created": 1, "data": [{"b64_json": PIXELS}], "output_format": "png", "usage": DRAWN}
PAINTED = {"input_text": 14, "input_image": 100, "output_image": 272}
LINKS = {"created": 1, "data": [{"url": f"http://127.0.0.1/{number}.png"} for number in range(2)]}
FRAME = {"b64_json": PIXELS, "created_at": 1, "size": "1024x1024", "quality": "low", "background": "opaque"}
FRAMES = (
    named(FRAME | {"type": "image_generation.partial_image", "partial_image_index": 0}),
    named(FRAME | {"type": "image_generation.completed", "usage": DRAWN}),
)
EDITED = (
    named(FRAME | {"type": "image_edit.partial_image", "partial_image_index": 0}),
    named(FRAME | {"type": "image_edit.completed", "usage": DRAWN}),
)


def image(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.images.generate(model="gpt-image-1", prompt="A children's book drawing of a veterinarian")


def image_streamed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    events = client.images.generate(
        model="gpt-image-1", prompt="A river of owl feathers", stream=True, partial_images=1
    )
    return list(events)


async def image_edited(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    picture = ("lotion.png", b"\x89PNG\r\n", "image/png")
    return await client.images.edit(model="gpt-image-1", image=[picture], prompt="A gift basket")


def image_edit_streamed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    picture = ("lotion.png", b"\x89PNG\r\n", "image/png")
    events = client.images.edit(model="gpt-image-1", image=[picture], prompt="A gift basket", stream=True)
    return list(events)


def image_varied(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.images.create_variation(image=("cat.png", b"\x89PNG\r\n", "image/png"), n=2)


def image_counted(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.images.generate(model="dall-e-2", prompt="A white Siamese cat", size="1024x1024", n=2)


SOUND = Answer(200, {"content-type": "audio/mpeg"}, (b"\xff\xfb\x90", b"\x00\n\x00"))
SAID = (
    data({"type": "speech.audio.delta", "audio": PIXELS}),
    data(
        {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}},
    ),
)
FOX = "The quick brown fox"
FOX_CHARACTERS = {"characters": 19}


def speech(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.audio.speech.create(model="tts-1", voice="alloy", input=FOX).content


async def speech_async(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    return (await client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input=FOX)).content


def speech_streamed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=FOX) as response:
        return b"".join(response.iter_bytes())


def speech_left(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    with client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=FOX) as response:
        return next(response.iter_bytes())


def speech_in_events(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="coral", input=FOX, stream_format="sse"
    ) as response:
        return list(response.iter_lines())


def _sound() -> Any:
    recorded = io.BytesIO(b"RIFF")
    recorded.name = "speech.wav"
    return recorded


WORDS = "The quick brown fox."
HEARD = {
    "type": "tokens",
    "input_tokens": 37,
    "input_token_details": {"text_tokens": 3, "audio_tokens": 34},
    "output_tokens": 9,
    "total_tokens": 46,
}
LISTENED = {"input_text": 3, "input_audio": 34, "output_text": 9}
TRANSCRIPT = {"text": WORDS, "usage": HEARD}
TIMED = {"text": WORDS, "usage": {"type": "duration", "seconds": 4}}
LENGTH = {"audio_seconds": 4}
TEXT = Answer(200, {"content-type": "text/plain; charset=utf-8"}, (WORDS.encode() + b"\n",))
SPELT = (
    data({"type": "transcript.text.delta", "delta": WORDS}),
    data({"type": "transcript.text.done", "text": WORDS, "usage": HEARD}),
)
LONG = {"task": "translate", "language": "english", "duration": 4.25, "text": WORDS, "segments": []}


def transcription(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.audio.transcriptions.create(model="gpt-4o-transcribe", file=_sound())


async def transcription_async(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    return await client.audio.transcriptions.create(model="whisper-1", file=_sound())


def transcription_streamed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return list(client.audio.transcriptions.create(model="gpt-4o-mini-transcribe", file=_sound(), stream=True))


def transcription_as_text(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.audio.transcriptions.create(model="gpt-4o-transcribe", file=_sound(), response_format="text")


def translation(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.audio.translations.create(model="whisper-1", file=_sound(), response_format="verbose_json")


BUSY = refused(429, **AT_ONCE)
MISSING = call({}, source="missing")
CHARACTERS = call({}, meters=FOX_CHARACTERS)
STREAMED = call({}, end="complete", meters=FOX_CHARACTERS)

QUICKSTARTS = (
    Quickstart("images", image, (reply(PICTURE),), (call(PAINTED),)),
    Quickstart("images busy at first", image, (BUSY, reply(PICTURE)), (call(PAINTED, [429, 200]),)),
    Quickstart("images streamed", image_streamed, (stream(FRAMES),), (call(PAINTED, end="complete"),)),
    Quickstart("image edits async", image_edited, (reply(PICTURE),), (call(PAINTED),)),
    Quickstart("image edits streamed", image_edit_streamed, (stream(EDITED),), (call(PAINTED, end="complete"),)),
    Quickstart("image variations", image_varied, (reply(LINKS),), (call({}, meters={"images": 2}),)),
    Quickstart("images without tokens", image_counted, (reply(LINKS),), (call({}, meters={"images": 2}),)),
    Quickstart("speech", speech, (SOUND,), (CHARACTERS,)),
    Quickstart("speech refused", speech, (refused(400),), (failed([400], "BadRequestError"),)),
    Quickstart("speech streamed", speech_streamed, (SOUND,), (STREAMED,)),
    Quickstart("speech streamed and left", speech_left, (SOUND,), (STREAMED | {"end": LEFT},)),
    Quickstart("speech async billed by tokens", speech_async, (SOUND,), (MISSING,)),
    Quickstart(
        "speech in events",
        speech_in_events,
        (stream(SAID),),
        (call({"input_text": 14, "output_audio": 101}, end="complete"),),
    ),
    Quickstart("transcription", transcription, (reply(TRANSCRIPT),), (call(LISTENED),)),
    Quickstart(
        "transcription async billed by the second", transcription_async, (reply(TIMED),), (call({}, meters=LENGTH),)
    ),
    Quickstart("transcription streamed", transcription_streamed, (stream(SPELT),), (call(LISTENED, end="complete"),)),
    Quickstart("transcription as text", transcription_as_text, (TEXT,), (MISSING,)),
    Quickstart("translation", translation, (reply(LONG),), (call({}, meters={"audio_seconds": 4.25}),)),
)
