"""What a client of `google-genai` knows of the provider it talks to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import Call, Request
from tokentrace.usage.reading import Format


def request(call: Call, operation: str, fmt: Format, model: str | None = None, **more: Any) -> Request:
    """The request of a call whose object has the client; `more` are further fields of it."""
    client = call.instance._api_client
    url = urlsplit(client._http_options.base_url or "")
    return Request(
        provider="gcp.vertex_ai" if client.vertexai else "gcp.gemini",
        operation=operation,
        model=(model or "").removeprefix("models/") or None,
        format=fmt,
        host=url.hostname,
        port=url.port,
        prompt=call.kwargs,
        **{"http": client, **more},
    )
