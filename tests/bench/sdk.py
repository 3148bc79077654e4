"""What the SDK adds to a call and to a chunk of a stream, beside a bare OpenTelemetry span of the same attributes.

    python tests/bench/sdk.py

The client is a stand-in that costs next to nothing, so that what is left is what we add; its seams are those of the
openai client. Figures are CPU of the calling thread, the best of many short rounds in turn; compare them within one
run only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx2
import wrapt
from answers import ANSWER, CONVERSATION, events
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from tokentrace.clients.openai import INTEGRATION
from tokentrace.config import Config
from tokentrace.seams import wrapping
from tokentrace.tracing import Tracing

ROUNDS = 60
CALLS = 50
FEW, MANY = 20, 220
"""Chunks of a short stream and of a long one: what they differ in is the price of a chunk."""
REQUEST = {"model": "gpt-5", "messages": CONVERSATION}
EVENTS = {chunks: events(chunks) for chunks in (FEW, MANY)}


class Body(httpx2.SyncByteStream):
    """A body that arrives event by event."""

    def __init__(self, chunks: int) -> None:
        self._events = EVENTS[chunks]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._events)


class Http:
    """Answers at once, with what it was given."""

    complete = httpx2.Response(200, json=ANSWER)

    def send(self, request: Any, *, stream: bool) -> httpx2.Response:
        if not stream:
            return self.complete
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(request.chunks))


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
    bare, metered = Client(), Client()
    request = wrapt.FunctionWrapper(Client.request, wrapping.call(INTEGRATION.seams[0], tracing, {}))
    send = wrapt.FunctionWrapper(Http.send, wrapping.attempt(INTEGRATION.attempts[0]))
    metered.request = request.__get__(metered, Client)  # type: ignore[method-assign]
    metered._client.send = send.__get__(metered._client, Http)  # type: ignore[method-assign]

    def call(client: Client) -> None:
        client.request(None, asked(0))

    def stream(client: Client, chunks: int) -> None:
        for _ in client.request(None, asked(chunks), stream=True).iter_bytes():
            pass

    call(metered)
    assert keep.span is not None
    attributes = dict(keep.span.attributes or {})

    def in_span(run: Callable[[Client], None]) -> None:
        with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT, attributes=attributes):
            run(bare)

    added = {}
    for title, run in {
        "call": call,
        "short stream": partial(stream, chunks=FEW),
        "long stream": partial(stream, chunks=MANY),
    }.items():
        least = best({"client": partial(run, bare), "span": partial(in_span, run), "ours": partial(run, metered)})
        added[title] = {name: least[name] - least["client"] for name in ("span", "ours")}
        span, ours = added[title].values()
        print(
            f"{title}: a bare span of {len(attributes)} attributes adds {span:.0f} µs, tokentrace {ours:.0f} µs:"
            f" {ours / span:.2f} ×" + " (aim ≤ 1.5 ×)" * (run is call)
        )
    per_chunk = {
        name: (added["long stream"][name] - added["short stream"][name]) / (MANY - FEW) for name in ("span", "ours")
    }
    print(f"chunk: {per_chunk['ours'] - per_chunk['span']:.2f} µs (aim ≤ 3 µs)")


def asked(chunks: int) -> SimpleNamespace:
    """The options of a request as the client has them, and how many chunks are to come."""
    return SimpleNamespace(method="post", url="/chat/completions", json_data=REQUEST, chunks=chunks)


def best(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The fastest round of each, the rounds taken in turn."""
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        least = {name: min(least[name], cpu(run)) for name, run in runs.items()}
    return least


if __name__ == "__main__":
    main()
