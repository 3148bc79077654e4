"""The quick starts of the interactions and decisions of `google-genai`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from shapes.api import LEFT, call, data
from shapes.provider import refused, reply, stream

from quickstarts.google_clients import gemini, vertex
from quickstarts.quickstart import Quickstart

MODEL = "gemini-3.5-flash"
# 100 of input, of which 40 were cached; 20 of output and 30 of thoughts beside it.
USAGE = {
    "total_tokens": 150,
    "total_input_tokens": 100,
    "total_cached_tokens": 40,
    "total_output_tokens": 20,
    "total_thought_tokens": 30,
    "total_tool_use_tokens": 0,
}
TOKENS = {"input_text": 60, "cache_read": 40, "output_text": 20, "output_reasoning": 30}
# After the first step of two.
FIRST_STEP = {"total_tokens": 110, "total_input_tokens": 100, "total_cached_tokens": 40, "total_output_tokens": 10}
BEGUN = {
    "id": "v1_1",
    "object": "interaction",
    "model": MODEL,
    "status": "in_progress",
    "created": "2026-01-01T00:00:00Z",
    "updated": "2026-01-01T00:00:00Z",
}
DONE = BEGUN | {
    "status": "completed",
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Why not?"}]}],
    "usage": USAGE,
}
ASKING = DONE | {
    "status": "requires_action",
    "steps": [{"type": "function_call", "id": "c-1", "name": "get_weather", "arguments": {"location": "Boston"}}],
}
HALF = DONE | {"status": "requires_continuation", "continuation_token": "t-1"}
FAILED = BEGUN | {"status": "failed", "errors": [{"code": 13, "message": "Oh."}]}
OPENED = data({"event_type": "interaction.created", "interaction": BEGUN})
STEPPED = data({"event_type": "step.stop", "index": 0, "usage": FIRST_STEP, "step_usage": FIRST_STEP})
CLOSED = data({"event_type": "interaction.completed", "interaction": DONE})
FAULT = data({"event_type": "error", "error": {"code": "internal", "message": "Oh."}})
EVENTS = stream((OPENED, STEPPED, CLOSED))


def interactions(url: str) -> Any:
    client = gemini(url)
    return client.interactions.create(model=MODEL, input="Tell me a short joke about programming.")


def interactions_raw(url: str) -> Any:
    client = gemini(url)
    return client.interactions.with_raw_response.create(model=MODEL, input="Tell me a short joke.").status_code


def interactions_streamed(url: str) -> Any:
    client = gemini(url)
    return list(client.interactions.create(model=MODEL, input="Tell me a short joke.", stream=True))


def interactions_left(url: str) -> Any:
    client = gemini(url)
    with client.interactions.create(model=MODEL, input="Tell me a short joke.", stream=True) as events:
        for event in events:
            if event.event_type == "step.stop":
                return event.index
    return None


async def interactions_async(url: str) -> Any:
    client = gemini(url)
    return await client.aio.interactions.create(model=MODEL, input="Tell me a short joke.")


async def interactions_async_streamed(url: str) -> Any:
    client = gemini(url)
    events = await client.aio.interactions.create(model=MODEL, input="Tell me a short joke.", stream=True)
    return [event async for event in events]


def interactions_in_the_background(url: str) -> Any:
    client = gemini(url)
    interaction = client.interactions.create(input="Research.", agent="deep-research-pro", background=True)
    while interaction.status == "in_progress":
        interaction = client.interactions.get(interaction.id)
    return interaction


async def interactions_in_the_background_async(url: str) -> Any:
    client = gemini(url)
    interaction = await client.aio.interactions.create(model=MODEL, input="Research.", background=True)
    return await client.aio.interactions.cancel(interaction.id)


def interactions_at_vertex(url: str) -> Any:
    client = vertex(url)
    return client.interactions.create(model=MODEL, input="Tell me a short joke.")


def decisions(url: str) -> Any:
    client = gemini(url)
    question = {"type": "choice", "instructions": "Which language?", "criteria": {"en": "English", "de": "German"}}
    return client.decisions.create(model=MODEL, input="Guten Tag", questions={"language": question})


def _has(module: str) -> bool:
    try:
        return find_spec(f"google.genai.{module}") is not None
    except ModuleNotFoundError:
        # Not every environment has the client.
        return False


def _continues() -> bool:
    return _has("_interactions_continuation")


def _decides() -> bool:
    return _has("decisions")


COUNTED = (call(TOKENS),)
STREAMED = (call(TOKENS, end="complete"),)
READ = (call(TOKENS, scope="retrieve"),)
UNKNOWN = (call({}, source="missing"),)
BROKEN_OFF = {"input_text": 60, "cache_read": 40, "output_text": 10}
FAULTY = (call({}, source="missing", end="failed", error="internal"),)
REFUSED = call({}, [400], source="missing", error="BadRequestError", billable="false")


def _refused() -> Any:
    """The older client raises in the function that makes the call, the newer one after it."""
    return REFUSED | {"error": "400"} if _has("_gaos") else REFUSED


QUICKSTARTS = (
    Quickstart("interactions", interactions, (reply(DONE),), COUNTED),
    Quickstart("interactions raw", interactions_raw, (reply(DONE),), COUNTED),
    Quickstart("interactions refused", interactions, (refused(400),), (_refused(),)),
    Quickstart("interactions failed", interactions, (reply(FAILED),), (UNKNOWN[0] | {"error": "13"},)),
    Quickstart("interactions with functions", interactions, (reply(ASKING),), COUNTED),
    Quickstart("interactions continued", interactions, (reply(HALF), reply(DONE)), COUNTED * 2, needs=_continues),
    Quickstart("interactions async", interactions_async, (reply(DONE),), COUNTED),
    Quickstart("interactions streamed", interactions_streamed, (EVENTS,), STREAMED),
    Quickstart("interactions async streamed", interactions_async_streamed, (EVENTS,), STREAMED),
    Quickstart("interactions streamed and failed", interactions_streamed, (stream((OPENED, FAULT)),), FAULTY),
    Quickstart(
        "interactions left", interactions_left, (EVENTS,), (call(BROKEN_OFF, source="partial_stream", end=LEFT),)
    ),
    Quickstart(
        "interactions in the background",
        interactions_in_the_background,
        (reply(BEGUN), reply(BEGUN), reply(DONE)),
        (*UNKNOWN, UNKNOWN[0] | {"scope": "retrieve"}, *READ),
    ),
    Quickstart(
        "interactions in the background async",
        interactions_in_the_background_async,
        (reply(BEGUN), reply(DONE | {"status": "cancelled"})),
        (*UNKNOWN, *READ),
    ),
    Quickstart("interactions at Vertex AI", interactions_at_vertex, (reply(DONE),), COUNTED),
    Quickstart("decisions", decisions, (reply({"answers": {}, "usage": USAGE}),), COUNTED, needs=_decides),
)
