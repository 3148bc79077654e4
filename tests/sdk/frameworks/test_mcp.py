"""Tools by MCP: what a server does for a call is below what the client says of it, over whatever they talk."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest

pytest.importorskip("mcp", reason="runs in an environment of its own")
pytest.importorskip("uvicorn", reason="runs in an environment of its own")

import mcp
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from openai import OpenAI
from opentelemetry import trace as opentelemetry_trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

import tokentrace
from frameworks import mcp_server
from frameworks.runs.mcp import IS_FIRST, call, in_memory, over_http
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says
from tokentrace import context
from tokentrace.request.section import begin, innermost

# A server of 1.x leaves streams open when it ends.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@contextmanager
def nothing_left():
    """Whoever calls a tool is afterwards where he was before."""
    yield
    assert innermost() is None
    assert not opentelemetry_trace.get_current_span().get_span_context().is_valid
    assert context.tracing is None or not context.tracing.open


@asynccontextmanager
async def over_stdio(told, url):
    server = StdioServerParameters(
        command=sys.executable,
        args=[mcp_server.__file__, url, str(told)],
        env={**os.environ, "TOKENTRACE_ENDPOINT": "http://127.0.0.1:9"},
    )
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        yield session


HERE = pytest.mark.parametrize("way", [in_memory, over_http], ids=lambda way: way.__name__)


@HERE
def test_what_a_tool_asks_is_below_who_called_it(spans, way):
    with playing(says("Hola", 20, 3)) as (script, url), nothing_left():
        result = call(way, url)
    assert result.content[0].text == "Hola"
    assert drawn(spans.ours()) == "translate\n  translate\n    chat gpt-5  20 → 3"
    assert counted(spans.ours()) == script.billed
    assert {span.attributes.get("gen_ai.operation.name") for span in spans.ours()} == {"execute_tool", "chat"}


def test_another_process_goes_on_where_the_client_is(spans, tmp_path):
    told = tmp_path / "told"
    with playing(says("Hola", 20, 3)) as (script, url), nothing_left(), tokentrace.step("ask"):
        result = call(partial(over_stdio, told), url)
    assert result.content[0].text == "Hola"
    assert drawn(spans.ours()) == "ask\n  translate"
    (tool,) = (span.context for span in spans.ours() if span.name == "translate")
    below = {each["name"]: each for each in map(json.loads, told.read_text().splitlines())}
    assert {each["trace"] for each in below.values()} == {tool.trace_id}
    assert below["translate"]["parent"] == tool.span_id
    assert below["chat gpt-5"]["parent"] == below["translate"]["id"]
    assert len(script.billed) == 1


@pytest.fixture
def application(monkeypatch):
    """Gives the process a provider of the application's own, which the library of 2.x makes spans with."""

    def given(provider):
        monkeypatch.setattr(opentelemetry_trace, "_TRACER_PROVIDER", provider)
        if not IS_FIRST:
            # It keeps the one that it has first found.
            monkeypatch.setattr("mcp.shared._otel._tracer", opentelemetry_trace.get_tracer("mcp-python-sdk"))

    return given


@HERE
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF], ids=["sampled", "unsampled"])
def test_what_the_library_traces_itself_cuts_nothing(application, way, sampler):
    application(TracerProvider(sampler=sampler, shutdown_on_exit=False))
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter)
    try:
        with playing(says("Hola", 20, 3)) as (script, url), nothing_left():
            call(way, url)
        tokentrace.flush()
    finally:
        tokentrace.uninstrument()
    ours = [span for span in exporter.get_finished_spans() if span.instrumentation_scope.name == "tokentrace"]
    assert drawn(ours) == "translate\n  translate\n    chat gpt-5  20 → 3"
    assert counted(exporter.get_finished_spans()) == script.billed


@HERE
def test_a_tool_that_fails_is_told_so_and_what_it_asked_is_counted(spans, way):
    with playing(says("Hola", 20, 3)) as (script, url), nothing_left():
        result = call(way, url, "fail")
    assert getattr(result, "isError" if IS_FIRST else "is_error") is True
    # A server of 1.x has made an answer of the error before anybody hears of it.
    failed = "" if IS_FIRST else "  ✗ ToolError"
    assert drawn(spans.ours()) == f"fail  ✗ ToolError\n  fail{failed}\n    chat gpt-5  20 → 3"
    assert counted(spans.ours()) == script.billed


def test_calls_at_the_same_time_stay_apart(spans):
    async def work(url):
        async with over_http(url) as session:

            async def one(number):
                with tokentrace.step(f"step-{number}"):
                    await session.call_tool("translate", {"text": f"{number}"})

            await asyncio.gather(*map(one, range(8)))

    with playing(choose=lambda body: says("Hola", 100 + int(body["input"]), 3)) as (script, url), nothing_left():
        asyncio.run(work(url))
    trees = {}
    for span in spans.ours():
        trees.setdefault(span.context.trace_id, []).append(span)
    assert sorted(map(drawn, trees.values())) == [
        f"step-{number}\n  translate\n    translate\n      chat gpt-5  {100 + number} → 3" for number in range(8)
    ]
    assert sorted(counted(spans.ours())) == sorted(script.billed)


def test_a_tool_that_a_framework_has_told_is_told_once(spans):
    async def work(url):
        async with in_memory(url) as session:
            section = begin("translate", "tool")
            with section.current():
                await session.call_tool("translate", {"text": "Hi"})
            section.end()

    with playing(says("Hola", 20, 3)) as (_, url), nothing_left():
        asyncio.run(work(url))
    assert drawn(spans.ours()) == "translate\n  translate\n    chat gpt-5  20 → 3"


def test_a_request_with_a_tool_of_a_server_is_one_in_the_books(spans, books):
    async def work(url):
        client = OpenAI(base_url=url, api_key="-")
        with tokentrace.step("answer"):
            async with in_memory(url) as session:
                said = (await session.call_tool("translate", {"text": "Hi"})).content[0].text
            client.responses.create(model="gpt-5", input=said)
        client.close()

    with playing(says("Hola", 20, 3), says("It is Hola.", 40, 5)) as (script, url), nothing_left():
        asyncio.run(work(url))
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert report["calls"] == 2


def test_without_us_it_is_what_it_was(metering):
    from mcp.server.lowlevel.server import Server

    def parts():
        # By identity: what wraps a function is equal to it.
        return [id(vars(Server).get("_handle_request")), id(vars(ClientSession)["call_tool"])]

    before = parts()
    with metering():
        assert before != parts()
    assert before == parts()


def test_the_quick_start_tells_its_tree(spans):
    """As in its documentation: https://py.sdk.modelcontextprotocol.io/"""
    server = mcp_server.MCPServer("Demo")

    @server.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers"""
        return a + b

    async def main():
        if IS_FIRST:
            from mcp.shared.memory import create_connected_server_and_client_session as connected

            async with connected(server._mcp_server) as session:
                return await session.call_tool("add", {"a": 1, "b": 2})
        async with mcp.Client(server) as client:
            return await client.call_tool("add", {"a": 1, "b": 2})

    with nothing_left():
        assert asyncio.run(main()).content[0].text == "3"
    assert drawn(spans.ours()) == "add\n  add"
