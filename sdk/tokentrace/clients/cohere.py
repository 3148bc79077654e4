"""The `cohere` client, v1 and v2.

The seams lie below the methods, which every client binds anew when it is made.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace import tap
from tokentrace.clients._stainless import SENDS, Endpoint
from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.reading import dig, text
from tokentrace.wire import cohere

_MODULE = "cohere.core.http_client"
_ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("chat", "chat", cohere.FORMAT),
        Endpoint("generate", "text_completion", cohere.FORMAT),
        Endpoint("summarize", "text_completion", cohere.FORMAT),
        Endpoint("embed", "embeddings", cohere.EMBEDDINGS),
        Endpoint("rerank", "rerank", cohere.FORMAT),
        Endpoint("classify", "classify", cohere.FORMAT),
        Endpoint("parse", "parse", cohere.FORMAT),
        Endpoint("audio/transcriptions", "transcription", cohere.FORMAT),
    )
}
_ELSEWHERE = frozenset({"cohere.aws_client", "cohere.oci_client"})
"""Modules whose hooks rewrite a request, so that another provider than the one it names answers and bills."""


def _describe(call: Call, *, stream: bool = False) -> Request | None:
    version, _, path = (call.arg(0, "path") or "").partition("/")
    endpoint = _ENDPOINTS.get(path) if version in ("v1", "v2") and call.kwargs.get("method") == "POST" else None
    # A retry calls the function again, from inside of the call that it is an attempt of.
    if endpoint is None or call.kwargs.get("retries") or _is_elsewhere(call.instance.httpx_client):
        return None
    url = urlsplit(str(call.instance.get_base_url(call.kwargs.get("base_url"))))
    sent = call.kwargs.get("json") or call.kwargs.get("data")
    return Request(
        provider="cohere",
        operation=endpoint.operation,
        model=text(dig(sent, "model")),
        format=endpoint.format,
        host=url.hostname,
        port=url.port,
        stream=stream,
        http=call.instance.httpx_client,
        prompt=sent,
    )


def _is_elsewhere(http: Any) -> bool:
    return any(hook.__module__ in _ELSEWHERE for hook in http.event_hooks["request"] if hasattr(hook, "__module__"))


def _stream(call: Call) -> Request | None:
    return _describe(call, stream=True)


INTEGRATION = Integration(
    library="cohere",
    seams=(
        Seam(_MODULE, "HttpClient.request", _describe),
        Seam(_MODULE, "HttpClient.stream", _stream, tap=tap.manager),
        Seam(_MODULE, "AsyncHttpClient.request", _describe, awaited=True),
        Seam(_MODULE, "AsyncHttpClient.stream", _stream, tap=tap.manager),
    ),
    attempts=SENDS,
)
