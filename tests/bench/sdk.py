"""What the SDK adds to a call and to a chunk of a stream, beside a bare OpenTelemetry span of the same attributes.

    python tests/bench/sdk.py

The client is a stand-in that costs next to nothing, so that what is left is what we add; its seams are those of the
openai client. Figures are CPU of the calling thread, the best of many short rounds in turn; compare them within one
run only.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import wrapt
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from tokentrace import wrapping
from tokentrace.clients.openai import INTEGRATION
from tokentrace.config import Config
from tokentrace.tracing import Tracing

ROUNDS = 60
CALLS = 50
CHUNKS = 100

USAGE = {
    "prompt_tokens": 812,
    "completion_tokens": 1544,
    "total_tokens": 2356,
    "prompt_tokens_details": {"cached_tokens": 512, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1408, "audio_tokens": 0},
}
HEAD = {"id": "chatcmpl-1", "created": 1760000000, "model": "gpt-5-2025-08-07"}
MESSAGE = {"role": "assistant", "content": "The answer is forty-two. " * 8, "refusal": None}
ANSWER = HEAD | {
    "object": "chat.completion",
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": MESSAGE}],
    "usage": USAGE,
}


def _events() -> list[bytes]:
    chunk = HEAD | {"object": "chat.completion.chunk", "usage": None}
    texts = [chunk | {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}] * CHUNKS
    end = chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    parts = [*texts, end, chunk | {"choices": [], "usage": USAGE}]
    return [f"data: {json.dumps(part)}\n\n".encode() for part in parts] + [b"data: [DONE]\n\n"]


class Body(httpx2.SyncByteStream):
    """A body that arrives event by event."""

    events = _events()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.events)


class Http:
    """Answers at once, with what it was given."""

    complete = httpx2.Response(200, json=ANSWER)

    def send(self, request: object, *, stream: bool) -> httpx2.Response:
        if not stream:
            return self.complete
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())


class Client:
    """Sends one request a call, and hands out the body of a stream chunk by chunk."""

    base_url = httpx2.URL("https://api.openai.com/v1/")

    def __init__(self) -> None:
        self._client = Http()

    def request(self, cast_to: object, options: object, *, stream: bool = False) -> httpx2.Response:
        return self._client.send(options, stream=stream)


class Keep(SpanProcessor):
    """Keeps the last span, exports nothing."""

    span: ReadableSpan | None = None

    def on_end(self, span: ReadableSpan) -> None:
        self.span = span


def cpu(run: Callable[[], object]) -> float:
    """Microseconds of thread CPU per run."""
    began = time.thread_time_ns()
    for _ in range(CALLS):
        run()
    return (time.thread_time_ns() - began) / CALLS / 1000


def main() -> None:
    """Measure and print."""
    keep = Keep()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(keep)
    tracer = provider.get_tracer("bench")
    tracing = Tracing(Config(), None, provider)
    options = SimpleNamespace(method="post", url="/chat/completions", json_data={"model": "gpt-5"})
    bare, metered = Client(), Client()
    request = wrapt.FunctionWrapper(Client.request, wrapping.call(INTEGRATION.seams[0], tracing, {}))
    send = wrapt.FunctionWrapper(Http.send, wrapping.attempt(INTEGRATION.attempts[0]))
    metered.request = request.__get__(metered, Client)  # type: ignore[method-assign]
    metered._client.send = send.__get__(metered._client, Http)  # type: ignore[method-assign]

    def call(client: Client) -> None:
        client.request(None, options)

    def stream(client: Client) -> None:
        for _ in client.request(None, options, stream=True).iter_bytes():
            pass

    metered.request(None, options)
    assert keep.span is not None
    attributes = dict(keep.span.attributes or {})

    def in_span(run: Callable[[Client], None]) -> None:
        with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT, attributes=attributes):
            run(bare)

    for title, run in (("call", call), (f"stream of {CHUNKS} chunks", stream)):
        runs: dict[str, Callable[[], Any]] = {
            "client": lambda run=run: run(bare),
            "span": lambda run=run: in_span(run),
            "ours": lambda run=run: run(metered),
        }
        least = dict.fromkeys(runs, float("inf"))
        for _ in range(ROUNDS):
            least = {name: min(least[name], cpu(runs[name])) for name in runs}
        span, ours = least["span"] - least["client"], least["ours"] - least["client"]
        print(
            f"{title}: a bare span of {len(attributes)} attributes adds {span:.0f} µs, tokentrace {ours:.0f} µs:"
            f" {ours / span:.2f} × (aim ≤ 1.5 ×)"
        )
        if run is stream:
            print(f"  a chunk: {(ours - span) / CHUNKS:.2f} µs beyond the span (aim ≤ 3 µs)")


if __name__ == "__main__":
    main()
