"""`google-genai`: generate_content of the Gemini API."""

from __future__ import annotations

from typing import Any

from shapes import google_generate as generate
from shapes.provider import reply
from shapes.shape import ASYNC

from behaviour.door import Door, Settings


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    from google import genai
    from google.genai import types

    tries = settings.retries + 1
    retry = types.HttpRetryOptions(attempts=tries, initial_delay=0.001, max_delay=0.001, jitter=0.0)
    options = types.HttpOptions(
        base_url=settings.url, timeout=int(settings.timeout * 1000), retry_options=retry if tries > 1 else None
    )
    built = genai.Client(api_key="-", http_options=options)
    return built.aio if settings.mode == ASYNC else built


GEMINI = Door(
    name="google-genai",
    module="google.genai",
    client=client,
    ask=lambda client: client.models.generate_content(**generate.ASK),
    open=lambda client: client.models.generate_content_stream(**generate.ASK),
    whole=generate.body(),
    events=generate.EVENTS,
    tokens=generate.TOKENS,
    begun=generate.BEGUN,
    verbs={
        "embed": lambda client: client.models.embed_content(model="gemini-embedding-2", contents=["2+2?"] * 8),
    },
    facts={
        "asks late": True,
        # Through aiohttp, after a pause of seconds: a test of its own.
        "asks twice": True,
        "embed": (
            reply({"embeddings": [{"values": [0.5]}] * 8, "usageMetadata": {"promptTokenCount": 100}}),
            {"input_text": 100},
        ),
    },
)
