"""Pipelines, agents and tools of Haystack: where calls belong, whatever thread or task runs them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("haystack", reason="runs in an environment of its own")

from haystack import Document, Pipeline, component, tracing
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.embedders import OpenAITextEmbedder
from haystack.components.generators.chat import FallbackChatGenerator
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.components.routers import LLMMessagesRouter
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ChatMessage
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.tools import Tool
from haystack.utils import Secret

from frameworks.afterwards import nothing_is_left
from frameworks.runs.haystack import (
    ASKED,
    DELEGATED,
    IS_OLD,
    TOLD,
    desk,
    model,
    pipeline,
    run,
    said,
    search,
    written,
)
from frameworks.runs.places import TURNS
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, uses

# A generator makes two clients of which it closes none; their sockets outlive the event loops of the tests.
pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WAYS = ("run", "run_async", "streamed")


def own(spans: Any, **said: str) -> list[dict[str, Any]]:
    """The attributes of the spans that say so."""
    every = [dict(span.attributes or {}) for span in spans.ours()]
    return [each for each in every if all(each.get(key.replace("__", ".")) == value for key, value in said.items())]


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_is_what_its_model_and_tools_did(metering, way):
    def asked(url: str) -> str:
        return said(run(way, written(url, **(TOLD if way == "streamed" else {})), ASKED))

    with playing(*TURNS) as (_, url):
        expected = asked(url)
    with metering() as spans, playing(*TURNS) as (script, url):
        assert asked(url) == expected
        assert nothing_is_left()
    lines = drawn(spans.ours()).splitlines()
    tools = lines[2:4]
    assert [lines[0], lines[1], lines[4]] == ["Agent", "  chat gpt-5  110 → 24 (6)", "  chat gpt-5  180 → 12"]
    assert sorted(tools) == ["  search", "  weather"]
    assert counted(spans.ours()) == script.billed
    assert {
        each["tokentrace.step.name"]: each["tokentrace.step.kind"]
        for each in own(spans)
        if "tokentrace.step.name" in each
    } == {
        "Agent": "agent",
        "search": "tool",
        "weather": "tool",
    }


def answering(way: str, url: str) -> Any:
    """A pipeline as the documentation begins with: retrieve, build a prompt, ask."""
    store = InMemoryDocumentStore()
    store.write_documents([Document(content="Rome is warm.", embedding=[0.1] * 8)])
    embedder = OpenAITextEmbedder(api_key=Secret.from_token("-"), model="text-embedding-3-small", api_base_url=url)
    template = [ChatMessage.from_user("{{documents[0].content}} {{question}}")]
    built = pipeline(
        way,
        embedder=embedder,
        retriever=InMemoryEmbeddingRetriever(store),
        prompt=ChatPromptBuilder(template=template, required_variables="*"),
        llm=model(url),
    )
    built.connect("embedder.embedding", "retriever.query_embedding")
    built.connect("retriever", "prompt.documents")
    built.connect("prompt.prompt", "llm.messages")
    return built


@pytest.mark.parametrize("way", ["run", "run_async"])
def test_a_pipeline_is_a_workflow_of_its_components(metering, way):
    def choose(body: Any) -> Any:
        return says("", 12) if "embedding" in body["model"] else says("Warm.", 30, 5)

    given = {"embedder": {"text": "How is Rome?"}, "prompt": {"question": "How is Rome?"}}
    with playing(choose=choose) as (_, url):
        expected = run(way, answering(way, url), given)["llm"]["replies"]
    with metering() as spans, playing(choose=choose) as (script, url):
        found = run(way, answering(way, url), given)["llm"]["replies"]
        assert nothing_is_left()
    assert [each.text for each in found] == [each.text for each in expected] == ["Warm."]
    name = "AsyncPipeline" if IS_OLD and way == "run_async" else "Pipeline"
    assert (
        drawn(spans.ours())
        == f"""\
{name}
  embedder
    embeddings text-embedding-3-small  12 → 0
  retriever  [retrieve]
  prompt
  llm
    chat gpt-5  30 → 5"""
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.skipif(IS_OLD, reason="haystack has had streams of pipelines since 3.0")
def test_a_pipeline_that_is_streamed_tells_the_same(spans):
    async def read(url: str) -> Any:
        llm = model(url, generation_kwargs={"stream_options": {"include_usage": True}})
        handle = pipeline(llm=llm).stream({"llm": {"messages": ASKED}})
        return "".join([chunk.content async for chunk in handle]), handle.result

    with playing(says("Warm.", 30, 5)) as (script, url):
        text, result = asyncio.run(read(url))
    assert text == result["llm"]["replies"][0].text == "Warm."
    assert drawn(spans.ours()) == "Pipeline\n  llm\n    chat gpt-5  30 → 5"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_parts_at_the_same_time_keep_their_calls_apart(spans):
    def choose(body: Any) -> Any:
        return says("Warm.", 10, 1) if "Rome" in str(body) else says("Cold.", 20, 2)

    with playing(choose=choose) as (script, url):
        built = pipeline("run_async", rome=model(url), oslo=model(url))
        given = {
            "rome": {"messages": [ChatMessage.from_user("Rome?")]},
            "oslo": {"messages": [ChatMessage.from_user("Oslo?")]},
        }
        asyncio.run(built.run_async(given))
    lines = drawn(spans.ours()).splitlines()
    rome, oslo = ["  rome", "    chat gpt-5  10 → 1"], ["  oslo", "    chat gpt-5  20 → 2"]
    assert lines[1:] in ([*rome, *oslo], [*oslo, *rome])
    assert sorted(counted(spans.ours())) == sorted(script.billed)


@pytest.mark.parametrize("way", ["run", "run_async"])
def test_an_agent_in_a_pipeline_or_a_tool_has_its_place(spans, way):
    with playing(*DELEGATED) as (script, url):
        run(way, desk(url, way), {"lead": {"messages": ASKED}})
    assert drawn(spans.ours()).splitlines()[1:] == [
        "  lead",
        "    chat gpt-5  50 → 10",
        "    ask_expert",
        "      Agent",
        "        chat gpt-5  40 → 8",
        "        search",
        "        chat gpt-5  60 → 6",
        "    chat gpt-5  70 → 7",
    ]
    assert counted(spans.ours()) == script.billed
    assert [each["gen_ai.agent.name"] for each in own(spans, tokentrace__step__kind="agent")] == ["Agent", "lead"]


@pytest.mark.parametrize("way", ["run", "run_async"])
def test_an_error_of_a_tool_is_shown_to_the_model_and_to_us(spans, way):
    def broken(place: str) -> str:
        raise LookupError(place)

    place = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
    failing = Tool(name="broken", description="Fails.", parameters=place, function=broken)
    with playing(uses("broken", 50, 10, place="Rome"), says("Sorry.", 70, 7)) as (script, url):
        run(way, Agent(chat_generator=model(url), tools=[failing]), ASKED)
    assert drawn(spans.ours()) == (
        "Agent\n  chat gpt-5  50 → 10\n  broken  ✗ ToolInvocationError\n  chat gpt-5  70 → 7"
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", ["run", "run_async"])
def test_an_error_of_a_component_is_the_application_s(spans, way):
    @component
    class Broken:
        @component.output_types(text=str)
        def run(self, text: str) -> dict[str, str]:
            raise LookupError(text)

    with pytest.raises(PipelineRuntimeError, match="Rome"):
        run(way, pipeline(way, broken=Broken()), {"broken": {"text": "Rome"}})
    assert drawn(spans.ours()).splitlines()[1:] == ["  broken  ✗ PipelineRuntimeError"]
    assert nothing_is_left()


def test_retries_and_fallbacks_stand_below_the_component(spans):
    with playing(fails(429), fails(429), says("Warm.", 30, 5)) as (script, url):
        first, second = model(url, max_retries=0), model(url, max_retries=1)
        run("run", pipeline(llm=FallbackChatGenerator([first, second])), {"llm": {"messages": ASKED}})
    assert drawn(spans.ours()).splitlines()[1:] == [
        "  llm",
        "    chat gpt-5  ✗ RateLimitError",
        "    chat gpt-5  30 → 5",
    ]
    assert counted(spans.ours()) == script.billed


@pytest.mark.skipif(IS_OLD, reason="haystack has had MultiQueryTextRetriever since 2.22")
def test_threads_that_know_no_context_belong_to_who_starts_them(spans):
    from haystack.components.retrievers import MultiQueryTextRetriever

    @component
    class Asking:
        """A retriever that asks a model, as those that rewrite a query do."""

        def __init__(self, llm: Any) -> None:
            self.llm = llm

        @component.output_types(documents=list[Document])
        def run(self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None) -> dict[str, Any]:
            reply = self.llm.run([ChatMessage.from_user(query)])["replies"][0]
            return {"documents": [Document(content=f"{query} {reply.text}")]}

    with playing(choose=lambda _: says("Warm.", 30, 5)) as (script, url):
        built = pipeline(retriever=MultiQueryTextRetriever(retriever=Asking(model(url))))
        run("run", built, {"retriever": {"queries": ["Rome?", "Oslo?"]}})
    assert drawn(spans.ours()) == "Pipeline\n  retriever  [retrieve]" + "\n    chat gpt-5  30 → 5  [retrieve]" * 2
    assert counted(spans.ours()) == script.billed


@pytest.mark.skipif(IS_OLD, reason="haystack has had compaction since 3.0")
@pytest.mark.filterwarnings("ignore:.*is an experimental component")
def test_compaction_is_told(spans):
    from haystack.hooks.compaction import CompactionHook, SummarizationCompactor

    with playing(choose=lambda body: says("Short.", 900, 9) if "tools" not in body else says("Fine.", 30, 5)) as (
        script,
        url,
    ):
        compactor = SummarizationCompactor(model(url), min_keep_steps=0, approximate_summary_tokens=1)
        hook = CompactionHook(compactor, context_window=1000, compact_at=0.2, compact_to=0.1)
        agent = Agent(chat_generator=model(url), tools=[search], hooks={"before_llm": [hook]})
        history = [
            ChatMessage.from_user("Tell me. " * 200),
            ChatMessage.from_assistant("So it is. " * 200),
            ChatMessage.from_user("How is Rome?"),
        ]
        run("run", agent, history)
    assert (
        drawn(spans.ours())
        == """\
Agent
  SummarizationCompactor  [compact]
    chat gpt-5  900 → 9  [compact]
  chat gpt-5  30 → 5"""
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.skipif(not IS_OLD, reason="since 3.0, spans of haystack's own are a distribution of its own")
def test_haystack_s_own_spans_are_left_where_they_are(spans):
    from haystack.tracing import OpenTelemetryTracer

    tracing.enable_tracing(OpenTelemetryTracer(spans.tracer))
    try:
        with playing(says("Warm.", 30, 5)) as (script, url):
            run("run", pipeline(llm=model(url)), {"llm": {"messages": ASKED}})
    finally:
        tracing.disable_tracing()
    assert (
        drawn(spans)
        == """\
Pipeline
  haystack.pipeline.run
    llm
      haystack.component.run
        chat gpt-5  30 → 5"""
    )
    assert counted(spans.ours()) == script.billed


def test_a_pipeline_made_before_is_told_and_one_is_left_alone_after(metering):
    holders = [(Pipeline, "run"), (Pipeline, "_run_component"), (Agent, "run"), (Agent, "run_async"), (Tool, "invoke")]
    before = [vars(holder)[each] for holder, each in holders]
    built = Pipeline()
    built.add_component("retriever", InMemoryBM25Retriever(InMemoryDocumentStore()))
    with metering() as spans:
        built.run({"retriever": {"query": "Rome"}})
    built.run({"retriever": {"query": "Rome"}})
    assert drawn(spans.ours()) == "Pipeline\n  retriever  [retrieve]"
    assert all(vars(holder)[each] is was for (holder, each), was in zip(holders, before, strict=True))


def test_the_books_know_what_was_billed_and_what_for(metering, books):
    with metering() as spans, playing(says("safe", 100, 10)) as (script, url):
        router = LLMMessagesRouter(model(url), output_names=["safe", "unsafe"], output_patterns=["^safe", "unsafe"])
        run("run", pipeline(router=router), {"router": {"messages": ASKED}})
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert [each["role"] for each in report["spans"] if each["kind"] == "call"] == ["route"]
    # 100 at $1.25 and 10 at $10 per million; what routes a request is orchestration.
    assert {name: Decimal(cost) for name, cost in report["components"].items() if Decimal(cost)} == {
        "orchestration": Decimal("0.000225")
    }
