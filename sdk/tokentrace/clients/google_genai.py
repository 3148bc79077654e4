"""The `google-genai` client: the Gemini API and Vertex AI.

The seams lie below automatic function calling and continuation, which make several billed calls of one.
"""

from __future__ import annotations

from typing import Any

from tokentrace.clients import _google_interactions, _google_jobs, _google_live
from tokentrace.clients._google import request
from tokentrace.clients._stainless import SENDS
from tokentrace.integration import AttemptSeam, Call, Integration, Request, ResendSeam, Seam
from tokentrace.usage.reading import Format, items, text
from tokentrace.wire import batch, caches, gemini, predict

_MODULE = "google.genai.models"
_CLIENT = "google.genai._api_client"
_WHOLE = frozenset({predict.FORMAT.name, batch.FORMAT.name})


def _generate(call: Call) -> Request:
    return request(call, "generate_content", gemini.FORMAT, text(call.kwargs.get("model")))


def _stream(call: Call) -> Request:
    return _generate(call)._replace(stream=True)


def _embed(call: Call) -> Request:
    return request(call, "embeddings", predict.FORMAT, text(call.kwargs.get("model")))


def _draw(call: Call) -> Request:
    # The objects count the images; the body would have to be parsed with all their pixels.
    return request(call, "image_generation", predict.FORMAT, text(call.kwargs.get("model")), reads_body=False)


def _store(call: Call) -> Request:
    return request(call, "caches", caches.FORMAT, text(call.kwargs.get("model")), reads_body=False)


def _kept(_call: Call, response: Any, fmt: Format) -> bytes | None:
    """The body of embeddings, whose usage older releases drop from what they hand out, and of batch jobs."""
    texts = items(getattr(response, "response_stream", None))
    return str(texts[0]).encode() if texts and fmt.name in _WHOLE else None


def _session(client: Any) -> Any:
    return getattr(client, "_aiohttp_session", None)


_CALLS = (
    ("Models._generate_content", _generate),
    ("Models._generate_content_stream", _stream),
    ("Models._embed_content", _embed),
    ("Models._generate_images", _draw),
    ("Models._edit_image", _draw),
    ("Models._upscale_image", _draw),
    ("Models.recontext_image", _draw),
    ("Models.segment_image", _draw),
)

INTEGRATION = Integration(
    library="google-genai",
    seams=(
        *(Seam(_MODULE, name, describe) for name, describe in _CALLS),
        *(Seam(_MODULE, f"Async{name}", describe, awaited=True) for name, describe in _CALLS),
        Seam("google.genai.caches", "Caches.create", _store),
        Seam("google.genai.caches", "AsyncCaches.create", _store, awaited=True),
        *_google_jobs.SEAMS,
        *_google_interactions.SEAMS,
    ),
    attempts=(
        AttemptSeam(_CLIENT, "BaseApiClient._request_once", kept=_kept),
        AttemptSeam(_CLIENT, "BaseApiClient._async_request_once", awaited=True, kept=_kept),
        # After a connection that broke it waits, and sends a second time by itself.
        ResendSeam("aiohttp.client", "ClientSession._request", _session),
        *SENDS,
    ),
    sessions=_google_live.SEAMS,
)
