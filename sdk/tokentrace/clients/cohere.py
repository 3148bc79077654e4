"""The `cohere` client, v1 and v2, and its models at Amazon and Oracle.

The seams lie below the methods, which every client binds anew when it is made.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tokentrace.clients._stainless import SENDS, Endpoint
from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.streams import tap
from tokentrace.usage.reading import NOTHING, Format, Reading, dig, mapping, text
from tokentrace.wire import cohere

_MODULE = "cohere.core.http_client"
_ENDPOINTS = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("chat", "chat", "cohere"),
        Endpoint("generate", "text_completion", "cohere"),
        Endpoint("summarize", "text_completion", "cohere"),
        Endpoint("embed", "embeddings", "cohere.EMBEDDINGS"),
        Endpoint("rerank", "rerank", "cohere"),
        Endpoint("classify", "classify", "cohere"),
        Endpoint("parse", "parse", "cohere"),
        Endpoint("audio/transcriptions", "transcription", "cohere"),
    )
}
_ELSEWHERE = {
    "bedrock": ("aws.bedrock", "bedrock-runtime.{}.amazonaws.com"),
    "sagemaker": ("aws.sagemaker", "runtime.sagemaker.{}.amazonaws.com"),
    None: ("oci", "inference.generativeai.{}.oci.oraclecloud.com"),
}
"""Provider and host by the service that a hook rewrites a request for; that of Oracle has one only."""
_HOOKS = frozenset({"cohere.aws_client", "cohere.oci_client"})
"""Modules whose hooks rewrite a request, so that another provider than the one it names answers and bills."""


def _read_elsewhere(part: Any, seen: Reading) -> None:
    cohere.read(part, seen)
    if metrics := mapping(dig(part, "amazon-bedrock-invocationMetrics")):
        counts = {"input_tokens": metrics.get("inputTokenCount"), "output_tokens": metrics.get("outputTokenCount")}
        seen.usage, seen.complete = {"billed_units": counts}, True
    elif not any(mapping(seen.usage.get("billed_units")).values()):
        # Where Oracle has not counted, the client fills in zeros.
        seen.usage = NOTHING


_REWRITTEN = {
    fmt.name: Format(fmt.name, _read_elsewhere, fmt.count, fmt.marks, is_rewritten=True)
    for fmt in (cohere.FORMAT, cohere.EMBEDDINGS)
}


def _describe(call: Call, *, stream: bool = False) -> Request | None:
    version, _, path = (call.arg(0, "path") or "").partition("/")
    endpoint = _ENDPOINTS.get(path) if version in ("v1", "v2") and call.kwargs.get("method") == "POST" else None
    # A retry calls the function again, from inside of the call that it is an attempt of.
    if endpoint is None or call.kwargs.get("retries"):
        return None
    url = urlsplit(str(call.instance.get_base_url(call.kwargs.get("base_url"))))
    sent = call.kwargs.get("json") or call.kwargs.get("data")
    request = Request(
        provider="cohere",
        operation=endpoint.operation,
        model=text(dig(sent, "model")),
        format=endpoint.spoken,
        host=url.hostname,
        port=url.port,
        stream=stream,
        http=call.instance.httpx_client,
        prompt=sent,
    )
    return _elsewhere(request) or request


def _elsewhere(request: Request) -> Request | None:
    """The request as a hook of its HTTP client rewrites it; None where none does."""
    for hook in request.http.event_hooks["request"]:
        if getattr(hook, "__module__", None) in _HOOKS:
            known = {
                name: cell.cell_contents for name, cell in zip(hook.__code__.co_freevars, hook.__closure__, strict=True)
            }
            provider, host = _ELSEWHERE[known.get("service")]
            region = text(known.get("aws_region")) or text(known.get("oci_region"))
            return request._replace(
                provider=provider,
                format=_REWRITTEN[request.format.name],
                host=host.format(region),
                port=None,
                facts={"region": region},
            )
    return None


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
