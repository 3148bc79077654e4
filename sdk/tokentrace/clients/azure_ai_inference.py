"""The `azure-ai-inference` client: models at Azure AI Foundry and GitHub."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import AttemptSeam, Call, Integration, Request, Seam
from tokentrace.streams import tap
from tokentrace.streams.tap import Listener
from tokentrace.usage.reading import Format, dig, mapping, text
from tokentrace.wire import chat, embeddings

_TRANSPORTS = "azure.core.pipeline.transport"


def _describe(call: Call, operation: str, fmt: Format) -> Request:
    client = call.instance
    # All of the request may be given as one body.
    asked = {**mapping(call.arg(0, "body")), **call.kwargs}
    address: str = client._config.endpoint
    url = urlsplit(address)
    return Request(
        provider="azure.ai.inference",
        operation=operation,
        model=text(asked.get("model")) or text(getattr(client, "_model", None)),
        format=fmt,
        host=url.hostname,
        port=url.port,
        stream=bool(asked.get("stream")),
        http=dig(client, "_client", "_pipeline", "_transport"),
        reads_body=False,
        prompt=asked,
    )


def _chat(call: Call) -> Request:
    return _describe(call, "chat", chat.FORMAT)


def _embed(call: Call) -> Request:
    return _describe(call, "embeddings", embeddings.FORMAT)


def _tap(result: Any, listener: Listener) -> Any:
    # A complete answer is iterable too: over its keys.
    return tap.parts(result, listener) if hasattr(result, "__next__") or hasattr(result, "__anext__") else None


INTEGRATION = Integration(
    library="azure-ai-inference",
    seams=tuple(
        Seam(f"azure.ai.inference{world}._patch", name, describe, awaited=bool(world), tap=_tap)
        for world in ("", ".aio")
        for name, describe in (
            ("ChatCompletionsClient.complete", _chat),
            ("EmbeddingsClient.embed", _embed),
            ("ImageEmbeddingsClient.embed", _embed),
        )
    ),
    attempts=(
        AttemptSeam(f"{_TRANSPORTS}._requests_basic", "RequestsTransport.send"),
        AttemptSeam(f"{_TRANSPORTS}._requests_asyncio", "AsyncioRequestsTransport.send", awaited=True),
        AttemptSeam(f"{_TRANSPORTS}._requests_trio", "TrioRequestsTransport.send", awaited=True),
        AttemptSeam(f"{_TRANSPORTS}._aiohttp", "AioHttpTransport.send", awaited=True),
    ),
)
