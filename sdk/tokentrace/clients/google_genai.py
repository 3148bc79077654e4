"""The `google-genai` client: the Gemini API and Vertex AI.

The seams lie below automatic function calling and continuation, which make several billed calls of one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import AttemptSeam, Call, Integration, Request, Seam
from tokentrace.reading import Format, items
from tokentrace.wire import gemini, predict

_MODULE = "google.genai.models"


def _describe(call: Call, operation: str, fmt: Format, *, stream: bool = False) -> Request:
    client = call.instance._api_client
    url = urlsplit(client._http_options.base_url or "")
    return Request(
        provider="gcp.vertex_ai" if client.vertexai else "gcp.gemini",
        operation=operation,
        model=(call.kwargs.get("model") or "").removeprefix("models/") or None,
        format=fmt,
        host=url.hostname,
        port=url.port,
        stream=stream,
        http=client,
    )


def _generate(call: Call) -> Request:
    return _describe(call, "generate_content", gemini.FORMAT)


def _stream(call: Call) -> Request:
    return _describe(call, "generate_content", gemini.FORMAT, stream=True)


def _embed(call: Call) -> Request:
    return _describe(call, "embeddings", predict.FORMAT)


def _kept(_call: Call, response: Any, fmt: Format) -> bytes | None:
    """The body of embeddings: older releases drop the usage from what they hand to the application."""
    texts = items(getattr(response, "response_stream", None))
    return str(texts[0]).encode() if texts and fmt is predict.FORMAT else None


INTEGRATION = Integration(
    library="google-genai",
    seams=(
        Seam(_MODULE, "Models._generate_content", _generate),
        Seam(_MODULE, "Models._generate_content_stream", _stream),
        Seam(_MODULE, "Models._embed_content", _embed),
        Seam(_MODULE, "AsyncModels._generate_content", _generate, awaited=True),
        Seam(_MODULE, "AsyncModels._generate_content_stream", _stream, awaited=True),
        Seam(_MODULE, "AsyncModels._embed_content", _embed, awaited=True),
    ),
    attempts=(
        AttemptSeam("google.genai._api_client", "BaseApiClient._request_once", kept=_kept),
        AttemptSeam("google.genai._api_client", "BaseApiClient._async_request_once", awaited=True, kept=_kept),
    ),
)
