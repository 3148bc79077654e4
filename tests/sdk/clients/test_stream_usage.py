"""`stream_usage`: usage is asked for where the application did not, and the application does not notice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace
from tokentrace.config import Config

httpx2: Any = pytest.importorskip("httpx2")
openai: Any = pytest.importorskip("openai")

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06"}
ASK: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2+2?"}]}
AZURE = "https://shop.openai.azure.com"


class Body(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    def __init__(self, events: list[bytes]) -> None:
        self.events = events

    def __iter__(self) -> Iterator[bytes]:
        yield from self.events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            yield event


def event(part: Any) -> bytes:
    return f"data: {json.dumps(part, separators=(',', ':'))}\n\n".encode()


class Server:
    """Streams an answer, with its usage where it is asked for, as OpenAI does."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        asked = (body.get("stream_options") or {}).get("include_usage")
        mention = {"usage": None} if asked else {}
        words = [
            HEAD | {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            for word in ("It is", " 4", ".")
        ]
        end = HEAD | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        usage = [event(HEAD | {"choices": [], "usage": USAGE})] if asked else []
        events = [*(event(part | mention) for part in (*words, end)), *usage, b"data: [DONE]\n\n"]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(events))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def instrumented(monkeypatch):
    """What is delivered while usage is asked for."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter, stream_usage=True, hosts={"10.0.0.7:8000": "vllm"})

    def spans() -> list[dict[str, Any]]:
        assert tokentrace.flush(10)
        return [dict(span.attributes or {}) for span in exporter.get_finished_spans()]

    yield spans
    tokentrace.uninstrument()


def client(server: Server, **options: Any) -> openai.OpenAI:
    transport = httpx2.Client(transport=httpx2.MockTransport(server))
    return openai.OpenAI(api_key="-", max_retries=0, http_client=transport, **options)


def parsed(asked: openai.OpenAI) -> Any:
    return [part.to_dict() for part in asked.chat.completions.create(stream=True, **ASK)]


def helper(asked: openai.OpenAI) -> Any:
    with asked.chat.completions.stream(**ASK) as stream:
        kinds = [part.type for part in stream]
        return kinds, stream.get_final_completion().to_dict()


def raw(asked: openai.OpenAI) -> Any:
    return [part.to_dict() for part in asked.chat.completions.with_raw_response.create(stream=True, **ASK).parse()]


def lines(asked: openai.OpenAI) -> Any:
    with asked.chat.completions.with_streaming_response.create(stream=True, **ASK) as response:
        return list(response.iter_lines())


def bytes_(asked: openai.OpenAI) -> Any:
    with asked.chat.completions.with_streaming_response.create(stream=True, **ASK) as response:
        return b"".join(response.iter_bytes())


@pytest.mark.parametrize("way", [parsed, helper, raw, lines, bytes_])
def test_the_application_gets_what_it_would_have_got(server, monkeypatch, way):
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    bare = way(client(server))
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter, stream_usage=True)
    try:
        metered = way(client(server))
        assert tokentrace.flush(10)
    finally:
        tokentrace.uninstrument()

    assert metered == bare
    assert ["stream_options" in body for body in server.bodies] == [False, True]
    (span,) = exporter.get_finished_spans()
    assert span.attributes["gen_ai.usage.output_tokens"] == 3
    assert span.attributes["tokentrace.usage.source"] == "reported"


@pytest.mark.anyio
async def test_an_awaited_stream_is_sifted_too(server, instrumented):
    transport = httpx2.AsyncClient(transport=httpx2.MockTransport(server))
    asked = openai.AsyncOpenAI(api_key="-", max_retries=0, http_client=transport)
    usages = [part.usage async for part in await asked.chat.completions.create(stream=True, **ASK)]

    assert usages == [None] * 4
    assert instrumented()[0]["gen_ai.usage.input_tokens"] == 7


@pytest.mark.parametrize("own", [{"include_usage": False}, {"include_usage": True}, {"include_obfuscation": False}])
def test_options_of_the_applications_own_are_respected(server, instrumented, own):
    parts = list(client(server).chat.completions.create(stream=True, stream_options=own, **ASK))

    assert server.bodies[0]["stream_options"] == own
    assert any(part.usage for part in parts) == bool(own.get("include_usage"))


def test_what_the_application_holds_is_not_changed(server, instrumented):
    body = dict(ASK, stream=True)
    list(
        client(server).post("/chat/completions", cast_to=object, body=body, stream=True, stream_cls=openai.Stream[Any])
    )

    assert (body, server.bodies[0]["stream_options"]) == (dict(ASK, stream=True), {"include_usage": True})


@pytest.mark.parametrize(
    ("base_url", "asks"),
    [
        ("https://api.openai.com/v1", True),
        ("http://10.0.0.7:8000/v1", True),
        ("http://10.0.0.8:8000/v1", False),
        ("https://api.mistral.ai/v1", False),
        (f"{AZURE}/openai/v1", True),
    ],
)
def test_only_servers_that_are_known_to_take_it_are_asked(server, instrumented, base_url, asks):
    list(client(server, base_url=base_url).chat.completions.create(stream=True, **ASK))

    assert ("stream_options" in server.bodies[0]) == asks


@pytest.mark.parametrize(
    ("version", "more", "asks"),
    [("2024-10-21", {}, True), ("2024-06-01", {}, False), ("2024-10-21", {"extra_body": {"data_sources": []}}, False)],
)
def test_azure_is_asked_since_it_takes_it_and_not_beside_data_sources(server, instrumented, version, more, asks):
    transport = httpx2.Client(transport=httpx2.MockTransport(server))
    azure = openai.AzureOpenAI(api_key="-", api_version=version, azure_endpoint=AZURE, http_client=transport)
    list(azure.chat.completions.create(stream=True, **ASK, **more))

    assert ("stream_options" in server.bodies[0]) == asks


def test_complete_answers_and_other_apis_are_left_as_they_are(server, instrumented):
    client(server).chat.completions.with_raw_response.create(**ASK)
    list(client(server).completions.create(model="gpt-3.5-turbo-instruct", prompt="2+2?", stream=True))

    assert not any("stream_options" in body for body in server.bodies)


def test_it_is_off_unless_it_is_asked_for(monkeypatch):
    assert Config.resolve().stream_usage is False
    monkeypatch.setenv("TOKENTRACE_STREAM_USAGE", "on")
    assert Config.resolve().stream_usage is True
    assert Config.resolve(stream_usage=False).stream_usage is False
