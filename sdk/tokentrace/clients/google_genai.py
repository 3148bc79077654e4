"""The `google-genai` client: the Gemini API and Vertex AI.

The seams lie below automatic function calling and continuation, which make several billed calls of one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace.clients import _google_live
from tokentrace.clients._stainless import SENDS
from tokentrace.integration import EVERY, AttemptSeam, Call, Integration, Request, Seam
from tokentrace.reading import Format, items, text
from tokentrace.wire import batch, gemini, interactions, predict

_MODULE = "google.genai.models"
_BATCHES = "google.genai.batches"
_INTERACTIONS = "google.genai._gaos.interactions"
_WHOLE = (predict.FORMAT, batch.FORMAT)


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
        prompt=call.kwargs,
    )


def _generate(call: Call) -> Request:
    return _describe(call, "generate_content", gemini.FORMAT)


def _stream(call: Call) -> Request:
    return _describe(call, "generate_content", gemini.FORMAT, stream=True)


def _embed(call: Call) -> Request:
    return _describe(call, "embeddings", predict.FORMAT)


def _draw(call: Call) -> Request:
    # The objects count the images; the body would have to be parsed with all their pixels.
    return _describe(call, "image_generation", predict.FORMAT)._replace(reads_body=False)


def _submit(call: Call) -> Request:
    return _describe(call, "batch", batch.FORMAT)


def _collect(call: Call) -> Request:
    return _describe(call, "batch", batch.FORMAT)._replace(scope="retrieve")


def _interact(call: Call) -> Request:
    return Request(
        provider="gcp.gemini",
        operation="interactions",
        model=text(call.kwargs.get("model")),
        format=interactions.FORMAT,
        stream=call.kwargs.get("stream") is True,
        http=EVERY,
        prompt=call.kwargs,
    )


def _kept(_call: Call, response: Any, fmt: Format) -> bytes | None:
    """The body of embeddings, whose usage older releases drop from what they hand out, and of batch jobs."""
    texts = items(getattr(response, "response_stream", None))
    return str(texts[0]).encode() if texts and fmt in _WHOLE else None


INTEGRATION = Integration(
    library="google-genai",
    seams=(
        Seam(_MODULE, "Models._generate_content", _generate),
        Seam(_MODULE, "Models._generate_content_stream", _stream),
        Seam(_MODULE, "Models._embed_content", _embed),
        Seam(_MODULE, "Models._generate_images", _draw),
        Seam(_MODULE, "Models._edit_image", _draw),
        Seam(_MODULE, "Models._upscale_image", _draw),
        Seam(_MODULE, "AsyncModels._generate_content", _generate, awaited=True),
        Seam(_MODULE, "AsyncModels._generate_content_stream", _stream, awaited=True),
        Seam(_MODULE, "AsyncModels._embed_content", _embed, awaited=True),
        Seam(_MODULE, "AsyncModels._generate_images", _draw, awaited=True),
        Seam(_MODULE, "AsyncModels._edit_image", _draw, awaited=True),
        Seam(_MODULE, "AsyncModels._upscale_image", _draw, awaited=True),
        Seam(_BATCHES, "Batches._create", _submit),
        Seam(_BATCHES, "Batches.get", _collect),
        Seam(_BATCHES, "AsyncBatches._create", _submit, awaited=True),
        Seam(_BATCHES, "AsyncBatches.get", _collect, awaited=True),
        Seam(_INTERACTIONS, "Interactions.create", _interact),
        Seam(_INTERACTIONS, "AsyncInteractions.create", _interact, awaited=True),
    ),
    attempts=(
        AttemptSeam("google.genai._api_client", "BaseApiClient._request_once", kept=_kept),
        AttemptSeam("google.genai._api_client", "BaseApiClient._async_request_once", awaited=True, kept=_kept),
        *SENDS,
    ),
    sessions=_google_live.SEAMS,
)
