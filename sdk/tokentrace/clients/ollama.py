"""The `ollama` client, and the client that its module-level functions share."""

from __future__ import annotations

from tokentrace.clients._stainless import SENDS, Endpoint
from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.streams import tap
from tokentrace.usage.reading import dig, text

_ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("/api/chat", "chat", "ollama"),
        Endpoint("/api/generate", "text_completion", "ollama"),
        Endpoint("/api/embed", "embeddings", "ollama.EMBEDDINGS"),
        Endpoint("/api/embeddings", "embeddings", "ollama.EMBEDDINGS"),
        Endpoint("/v1/systemone", "chat", "responses"),
    )
}


def _describe(call: Call) -> Request | None:
    endpoint = _ENDPOINTS.get(call.arg(2, "url"))
    if endpoint is None:
        return None
    http = call.instance._client
    return Request(
        provider="ollama",
        operation=endpoint.operation,
        model=text(dig(call.kwargs, "json", "model")),
        format=endpoint.spoken,
        host=http.base_url.host,
        port=http.base_url.port,
        stream=call.kwargs.get("stream") is True,
        http=http,
        prompt=call.kwargs.get("json"),
    )


INTEGRATION = Integration(
    library="ollama",
    seams=(
        Seam("ollama._client", "Client._request", _describe, tap=tap.steps),
        Seam("ollama._client", "AsyncClient._request", _describe, awaited=True, tap=tap.steps),
    ),
    attempts=SENDS,
)
