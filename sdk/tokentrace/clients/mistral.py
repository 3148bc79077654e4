"""The `mistralai` client: Mistral's own API, and its models at Azure and Google.

Each place has a copy of the client, and a place of its own in every generation of the library.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

from tokentrace.clients._stainless import SENDS, Endpoint, model_in
from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.usage.reading import NOTHING, dig

_COPIES = (
    ("mistralai.client.basesdk", "mistral_ai"),
    ("mistralai.azure.client.basesdk", "azure.ai.inference"),
    ("mistralai.gcp.client.basesdk", "gcp.vertex_ai"),
    ("mistralai.basesdk", "mistral_ai"),
    ("mistralai_azure.basesdk", "azure.ai.inference"),
    ("mistralai_gcp.basesdk", "gcp.vertex_ai"),
)
_ENDPOINTS = (
    Endpoint("chat_completion_v1_chat_completions_post|stream_chat", "chat", "chat"),
    Endpoint("agents_completion_v1_agents_completions_post|stream_agents", "chat", "chat"),
    Endpoint("agents_api_v1_conversations_(start|append|restart)(_stream)?", "chat", "conversations"),
    Endpoint("create_response_v1_responses_post", "chat", "responses"),
    Endpoint("fim_completion_v1_fim_completions_post|stream_fim", "text_completion", "completions"),
    Endpoint("embeddings_v1_embeddings_post", "embeddings", "embeddings"),
    Endpoint("ocr_v1_ocr_post", "ocr", "ocr"),
    Endpoint("audio_api_v1_transcriptions_post(_stream)?", "transcription", "transcription"),
    Endpoint("speech_v1_audio_speech_post", "speech", "embeddings"),
    Endpoint("(chat_)?(moderations|classifications)_v1_.*_post", "classify", "embeddings"),
)
"""By the id of their operation."""

_READ = tuple(
    # A job never says what it took: its results do, which it carries itself where it is asked to.
    Endpoint(operation, "batch", "batch.RESULTS")
    for operation in ("jobs_api_routes_batch_get_batch_job", "files_api_routes_download_file")
)
"""Those that read what others have asked for."""


@lru_cache(maxsize=256)
def _endpoint(operation: str) -> Endpoint | None:
    return next((each for each in (*_ENDPOINTS, *_READ) if re.fullmatch(each.path, operation)), None)


def _seams(module: str, provider: str) -> tuple[Seam, Seam]:
    def describe(call: Call, client: str) -> Request | None:
        endpoint = _endpoint(call.arg(0, "hook_ctx").operation_id)
        if endpoint is None:
            return None
        sent = call.arg(1, "request")
        # A multipart body lies in a stream that can be read only once.
        body = dig(sent, "_content")
        return Request(
            provider=provider,
            operation=endpoint.operation,
            model=model_in(body or b""),
            format=endpoint.spoken,
            host=sent.url.host,
            port=sent.url.port,
            stream=call.arg(3, "stream") is True,
            scope="retrieve" if endpoint in _READ else "call",
            http=getattr(call.instance.sdk_configuration, client),
            prompt=body or NOTHING,
        )

    return (
        Seam(module, "BaseSDK.do_request", partial(describe, client="client")),
        Seam(module, "BaseSDK.do_request_async", partial(describe, client="async_client"), awaited=True),
    )


INTEGRATION = Integration(
    library="mistralai",
    seams=tuple(seam for module, provider in _COPIES for seam in _seams(module, provider)),
    attempts=SENDS,
)
