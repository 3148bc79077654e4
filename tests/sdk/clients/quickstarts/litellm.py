"""The quick starts of `litellm`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from shapes.api import LEFT, call, failed
from shapes.provider import Answer, refused, reply, stream

from quickstarts.litellm_answers import (
    CHAT,
    CHAT_TOKENS,
    CHUNKS,
    COMPLETION,
    EVENTS,
    HEARD,
    LINKS,
    MESSAGE,
    MESSAGE_TOKENS,
    RANKED,
    RESPONSE,
    RESPONSE_EVENTS,
    SOUND,
    VECTORS,
)
from quickstarts.quickstart import Client, Quickstart

ASK = {"messages": [{"role": "user", "content": "Hello, how are you?"}], "api_key": "-"}


def _litellm() -> Any:
    # Or it fetches its prices from the network while it is imported.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    return litellm


def _text(response: Any) -> Any:
    return response.choices[0].message.content


def _texts(parts: Any) -> Any:
    return [part.choices[0].delta.content for part in parts if part.choices]


def chat(url: str) -> Any:
    return _text(_litellm().completion(model="openai/gpt-5", api_base=url, **ASK))


def chat_streamed(url: str) -> Any:
    usage = {"include_usage": True}
    return _texts(_litellm().completion(model="openai/gpt-5", api_base=url, stream=True, stream_options=usage, **ASK))


async def chat_async(url: str) -> Any:
    return _text(await _litellm().acompletion(model="openai/gpt-5", api_base=url, **ASK))


async def chat_async_streamed(url: str) -> Any:
    usage = {"include_usage": True}
    ask = {"stream": True, "stream_options": usage} | ASK
    parts = await _litellm().acompletion(model="openai/gpt-5", api_base=url, **ask)
    return _texts([part async for part in parts])


def messages(url: str) -> Any:
    return _text(_litellm().completion(model="anthropic/claude-sonnet-4-5", api_base=url, **ASK))


def messages_retried(url: str) -> Any:
    return _text(_litellm().completion(model="anthropic/claude-sonnet-4-5", api_base=url, num_retries=2, **ASK))


def messages_streamed(url: str) -> Any:
    return _texts(_litellm().completion(model="anthropic/claude-sonnet-4-5", api_base=url, stream=True, **ASK))


def messages_left(url: str) -> Any:
    return len(
        _texts([next(_litellm().completion(model="anthropic/claude-sonnet-4-5", api_base=url, stream=True, **ASK))])
    )


async def messages_async(url: str) -> Any:
    return _text(await _litellm().acompletion(model="anthropic/claude-sonnet-4-5", api_base=url, **ASK))


async def messages_async_streamed(url: str) -> Any:
    ask = {"stream": True, "stream_options": {"include_usage": True}} | ASK
    parts = await _litellm().acompletion(model="anthropic/claude-sonnet-4-5", api_base=url, **ask)
    return _texts([part async for part in parts])


def response(url: str) -> Any:
    return (
        _litellm().responses(model="openai/gpt-5", input="Hello", api_base=url, api_key="-").output[-1].content[0].text
    )


def response_streamed(url: str) -> Any:
    parts = _litellm().responses(model="openai/gpt-5", input="Hello", api_base=url, api_key="-", stream=True)
    return [str(part.type) for part in parts]


async def response_async_streamed(url: str) -> Any:
    ask = {"model": "openai/gpt-5", "input": "Hello", "api_base": url, "api_key": "-"}
    return [str(part.type) async for part in await _litellm().aresponses(stream=True, **ask)]


def completion(url: str) -> Any:
    ask = {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Hello", "api_base": url}
    return _litellm().text_completion(api_key="-", **ask).choices[0].text


async def response_async(url: str) -> Any:
    ask = {"model": "openai/gpt-5", "input": "Hello", "api_base": url, "api_key": "-"}
    return (await _litellm().aresponses(**ask)).output[-1].content[0].text


async def completion_async(url: str) -> Any:
    ask = {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Hello", "api_base": url}
    return (await _litellm().atext_completion(api_key="-", **ask)).choices[0].text


def image(url: str) -> Any:
    drawn = _litellm().image_generation(prompt="A cat", model="openai/dall-e-3", api_base=url, api_key="-")
    return [each.url for each in drawn.data]


async def image_async(url: str) -> Any:
    drawn = await _litellm().aimage_generation(prompt="A cat", model="openai/dall-e-3", api_base=url, api_key="-")
    return [each.url for each in drawn.data]


def _edit(url: str) -> dict[str, Any]:
    picture = io.BytesIO(b"\x89PNG\r\n")
    picture.name = "cat.png"
    return {"image": picture, "prompt": "A hat", "model": "openai/gpt-image-1", "api_base": url, "api_key": "-"}


def image_edit(url: str) -> Any:
    return [each.url for each in _litellm().image_edit(**_edit(url)).data]


async def image_edit_async(url: str) -> Any:
    return [each.url for each in (await _litellm().aimage_edit(**_edit(url))).data]


def _recording(url: str) -> dict[str, Any]:
    file = io.BytesIO(b"RIFF")
    file.name = "audio.mp3"
    return {"model": "openai/whisper-1", "file": file, "api_base": url, "api_key": "-"}


def transcription(url: str) -> Any:
    return _litellm().transcription(**_recording(url), response_format="verbose_json").text


async def transcription_async(url: str) -> Any:
    return (await _litellm().atranscription(**_recording(url), response_format="verbose_json")).text


SAY: dict[str, Any] = {"model": "openai/tts-1", "input": "Hello there.", "voice": "alloy", "api_key": "-"}


def speech(url: str) -> Any:
    return _litellm().speech(**SAY, api_base=url).content


async def speech_async(url: str) -> Any:
    return (await _litellm().aspeech(**SAY, api_base=url)).content


async def rerank_async(url: str) -> Any:
    ask = {"query": "What?", "documents": ["This.", "That."], "top_n": 1}
    return (await _litellm().arerank(model="cohere/rerank-v3.5", api_base=url, api_key="-", **ask)).results


def embedding(url: str) -> Any:
    found = _litellm().embedding(model="openai/text-embedding-3-small", input=["Hi"], api_base=url, api_key="-")
    return found.data[0]["embedding"]


async def embedding_async(url: str) -> Any:
    ask = {"model": "openai/text-embedding-3-small", "input": ["Hi"]}
    return (await _litellm().aembedding(api_base=url, api_key="-", **ask)).data[0]["embedding"]


def rerank(url: str) -> Any:
    ask = {"query": "What?", "documents": ["This.", "That."], "top_n": 1}
    return _litellm().rerank(model="cohere/rerank-v3.5", api_base=url, api_key="-", **ask).results


def chat_cached(url: str) -> Any:
    litellm = _litellm()
    from litellm.caching.caching import Cache

    litellm.cache = Cache(type="local")
    ask = {"model": "openai/gpt-5", "api_base": url} | ASK
    try:
        return [_text(litellm.completion(caching=True, **ask)) for _ in range(2)]
    finally:
        litellm.cache = None


def _can_keep() -> bool:
    """Whether it can answer out of its cache: newer releases import their proxy for that, which is an extra."""
    return version("litellm").startswith("1.80.") or find_spec("fastapi") is not None


def _router(url: str) -> Any:
    _litellm()
    from litellm import Router

    models = [
        {"model_name": "clever", "litellm_params": {"model": "openai/gpt-5", "api_base": url, "api_key": "-"}},
        {
            "model_name": "safe",
            "litellm_params": {"model": "anthropic/claude-sonnet-4-5", "api_base": url, "api_key": "-"},
        },
    ]
    return Router(model_list=models, fallbacks=[{"clever": ["safe"]}], num_retries=0)


def router(url: str) -> Any:
    return _text(_router(url).completion(model="clever", messages=ASK["messages"]))


async def router_async(url: str) -> Any:
    return _text(await _router(url).acompletion(model="clever", messages=ASK["messages"]))


def _aggregate(counted: Mapping[str, Any]) -> Mapping[str, Any]:
    """What litellm's own span says of a call that a client below it has made."""
    return {**counted, "scope": "aggregate", "attempts": []}


def _quickstarts() -> Iterator[Quickstart]:
    def case(name: str, run: Any, answers: Any, *calls: Any, **more: Any) -> Quickstart:
        return Quickstart(name, run, answers, calls, **more)

    whole, streamed = call(CHAT_TOKENS), call(CHAT_TOKENS, end="complete")
    own, own_streamed = call(MESSAGE_TOKENS), call(MESSAGE_TOKENS, end="complete")
    yield case("chat through openai", chat, (reply(CHAT),), whole, _aggregate(whole))
    yield case("chat through openai streamed", chat_streamed, (stream(CHUNKS),), streamed, _aggregate(streamed))
    yield case("chat through openai async", chat_async, (reply(CHAT),), whole, _aggregate(whole))
    yield case(
        "chat through openai async streamed", chat_async_streamed, (stream(CHUNKS),), streamed, _aggregate(streamed)
    )
    yield case("messages", messages, (reply(MESSAGE),), own)
    yield case("messages streamed", messages_streamed, (stream(EVENTS),), own_streamed)
    yield case("messages async", messages_async, (reply(MESSAGE),), own)
    yield case("messages async streamed", messages_async_streamed, (stream(EVENTS),), own_streamed)
    yield case("messages retried", messages_retried, (refused(500), reply(MESSAGE)), call(MESSAGE_TOKENS, [500, 200]))
    kept = call(CHAT_TOKENS, [], billable="false")
    yield case("chat out of its cache", chat_cached, (reply(CHAT),), whole, _aggregate(whole), kept, needs=_can_keep)
    left = call(MESSAGE_TOKENS | {"output_text": 1}, source="partial_stream", end=LEFT)
    yield case("messages stream left early", messages_left, (stream(EVENTS),), left)
    refusal = failed([400], "BadRequestError")
    yield case("messages refused", messages, (refused(400),), refusal)
    searched = {"meters": {"web_search": 1}}
    yield case("responses", response, (reply(RESPONSE),), call(CHAT_TOKENS, **searched))
    told = call(CHAT_TOKENS, end="complete", **searched)
    yield case("responses async", response_async, (reply(RESPONSE),), call(CHAT_TOKENS, **searched))
    yield case("responses streamed", response_streamed, (stream(RESPONSE_EVENTS),), told)
    yield case("responses async streamed", response_async_streamed, (stream(RESPONSE_EVENTS),), told)
    completed = call({"input_text": 5, "output_text": 7})
    yield case("text completion through openai", completion, (reply(COMPLETION),), completed, _aggregate(completed))
    yield case(
        "text completion through openai async",
        completion_async,
        (reply(COMPLETION),),
        completed,
        _aggregate(completed),
    )
    vectors = call({"input_text": 8})
    yield case("embeddings through openai", embedding, (reply(VECTORS),), vectors, _aggregate(vectors))
    yield case("embeddings through openai async", embedding_async, (reply(VECTORS),), vectors, _aggregate(vectors))
    yield case("rerank", rerank, (reply(RANKED),), call({}, meters={"search_units": 1}))
    yield case("rerank async", rerank_async, (reply(RANKED),), call({}, meters={"search_units": 1}))
    yield from _media(case)
    fallen: tuple[Answer, ...] = (refused(400), reply(MESSAGE))
    yield case("router with a fallback", router, fallen, refusal, _aggregate(refusal), own)
    yield case("router with a fallback async", router_async, fallen, refusal, _aggregate(refusal), own)


def _media(case: Callable[..., Quickstart]) -> Iterator[Quickstart]:
    drawn, heard = call({}, meters={"images": 2}), call({}, meters={"audio_seconds": 12.5})
    spoken = call({}, meters={"characters": 12})
    for kind, draws, hears, speaks, edits in (
        ("", image, transcription, speech, image_edit),
        (" async", image_async, transcription_async, speech_async, image_edit_async),
    ):
        yield case(f"images through openai{kind}", draws, (reply(LINKS),), drawn, _aggregate(drawn))
        yield case(f"image edits{kind}", edits, (reply(LINKS),), drawn)
        yield case(f"transcriptions through openai{kind}", hears, (reply(HEARD),), heard, _aggregate(heard))
        yield case(f"speech through openai{kind}", speaks, (SOUND,), spoken, _aggregate(spoken))


CLIENT = Client(
    library="litellm",
    module="litellm",
    quickstarts=tuple(_quickstarts()),
    reported="what its provider reports: cache reads and writes, reasoning, search units",
    missing="counts that litellm makes up of an answer that is not streamed are taken as reported",
)
