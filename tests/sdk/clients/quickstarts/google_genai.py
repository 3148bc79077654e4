"""The quick starts of `google-genai`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from shapes.api import call, data, failed
from shapes.provider import refused, reply, stream

from quickstarts import google_batches, google_live
from quickstarts.quickstart import Client, Quickstart

PIXELS = {"mimeType": "image/png", "bytesBase64Encoded": "iVBORw0KGgo="}
FILTERED = {"raiFilteredReason": "It shows a person."}
DRAWN = {"predictions": [PIXELS, PIXELS, FILTERED]}
TWO = call({}, meters={"images": 2})
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
BEGUN = {
    "id": "v1_1",
    "object": "interaction",
    "model": "gemini-3.5-flash",
    "status": "in_progress",
    "created": "2026-01-01T00:00:00Z",
    "updated": "2026-01-01T00:00:00Z",
}
DONE = BEGUN | {
    "status": "completed",
    "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Why not?"}]}],
    "usage": USAGE,
}
EVENTS = (
    data({"event_type": "interaction.created", "interaction": BEGUN}),
    data({"event_type": "interaction.completed", "interaction": DONE}),
)


def _client(url: str) -> Any:
    from google import genai

    return genai.Client(api_key="-", http_options={"base_url": url})


def _vertex(url: str) -> Any:
    """The newest releases draw images on Vertex AI only."""
    from google import genai
    from google.auth.credentials import AnonymousCredentials

    class Credentials(AnonymousCredentials):
        def refresh(self, request: Any) -> None:
            self.token = "-"

    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(),
        http_options={"base_url": url},
    )


def images(url: str) -> Any:
    client = _vertex(url)
    return client.models.generate_images(
        model="imagen-4.0-generate-001", prompt="Robot holding a red skateboard", config={"number_of_images": 3}
    )


async def images_async(url: str) -> Any:
    client = _vertex(url)
    return await client.aio.models.generate_images(
        model="imagen-4.0-generate-001", prompt="Robot holding a red skateboard", config={"number_of_images": 3}
    )


def interactions(url: str) -> Any:
    client = _client(url)
    return client.interactions.create(model="gemini-3.5-flash", input="Tell me a short joke about programming.")


def interactions_streamed(url: str) -> Any:
    client = _client(url)
    events = client.interactions.create(model="gemini-3.5-flash", input="Tell me a short joke.", stream=True)
    return list(events)


async def interactions_async(url: str) -> Any:
    client = _client(url)
    return await client.aio.interactions.create(model="gemini-3.5-flash", input="Tell me a short joke.")


async def interactions_async_streamed(url: str) -> Any:
    client = _client(url)
    events = await client.aio.interactions.create(model="gemini-3.5-flash", input="Tell me a short joke.", stream=True)
    return [event async for event in events]


def _interacts() -> bool:
    """Whether the client is generated as it is now."""
    return find_spec("google.genai._gaos") is not None


CLIENT = Client(
    library="google-genai",
    module="google.genai",
    quickstarts=(
        Quickstart("images", images, (reply(DRAWN),), (TWO,)),
        Quickstart("images async", images_async, (reply(DRAWN),), (TWO,)),
        Quickstart("images refused", images, (refused(400),), (failed([400], "ClientError"),)),
        Quickstart("interactions", interactions, (reply(DONE),), (call(TOKENS),), needs=_interacts),
        Quickstart("interactions async", interactions_async, (reply(DONE),), (call(TOKENS),), needs=_interacts),
        Quickstart(
            "interactions streamed",
            interactions_streamed,
            (stream(EVENTS),),
            (call(TOKENS, end="complete"),),
            needs=_interacts,
        ),
        Quickstart(
            "interactions async streamed",
            interactions_async_streamed,
            (stream(EVENTS),),
            (call(TOKENS, end="complete"),),
            needs=_interacts,
        ),
        *google_batches.QUICKSTARTS,
        *google_live.QUICKSTARTS,
    ),
    reported="tokens with cache and thoughts, of batch jobs with inlined answers too; images that were made",
    missing="batch jobs that are not over or answer into files; interactions that are retrieved; searches of Live "
    "sessions; videos; hours of stored caches",
)
