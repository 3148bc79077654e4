"""The quick starts of `ollama`."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from shapes.api import LEFT, call, failed
from shapes.provider import Answer, refused, reply

from quickstarts.quickstart import Client, Quickstart

TIMES = {"total_duration": 5_043_500_667, "load_duration": 5_025_959, "eval_duration": 4_709_213_000}
DONE = {"model": "gemma3", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop"} | TIMES
COUNTS = {"prompt_eval_count": 26, "prompt_eval_cached_count": 10, "eval_count": 298}
TOKENS = {"input_text": 16, "cache_read": 10, "output_text": 298}
CHAT = DONE | COUNTS | {"message": {"role": "assistant", "content": "Rayleigh."}}
THOUGHT = CHAT | {"message": {"role": "assistant", "thinking": "Light scatters.", "content": "Rayleigh."}}
GENERATED = DONE | COUNTS | {"response": "Rayleigh."}
EMBEDDED = {"model": "gemma3", "embeddings": [[0.01, -0.02]], "total_duration": 14, "prompt_eval_count": 8}
SCORED = {
    "model": "systemone",
    "answers": {"spam": {"type": "noul", "noul": 0.99}},
    "usage": {"input_tokens": 21, "output_tokens": 1},
}
LARGE = EMBEDDED | {"embeddings": [[0.125] * 4096]}
QUESTION = [{"role": "user", "content": "Why is the sky blue?"}]


def _lines(*parts: dict[str, Any]) -> Answer:
    return Answer(200, {"content-type": "application/x-ndjson"}, tuple(_line(part) for part in parts))


def _line(part: dict[str, Any]) -> bytes:
    return json.dumps(part).encode() + b"\n"


def _open(**content: Any) -> dict[str, Any]:
    return {"model": "gemma3", "created_at": "2026-01-01T00:00:00Z", "done": False} | content


CHATTED = _lines(
    _open(message={"role": "assistant", "content": "Ray"}),
    _open(message={"role": "assistant", "content": "leigh."}),
    CHAT | {"message": {"role": "assistant", "content": ""}},
)
GENERATED_LINES = _lines(_open(response="Ray"), _open(response="leigh."), GENERATED | {"response": ""})
BROKEN = _lines(_open(message={"role": "assistant", "content": "Ray"}), {"error": "an error was encountered"})


def _at(url: str) -> Any:
    """The module, whose functions share a client that was made when it was imported."""
    import ollama

    ollama.chat.__self__._client.base_url = url
    return ollama


def chat(url: str) -> Any:
    return _at(url).chat(model="gemma3", messages=QUESTION)


def chat_streamed(url: str) -> Any:
    return list(_at(url).chat(model="gemma3", messages=QUESTION, stream=True))


def chat_left(url: str) -> Any:
    return next(_at(url).chat(model="gemma3", messages=QUESTION, stream=True))


def generate(url: str) -> Any:
    return _at(url).generate(model="gemma3", prompt="Why is the sky blue?")


def generate_streamed(url: str) -> Any:
    from ollama import Client

    return list(Client(host=url).generate(model="gemma3", prompt="Why is the sky blue?", stream=True))


def embed(url: str) -> Any:
    return _at(url).embed(model="gemma3", input="The sky is blue because of rayleigh scattering")


def embeddings(url: str) -> Any:
    return _at(url).embeddings(model="gemma3", prompt="The sky is blue because of rayleigh scattering")


def models(url: str) -> Any:
    return _at(url).list()


async def chat_async(url: str) -> Any:
    from ollama import AsyncClient

    return await AsyncClient(host=url).chat(model="gemma3", messages=QUESTION)


async def chat_async_streamed(url: str) -> Any:
    from ollama import AsyncClient

    parts = await AsyncClient(host=url).chat(model="gemma3", messages=QUESTION, stream=True)
    return [part async for part in parts]


async def chat_async_left(url: str) -> Any:
    from ollama import AsyncClient

    async with aclosing(await AsyncClient(host=url).chat(model="gemma3", messages=QUESTION, stream=True)) as parts:
        return await anext(parts)


def system_one(url: str) -> Any:
    question = {"type": "noul", "instructions": "Is it spam?"}
    return _at(url).systemone(model="systemone", state="You have won!", questions={"spam": question})


def _has_system_one() -> bool:
    from ollama import Client

    return hasattr(Client, "systemone")


async def embed_async(url: str) -> Any:
    from ollama import AsyncClient

    return await AsyncClient(host=url).embed(model="gemma3", input=["The sky is blue"])


HELD = replace(CHATTED, parts=CHATTED.parts[:1], hangs=True)
MISSING = call({}, source="missing", end=LEFT)

CLIENT = Client(
    library="ollama",
    module="ollama",
    quickstarts=(
        Quickstart("chat", chat, (reply(CHAT),), (call(TOKENS),)),
        Quickstart("chat thinking", chat, (reply(THOUGHT),), (call(TOKENS),)),
        Quickstart("chat streamed", chat_streamed, (CHATTED,), (call(TOKENS, end="complete"),)),
        Quickstart("chat left early", chat_left, (HELD,), (MISSING,)),
        Quickstart("chat broken", chat_streamed, (BROKEN,), (call({}, source="missing", end="failed", error="error"),)),
        Quickstart("chat refused", chat, (refused(404),), (failed([404], "ResponseError"),)),
        Quickstart("chat streamed refused", chat_streamed, (refused(404),), (failed([404], "ResponseError"),)),
        Quickstart("chat async", chat_async, (reply(CHAT),), (call(TOKENS),)),
        Quickstart("chat async streamed", chat_async_streamed, (CHATTED,), (call(TOKENS, end="complete"),)),
        Quickstart("chat async left early", chat_async_left, (HELD,), (MISSING,)),
        Quickstart("generate", generate, (reply(GENERATED),), (call(TOKENS),)),
        Quickstart("generate streamed", generate_streamed, (GENERATED_LINES,), (call(TOKENS, end="complete"),)),
        Quickstart("embed", embed, (reply(EMBEDDED),), (call({"input_text": 8}),)),
        Quickstart("embed, many vectors", embed, (reply(LARGE),), (call({"input_text": 8}),)),
        Quickstart("embed async", embed_async, (reply(EMBEDDED),), (call({"input_text": 8}),)),
        Quickstart("embeddings", embeddings, (reply({"embedding": [0.01, -0.02]}),), (call({}, source="missing"),)),
        Quickstart(
            "systemone",
            system_one,
            (reply(SCORED),),
            (call({"input_text": 21, "output_text": 1}),),
            needs=_has_system_one,
        ),
        Quickstart("list", models, (reply({"models": []}),), ()),
    ),
    reported="all, streamed too; cache reads",
    missing="reasoning is counted with the output (`reasoning.source` unknown); the legacy `embeddings` reports nothing",
)
