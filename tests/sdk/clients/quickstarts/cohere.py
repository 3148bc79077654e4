"""The quick starts of `cohere`, v2 and v1."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from operator import attrgetter
from typing import Any

from shapes.api import LEFT, call, failed, named
from shapes.provider import AT_ONCE, Answer, refused, reply, stream

from quickstarts import cohere_platforms
from quickstarts.quickstart import Client, Quickstart

MODEL = "command-a-03-2025"
BILLED = {"input_tokens": 147, "output_tokens": 66}
USAGE = {
    "billed_units": BILLED,
    "tokens": {"input_tokens": 510, "output_tokens": 99, "reasoning_tokens": 29},
    "cached_tokens": 44,
}
TOKENS = {"input_text": 103, "cache_read": 44, "output_text": 37, "output_reasoning": 29}
MESSAGES = [{"role": "user", "content": "hello world!"}]
CHAT = {
    "id": "c14c80c3",
    "message": {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "A greeting."}, {"type": "text", "text": "Hello!"}],
    },
    "finish_reason": "COMPLETE",
    "usage": USAGE,
}
_CONTENT = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello!"}}}}
EVENTS = (
    named({"type": "message-start", "id": "c14c80c3", "delta": {"message": {"role": "assistant", "content": []}}}),
    named({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
    named(_CONTENT),
    named({"type": "content-end", "index": 0}),
    named({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}}),
    b"data: [DONE]\n\n",
)
META = {"api_version": {"version": "1"}, "billed_units": {"input_tokens": 5, "output_tokens": 7}}
V1_TOKENS = {"input_text": 5, "output_text": 7}
V1 = {"response_id": "r-1", "generation_id": "g-1", "text": "Hello!", "finish_reason": "COMPLETE", "meta": META}
LINES = (
    {"is_finished": False, "event_type": "stream-start", "generation_id": "g-1"},
    {"is_finished": False, "event_type": "text-generation", "text": "Hello!"},
    {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": V1},
)
V1_STREAM = Answer(
    200, {"content-type": "application/stream+json"}, tuple(json.dumps(line).encode() + b"\n" for line in LINES)
)
GENERATED = {"id": "g-1", "generations": [{"id": "1", "text": "They guess."}], "meta": META}
GENERATION = Answer(
    200,
    {"content-type": "application/stream+json"},
    tuple(
        json.dumps(line).encode() + b"\n"
        for line in (
            {"is_finished": False, "event_type": "text-generation", "text": "They guess."},
            {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"id": "g-1"}},
        )
    ),
)
CLASSIFIED = {
    "id": "c-1",
    "classifications": [{"id": "1", "classification_type": "single-label", "predictions": [], "confidences": []}],
    "meta": {"api_version": {"version": "1"}, "billed_units": {"classifications": 1}},
}
VECTOR = [0.125] * 4096
EMBEDDED = {
    "id": "e-1",
    "response_type": "embeddings_by_type",
    "embeddings": {"float": [VECTOR]},
    "texts": ["hello"],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 2}},
}
PICTURED = EMBEDDED | {"meta": {"billed_units": {"input_tokens": 300, "text_tokens": 42, "image_tokens": 258}}}
RANKED = {
    "id": "k-1",
    "results": [{"index": 3, "relevance_score": 0.999}],
    "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
}
PARSED = {"id": "p-1", "result": "", "pages": [], "meta": {"billed_units": {"pages": 3}}}


def chat(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    return co.chat(model=MODEL, messages=MESSAGES)


def chat_retried(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    return co.chat(model=MODEL, messages=MESSAGES, request_options={"max_retries": 2})


def chat_streamed(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    return list(co.chat_stream(model=MODEL, messages=MESSAGES))


def chat_left(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    return next(co.chat_stream(model=MODEL, messages=MESSAGES))


def embed(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    return co.embed(model="embed-v4.0", texts=["hello"], input_type="classification", embedding_types=["float"])


def rerank(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    documents = ["Carson City is the capital city of Nevada.", "Washington, D.C. is the capital of the United States."]
    return co.rerank(model="rerank-v4.0-pro", query="What is the capital?", documents=documents, top_n=3)


def chat_v1(url: str) -> Any:
    import cohere

    co = cohere.Client(api_key="-", base_url=url)
    return co.chat(model=MODEL, message="hello world!")


def chat_v1_streamed(url: str) -> Any:
    import cohere

    co = cohere.Client(api_key="-", base_url=url)
    return list(co.chat_stream(model=MODEL, message="hello world!"))


def generate(url: str) -> Any:
    import cohere

    return cohere.Client(api_key="-", base_url=url).generate(prompt="Please explain to me how LLMs work")


def generate_streamed(url: str) -> Any:
    import cohere

    return list(cohere.Client(api_key="-", base_url=url).generate_stream(prompt="Please explain to me how LLMs work"))


def summarize(url: str) -> Any:
    import cohere

    return cohere.Client(api_key="-", base_url=url).summarize(text="Ice cream is a sweetened frozen food.")


def classify(url: str) -> Any:
    import cohere

    return cohere.Client(api_key="-", base_url=url).classify(inputs=["Confirm your email"], model="embed-english-v3.0")


async def transcribe(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    file = ("audio.mp3", b"RIFF", "audio/mpeg")
    return await co.audio.transcriptions.create(model="cohere-transcribe", language="en", file=file)


def parse(url: str) -> Any:
    import cohere

    co = cohere.ClientV2(api_key="-", base_url=url)
    document = {"type": "image_url", "image_url": {"url": "https://example.com/invoice.png"}}
    return co.parse(model="parse-v1", document=document)


def _has(name: str) -> Callable[[], bool]:
    """Whether a client of this release can do it."""

    def found() -> bool:
        import cohere

        try:
            attrgetter(name)(cohere.ClientV2(api_key="-"))
        except AttributeError:
            return False
        return True

    return found


def tokenize(url: str) -> Any:
    import cohere

    return cohere.Client(api_key="-", base_url=url).tokenize(text="hello", model=MODEL, offline=False)


async def chat_async(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    return await co.chat(model=MODEL, messages=MESSAGES)


async def chat_async_retried(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    return await co.chat(model=MODEL, messages=MESSAGES, request_options={"max_retries": 2})


async def chat_async_streamed(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    return [event async for event in co.chat_stream(model=MODEL, messages=MESSAGES)]


async def chat_async_left(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    events = co.chat_stream(model=MODEL, messages=MESSAGES)
    async with aclosing(events):
        return await anext(events)


async def embed_async(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    return await co.embed(model="embed-v4.0", texts=["hi"], input_type="search_query", embedding_types=["float"])


async def rerank_async(url: str) -> Any:
    import cohere

    co = cohere.AsyncClientV2(api_key="-", base_url=url)
    return await co.rerank(model="rerank-v4.0-pro", query="What is the capital?", documents=["Carson City"])


UNSAID = call({}, source="missing")
HELD = stream(EVENTS[:3], hangs=True)
MISSING = call({}, source="missing", end=LEFT)
BUSY = (refused(429, **AT_ONCE), reply(CHAT))

CLIENT = Client(
    library="cohere",
    module="cohere",
    quickstarts=(
        Quickstart("chat", chat, (reply(CHAT),), (call(TOKENS),)),
        Quickstart("chat retried", chat_retried, BUSY, (call(TOKENS, [429, 200]),)),
        Quickstart("chat refused", chat, (refused(401),), (failed([401], "401"),)),
        Quickstart("chat streamed", chat_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("chat left early", chat_left, (HELD,), (MISSING,)),
        Quickstart("chat streamed refused", chat_streamed, (refused(401),), (failed([401], "UnauthorizedError"),)),
        Quickstart("chat async", chat_async, (reply(CHAT),), (call(TOKENS),)),
        Quickstart("chat async retried", chat_async_retried, BUSY, (call(TOKENS, [429, 200]),)),
        Quickstart("chat async streamed", chat_async_streamed, (stream(EVENTS),), (call(TOKENS, end="complete"),)),
        Quickstart("chat async left early", chat_async_left, (HELD,), (MISSING,)),
        Quickstart("chat v1", chat_v1, (reply(V1),), (call(V1_TOKENS),)),
        Quickstart("chat v1 streamed", chat_v1_streamed, (V1_STREAM,), (call(V1_TOKENS, end="complete"),)),
        Quickstart("embed", embed, (reply(EMBEDDED),), (call({"input_text": 2}),)),
        Quickstart("embed, images", embed, (reply(PICTURED),), (call({"input_text": 42, "input_image": 258}),)),
        Quickstart("embed async", embed_async, (reply(EMBEDDED),), (call({"input_text": 2}),)),
        Quickstart("rerank", rerank, (reply(RANKED),), (call({}, meters={"search_units": 1}),)),
        Quickstart("rerank async", rerank_async, (reply(RANKED),), (call({}, meters={"search_units": 1}),)),
        Quickstart("parse", parse, (reply(PARSED),), (call({}, meters={"pages": 3}),), needs=_has("parse")),
        Quickstart("generate", generate, (reply(GENERATED),), (call(V1_TOKENS),)),
        Quickstart("generate streamed", generate_streamed, (GENERATION,), (UNSAID | {"end": "complete"},)),
        Quickstart("summarize", summarize, (reply({"id": "s-1", "summary": "-", "meta": META}),), (call(V1_TOKENS),)),
        Quickstart("classify", classify, (reply(CLASSIFIED),), (UNSAID,)),
        Quickstart(
            "transcription async",
            transcribe,
            (reply({"text": "Hello."}),),
            (UNSAID,),
            needs=_has("audio.transcriptions"),
        ),
        *cohere_platforms.QUICKSTARTS,
        Quickstart("tokenize", tokenize, (reply({"tokens": [1], "token_strings": ["hello"]}),), ()),
    ),
    reported="what is billed, streamed too, at Bedrock and Oracle as well; reasoning; cache reads; search units; pages",
    missing=(
        "transcriptions; classifications, whose units have no meter; legacy streams of `generate`; models at SageMaker, "
        "and at Oracle in streams of v1"
    ),
)
