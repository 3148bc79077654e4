"""One endpoint of a client of the Stainless family, and what its spans must say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dirty_equals import IsOneOf

from shapes.provider import Provider, http_of
from shapes.shape import SYNC

Tokens = Mapping[str, int]
LEFT = IsOneOf("closed", "dropped")
"""It is up to the garbage collector whether it closes the stream of the client or ours beneath it first."""


@dataclass(frozen=True, slots=True)
class Api:
    """One endpoint, reached through one resource of the client."""

    resource: Callable[[Any], Any]
    ask: Mapping[str, Any]
    """The arguments of every call."""

    streaming: Mapping[str, Any]
    """What the application adds to have the answer streamed, with its usage."""

    whole: Any
    """The answer in one body."""

    events: tuple[bytes, ...]
    """The answer as a stream."""

    tokens: Tokens
    """The truth about that answer."""

    begun: Tokens
    """What is known once the first event was read."""

    @property
    def counted(self) -> dict[str, Any]:
        """What the span of the call says."""
        return call(self.tokens)

    @property
    def streamed(self) -> dict[str, Any]:
        """What the span of the streamed call says."""
        return call(self.tokens, end="complete")

    def left(self, end: Any, attempts: list[Any] | None = None, error: str | None = None) -> dict[str, Any]:
        """What the span of a stream says of which only the first event was read."""
        source = "partial_stream" if self.begun else "missing"
        return call(self.begun, attempts, source=source, end=end, error=error)


def call(
    tokens: Tokens,
    attempts: list[Any] | None = None,
    *,
    source: str = "reported",
    scope: str = "call",
    end: Any = None,
    error: str | None = None,
    billable: str | None = None,
    meters: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """What a span says; what it leaves out is absent here too."""
    said = {
        "scope": scope,
        "source": source,
        "tokens": dict(tokens),
        "attempts": [200] if attempts is None else attempts,
        "meters": meters,
        "end": end,
        "error": error,
        "billable": billable or ("unknown" if source == "missing" else None),
    }
    return {key: value for key, value in said.items() if value is not None}


def failed(attempts: list[Any], error: str) -> dict[str, Any]:
    """What the span of a call says that never was answered."""
    refused = all(isinstance(attempt, int) for attempt in attempts)
    return call({}, attempts, source="missing", error=error, billable="false" if refused else "unknown")


def client_of(package: str, kind: str) -> Callable[[str, Provider, int], Any]:
    """A factory of clients of `package` that talk to a given provider."""

    def build(mode: str, provider: Provider, retries: int) -> Any:
        library = __import__(package)
        http = http_of(f"{package}._base_client")
        if mode == SYNC:
            inner = http.Client(transport=provider.transport(http))
            return getattr(library, kind)(api_key="-", http_client=inner, max_retries=retries)
        inner = http.AsyncClient(transport=provider.async_transport(http))
        return getattr(library, f"Async{kind}")(api_key="-", http_client=inner, max_retries=retries)

    return build


def data(event: Any) -> bytes:
    """A server-sent event without a name."""
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def named(event: Mapping[str, Any]) -> bytes:
    """A server-sent event that is named after its type."""
    return b"event: " + event["type"].encode() + b"\n" + data(event)
