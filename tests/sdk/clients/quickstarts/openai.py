"""The quick starts of `openai`."""

from __future__ import annotations

from typing import Any

from shapes import openai_chat, openai_others, openai_responses
from shapes.api import call
from shapes.provider import reply, stream

from quickstarts import openai_connections, openai_jobs, openai_live, openai_media, openai_sockets
from quickstarts.quickstart import Client, Quickstart

PIRATE = "How do I check if a Python object is an instance of a class?"
TALK: Any = [{"role": "developer", "content": "Talk like a pirate."}, {"role": "user", "content": PIRATE}]


def responses(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.responses.create(
        model="gpt-5.5", instructions="You are a coding assistant that talks like a pirate.", input=PIRATE
    )


def responses_streamed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return list(
        client.responses.create(
            model="gpt-5.5", input="Write a one-sentence bedtime story about a unicorn.", stream=True
        )
    )


async def responses_async(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    return await client.responses.create(
        model="gpt-5.5", input="Explain disestablishmentarianism to a smart five year old."
    )


async def responses_async_streamed(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    events = await client.responses.create(
        model="gpt-5.5", input="Write a one-sentence bedtime story about a unicorn.", stream=True
    )
    return [event async for event in events]


def responses_in_background(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    asked = client.responses.create(model="gpt-5.5", input="Write a very long novel.", background=True)
    return [client.responses.retrieve(asked.id), client.responses.cancel(asked.id)]


def responses_compacted(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.responses.compact(model="gpt-5.5", input=[{"role": "user", "content": PIRATE}])


def _compacts() -> bool:
    import openai

    return hasattr(openai.OpenAI(api_key="-").responses, "compact")


def chat(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.chat.completions.create(model="gpt-5.5", messages=TALK)


async def chat_async_streamed(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    chunks = await client.chat.completions.create(
        model="gpt-5.5", messages=TALK, stream=True, stream_options={"include_usage": True}
    )
    return [chunk async for chunk in chunks]


def chat_at_azure(url: str) -> Any:
    from openai import AzureOpenAI

    client = AzureOpenAI(api_key="-", api_version="2024-10-21", azure_endpoint=url)
    return client.chat.completions.create(model="deployment", messages=TALK)


def embeddings(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.embeddings.create(
        input="Your text string goes here", model="text-embedding-3-small", encoding_format="float"
    )


CHAT, RESPONSES = openai_chat.API, openai_responses.API
BACKGROUND = (
    reply(openai_responses.body("queued", output=[], usage=None)),
    reply(openai_responses.body()),
    reply(openai_responses.body("cancelled")),
)
READ = call(openai_responses.TOKENS, scope="retrieve")
LATER = (call({}, source="missing"), READ, READ)
COMPACTED = reply(
    {
        "id": "resp_1",
        "object": "response.compaction",
        "created_at": 1,
        "output": [{"id": "cmp_1", "type": "compaction", "encrypted_content": "-"}],
        "usage": openai_responses.USAGE,
    }
)
WHOLE, EVENTS = reply(RESPONSES.whole), stream(RESPONSES.events)

CLIENT = Client(
    library="openai",
    module="openai",
    quickstarts=(
        Quickstart("responses", responses, (WHOLE,), (RESPONSES.counted,)),
        Quickstart("responses streamed", responses_streamed, (EVENTS,), (RESPONSES.streamed,)),
        Quickstart("responses async", responses_async, (WHOLE,), (RESPONSES.counted,)),
        Quickstart("responses async streamed", responses_async_streamed, (EVENTS,), (RESPONSES.streamed,)),
        Quickstart("responses in the background", responses_in_background, BACKGROUND, LATER),
        Quickstart("responses compacted", responses_compacted, (COMPACTED,), (RESPONSES.counted,), needs=_compacts),
        Quickstart("chat", chat, (reply(CHAT.whole),), (CHAT.counted,)),
        Quickstart("chat async streamed", chat_async_streamed, (stream(CHAT.events),), (CHAT.streamed,)),
        Quickstart("chat at Azure", chat_at_azure, (reply(CHAT.whole),), (CHAT.counted,)),
        Quickstart("embeddings", embeddings, (reply(openai_others.VECTORS),), (call(openai_others.TOKENS),)),
        *openai_media.QUICKSTARTS,
        *openai_jobs.QUICKSTARTS,
        *openai_sockets.QUICKSTARTS,
        *openai_live.QUICKSTARTS,
        *openai_connections.QUICKSTARTS,
    ),
    reported=(
        "all, by kind and with cache and reasoning; images, seconds and characters where they are what is billed; "
        "background responses, batches and runs when they are read"
    ),
    missing=(
        "chat streamed without `include_usage`; speech of `gpt-…-tts` other than in events; transcripts as plain text; "
        "realtime translation; what was left before its end"
    ),
)
