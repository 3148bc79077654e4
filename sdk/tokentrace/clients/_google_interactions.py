"""The interactions and decisions of `google-genai`, whose client of their own was generated anew with 2.1 or so.

Each answer of an interaction that goes on by itself is an interaction of its own, and so is its call.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import EVERY, Call, Request, Seam
from tokentrace.usage.reading import NOTHING, dig
from tokentrace.wire import interactions

_READ = "get .*/interactions/[^/]+|post .*/interactions/[^/]+/cancel"
_FIRST = "google.genai._interactions"
_NOW = "google.genai._gaos.basesdk"
_OPERATIONS = {
    "CreateInteraction": ("interactions", "call"),
    "getInteractionById": ("interactions", "retrieve"),
    "cancelInteractionById": ("interactions", "retrieve"),
    "CreateDecision": ("decision", "call"),
}
"""Operation and scope by the id that the client has for them."""


def _provider(path: str) -> str:
    # Only Vertex AI has projects; its express mode is told by its host.
    return "gcp.vertex_ai" if "/projects/" in path else "gcp.gemini"


def _first() -> Iterator[Seam]:
    endpoints = (Endpoint("/interactions", "interactions", "interactions", retrieve=_READ),)
    for seam in _stainless.seams(_FIRST, "gcp.gemini", endpoints):
        yield seam._replace(describe=partial(_placed, seam))


def _placed(seam: Seam, call: Call) -> Request | None:
    request = seam.describe(call)
    return None if request is None else request._replace(provider=_provider(call.arg(1, "options").url))


def _described(call: Call) -> Request | None:
    known = _OPERATIONS.get(call.arg(0, "hook_ctx").operation_id)
    if known is None:
        return None
    sent: Any = call.arg(1, "request")
    body = dig(sent, "_content")
    operation, scope = known
    return Request(
        provider=_provider(sent.url.path),
        operation=operation,
        model=(_stainless.model_in(body or b"") or "").removeprefix("models/") or None,
        format=interactions.FORMAT,
        host=sent.url.host,
        port=sent.url.port,
        stream=call.arg(3, "stream") is True,
        scope=scope,
        # An asynchronous client has others beneath it, one for each event loop.
        http=EVERY,
        prompt=body or NOTHING,
    )


SEAMS = (
    *_first(),
    Seam(_NOW, "BaseSDK.do_request", _described),
    Seam(_NOW, "AsyncBaseSDK.do_request_async", _described, awaited=True),
)
