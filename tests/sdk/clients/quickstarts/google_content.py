"""The quick starts of `client.models` and `client.chats` of `google-genai`: text and embeddings."""

from __future__ import annotations

from typing import Any

from shapes.api import LEFT, call, data, failed
from shapes.provider import refused, reply, stream

from quickstarts.google_clients import gemini, vertex
from quickstarts.quickstart import Quickstart

MODEL = "gemini-3.8-flash"
# 210 in all: 120 of prompt, of which 40 were cached, 10 that a tool gave, 50 of answer, 30 of thought.
USAGE = {
    "promptTokenCount": 120,
    "cachedContentTokenCount": 40,
    "toolUsePromptTokenCount": 10,
    "candidatesTokenCount": 50,
    "thoughtsTokenCount": 30,
    "totalTokenCount": 210,
}
TOKENS = {"input_text": 80, "cache_read": 40, "tool_use_prompt": 10, "output_text": 50, "output_reasoning": 30}
BEGUN = {"promptTokenCount": 120, "cachedContentTokenCount": 40, "totalTokenCount": 120}


def _body(part: dict[str, Any], usage: dict[str, int] = USAGE, finish: str | None = "STOP", **more: Any) -> Any:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}} | more
    told = candidate | ({"finishReason": finish} if finish else {})
    return {"responseId": "r-1", "modelVersion": MODEL, "candidates": [told], "usageMetadata": usage}


SAID = {"text": "It learns from data."}
WHOLE = reply(_body(SAID))
EVENTS = (data(_body(SAID, BEGUN, None)), data(_body(SAID)))
STREAM = stream(EVENTS)
ASKS = reply(_body({"functionCall": {"name": "get_current_weather", "args": {"location": "Boston"}}}))
QUERIES = {"webSearchQueries": ["euro 2028 host", "euro 2028 final"], "groundingChunks": [{"web": {"uri": "u"}}]}
GROUNDED = reply(_body(SAID, groundingMetadata=QUERIES))
VECTOR = reply({"embeddings": [{"values": [0.5]}], "usageMetadata": {"promptTokenCount": 7}})
STATISTICS = {"token_count": 7, "truncated": False}
PREDICTED = reply({"predictions": [{"embeddings": {"values": [0.5], "statistics": STATISTICS}}]})


def get_current_weather(location: str) -> str:
    """Returns the current weather."""
    return f"sunny in {location}"


def generate(url: str) -> Any:
    client = gemini(url)
    return client.models.generate_content(model=MODEL, contents="Explain how AI works in a few words").text


def generate_streamed(url: str) -> Any:
    client = gemini(url)
    response = client.models.generate_content_stream(model=MODEL, contents=["Explain how AI works"])
    return [chunk.text for chunk in response]


def generate_left(url: str) -> Any:
    client = gemini(url)
    for chunk in client.models.generate_content_stream(model=MODEL, contents=["Explain how AI works"]):
        return chunk.text
    return None


async def generate_async(url: str) -> Any:
    client = gemini(url)
    return (await client.aio.models.generate_content(model=MODEL, contents="Tell me a story.")).text


async def generate_async_streamed(url: str) -> Any:
    client = gemini(url)
    chunks = await client.aio.models.generate_content_stream(model=MODEL, contents="Tell me a story.")
    return [chunk.text async for chunk in chunks]


def search(url: str) -> Any:
    from google.genai import types

    client = gemini(url)
    config = types.GenerateContentConfig(tools=[types.Tool(google_search=types.GoogleSearch())])
    return client.models.generate_content(model=MODEL, contents="Who hosts the euro 2028?", config=config).text


def functions(url: str) -> Any:
    from google.genai import types

    client = gemini(url)
    config = types.GenerateContentConfig(tools=[get_current_weather])
    return client.models.generate_content(model=MODEL, contents="What is the weather in Boston?", config=config).text


async def functions_async(url: str) -> Any:
    from google.genai import types

    client = gemini(url)
    config = types.GenerateContentConfig(tools=[get_current_weather])
    asked = "What is the weather in Boston?"
    return (await client.aio.models.generate_content(model=MODEL, contents=asked, config=config)).text


def chat(url: str) -> Any:
    client = gemini(url)
    chat = client.chats.create(model=MODEL)
    said = [chat.send_message("I have 2 dogs in my house.").text, chat.send_message("How many paws is that?").text]
    return said, [message.role for message in chat.get_history()]


def chat_streamed(url: str) -> Any:
    client = gemini(url)
    chat = client.chats.create(model=MODEL)
    return [chunk.text for chunk in chat.send_message_stream("I have 2 dogs in my house.")]


async def chat_async(url: str) -> Any:
    client = gemini(url)
    chat = client.aio.chats.create(model=MODEL)
    return (await chat.send_message("I have 2 dogs in my house.")).text


async def chat_async_streamed(url: str) -> Any:
    client = gemini(url)
    chat = client.aio.chats.create(model=MODEL)
    return [chunk.text async for chunk in await chat.send_message_stream("I have 2 dogs in my house.")]


def embed(url: str) -> Any:
    client = gemini(url)
    return client.models.embed_content(model="gemini-embedding-2", contents="What is the meaning of life?").embeddings


async def embed_async(url: str) -> Any:
    client = gemini(url)
    asked = "What is the meaning of life?"
    return (await client.aio.models.embed_content(model="gemini-embedding-2", contents=asked)).embeddings


def at_vertex(url: str) -> Any:
    client = vertex(url)
    return client.models.generate_content(model=MODEL, contents="How does AI work?").text


async def at_vertex_async(url: str) -> Any:
    client = vertex(url)
    return (await client.aio.models.generate_content(model=MODEL, contents="How does AI work?")).text


def at_vertex_streamed(url: str) -> Any:
    client = vertex(url)
    return [chunk.text for chunk in client.models.generate_content_stream(model=MODEL, contents="How does AI work?")]


def embed_at_vertex(url: str) -> Any:
    client = vertex(url)
    return client.models.embed_content(model="text-embedding-005", contents="How do I get a licence?").embeddings


COUNTED = (call(TOKENS),)
STREAMED = (call(TOKENS, end="complete"),)
TURNED_AWAY = (failed([429], "ClientError"),)
BROKEN_OFF = (call({"input_text": 80, "cache_read": 40}, source="partial_stream", end=LEFT),)
EMBEDDED = (call({"input_text": 7}),)

QUICKSTARTS = (
    Quickstart("generate", generate, (WHOLE,), COUNTED),
    Quickstart("generate refused", generate, (refused(429),), TURNED_AWAY),
    Quickstart("generate streamed", generate_streamed, (STREAM,), STREAMED),
    Quickstart("generate left", generate_left, (STREAM,), BROKEN_OFF),
    Quickstart("generate async", generate_async, (WHOLE,), COUNTED),
    Quickstart("generate async refused", generate_async, (refused(429),), TURNED_AWAY),
    Quickstart("generate async streamed", generate_async_streamed, (STREAM,), STREAMED),
    Quickstart("search", search, (GROUNDED,), (call(TOKENS, meters={"web_search": 2}),)),
    Quickstart("functions", functions, (ASKS, WHOLE), COUNTED * 2),
    Quickstart("functions async", functions_async, (ASKS, WHOLE), COUNTED * 2),
    Quickstart("chat", chat, (WHOLE,), COUNTED * 2),
    Quickstart("chat streamed", chat_streamed, (STREAM,), STREAMED),
    Quickstart("chat async", chat_async, (WHOLE,), COUNTED),
    Quickstart("chat async streamed", chat_async_streamed, (STREAM,), STREAMED),
    Quickstart("embed", embed, (VECTOR,), EMBEDDED),
    Quickstart("embed async", embed_async, (VECTOR,), EMBEDDED),
    Quickstart("generate at Vertex AI", at_vertex, (WHOLE,), COUNTED),
    Quickstart("generate at Vertex AI async", at_vertex_async, (WHOLE,), COUNTED),
    Quickstart("generate at Vertex AI streamed", at_vertex_streamed, (STREAM,), STREAMED),
    Quickstart("embed at Vertex AI", embed_at_vertex, (PREDICTED,), EMBEDDED),
)
