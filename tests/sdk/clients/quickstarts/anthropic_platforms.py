"""The quick starts of `anthropic` for Claude on the platforms of others."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from shapes import anthropic_messages
from shapes.anthropic_messages import TOKENS
from shapes.api import LEFT, call, failed
from shapes.provider import AT_ONCE, refused, reply, stream

from quickstarts import frames
from quickstarts.quickstart import Quickstart

ASK: dict[str, Any] = {"max_tokens": 256, "messages": [{"role": "user", "content": "Hello, world"}]}
ON_BEDROCK = ASK | {"model": "anthropic.claude-opus-5-v1:0"}
ON_VERTEX = ASK | {"model": "claude-opus-5@20260901"}
ELSEWHERE = ASK | {"model": "claude-opus-5"}

CHUNKS = tuple(frames.chunk(event) for event in anthropic_messages.told())
EVENTS = stream(anthropic_messages.EVENTS)
WHOLE = reply(anthropic_messages.body())


def _bedrock(url: str, kind: str = "AnthropicBedrock") -> Any:
    client = getattr(importlib.import_module("anthropic"), kind)
    return client(aws_access_key="-", aws_secret_key="-", aws_region="us-east-1", base_url=url)


def bedrock(url: str) -> Any:
    return _bedrock(url).messages.create(**ON_BEDROCK)


def bedrock_streamed(url: str) -> Any:
    return list(_bedrock(url).messages.create(**ON_BEDROCK, stream=True))


def bedrock_left(url: str) -> Any:
    return next(iter(_bedrock(url).messages.create(**ON_BEDROCK, stream=True)))


async def bedrock_async_streamed(url: str) -> Any:
    events = await _bedrock(url, "AsyncAnthropicBedrock").messages.create(**ON_BEDROCK, stream=True)
    return [event async for event in events]


def mantle(url: str) -> Any:
    from anthropic import AnthropicBedrockMantle

    client = AnthropicBedrockMantle(api_key="-", aws_region="us-east-1", base_url=url)
    return client.messages.create(**ELSEWHERE)


def vertex(url: str) -> Any:
    from anthropic import AnthropicVertex

    client = AnthropicVertex(project_id="project", region="us-east5", access_token="-", base_url=url)
    return client.messages.create(**ON_VERTEX)


async def vertex_async_streamed(url: str) -> Any:
    from anthropic import AsyncAnthropicVertex

    client = AsyncAnthropicVertex(project_id="project", region="us-east5", access_token="-", base_url=url)
    events = await client.messages.create(**ON_VERTEX, stream=True)
    return [event async for event in events]


def foundry(url: str) -> Any:
    from anthropic import AnthropicFoundry

    client = AnthropicFoundry(api_key="-", base_url=url)
    return client.messages.create(**ELSEWHERE)


def aws(url: str) -> Any:
    from anthropic import AnthropicAWS

    client = AnthropicAWS(api_key="-", workspace_id="wrkspc_1", aws_region="us-east-1", base_url=url)
    return list(client.messages.create(**ELSEWHERE, stream=True))


def google_cloud(url: str) -> Any:
    from anthropic import AnthropicGoogleCloud

    client = AnthropicGoogleCloud(token_provider=lambda: "-", workspace_id="wrkspc_1", base_url=url)
    return client.messages.create(**ELSEWHERE)


def _has(kind: str, *needed: str) -> Callable[[], bool]:
    """Whether there is such a client, and what it signs its requests with."""
    return lambda: (
        hasattr(importlib.import_module("anthropic"), kind)
        and all(importlib.util.find_spec(module) is not None for module in needed)
    )


SIGNED = _has("AnthropicBedrock", "boto3")
SPOKEN, STREAMED = call(TOKENS), call(TOKENS, end="complete")
BEGUN = call(anthropic_messages.BEGUN, source="partial_stream", end=LEFT)
BROKEN = call(anthropic_messages.BEGUN, source="partial_stream", end="failed", error="throttlingException")

QUICKSTARTS = (
    Quickstart("Bedrock", bedrock, (WHOLE,), (SPOKEN,), needs=SIGNED),
    Quickstart("Bedrock streamed", bedrock_streamed, (frames.streamed(*CHUNKS),), (STREAMED,), needs=SIGNED),
    Quickstart(
        "Bedrock async streamed", bedrock_async_streamed, (frames.streamed(*CHUNKS),), (STREAMED,), needs=SIGNED
    ),
    Quickstart("Bedrock left", bedrock_left, (frames.streamed(*CHUNKS),), (BEGUN,), needs=SIGNED),
    Quickstart(
        "Bedrock broken off",
        bedrock_streamed,
        (frames.streamed(CHUNKS[0], frames.fault("throttlingException")),),
        (BROKEN,),
        needs=_has("AnthropicBedrockMantle", "boto3"),
    ),
    Quickstart(
        "Bedrock after 429",
        bedrock,
        (refused(429, **AT_ONCE), WHOLE),
        (call(TOKENS, [429, 200]),),
        needs=SIGNED,
    ),
    Quickstart("Bedrock denied", bedrock, (refused(403),), (failed([403], "PermissionDeniedError"),), needs=SIGNED),
    Quickstart("Bedrock Mantle", mantle, (WHOLE,), (SPOKEN,), needs=_has("AnthropicBedrockMantle")),
    Quickstart("Vertex AI", vertex, (WHOLE,), (SPOKEN,), needs=_has("AnthropicVertex", "google")),
    Quickstart(
        "Vertex AI async streamed",
        vertex_async_streamed,
        (EVENTS,),
        (STREAMED,),
        needs=_has("AnthropicVertex", "google"),
    ),
    Quickstart("Foundry", foundry, (WHOLE,), (SPOKEN,), needs=_has("AnthropicFoundry")),
    Quickstart("Claude Platform on AWS streamed", aws, (EVENTS,), (STREAMED,), needs=_has("AnthropicAWS")),
    Quickstart("Claude on Google Cloud", google_cloud, (WHOLE,), (SPOKEN,), needs=_has("AnthropicGoogleCloud")),
)
