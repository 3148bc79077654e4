"""Workflows, agents and query engines of LlamaIndex: what they do is the tree, and what is billed is counted, once."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import httpx
import pytest

pytest.importorskip("llama_index.core", reason="runs in an environment of its own")

from llama_index.core import Document, SummaryIndex, VectorStoreIndex
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer, ChatSummaryMemoryBuffer, FactExtractionMemoryBlock
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import RouterQueryEngine
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index_instrumentation import get_dispatcher
from opentelemetry import trace as opentelemetry_trace
from workflows.events import HumanResponseEvent, InputRequiredEvent

from frameworks.runs.llama_index import HANDED_OVER, agent, awaited, calculated, handed_over, model, multiply
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says, uses
from tokentrace.request.section import innermost

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DOCUMENTS = [Document(text="Rome is warm."), Document(text="Oslo is cold.")]


@contextmanager
def indexed(url):
    """An index over two documents, and the model to ask about it."""
    with httpx.Client() as http:
        asked = OpenAIEmbedding(api_base=url, api_key="-", model="text-embedding-3-small", http_client=http)
        yield VectorStoreIndex.from_documents(DOCUMENTS, embed_model=asked), model(url, http_client=http)


def asked_or_embedded(*turns):
    """Embeddings are always billed 4; everybody else gets the next turn."""
    left = list(turns)
    return lambda body: says("", 4) if "input" in body else left.pop(0)


def is_untouched():
    return opentelemetry_trace.get_current_span() is opentelemetry_trace.INVALID_SPAN and innermost() is None


def test_an_agent_of_the_quick_start(metering, books):
    turns = uses("multiply", 50, 9, a=6, b=7), says("42", 80, 12)
    with playing(*turns) as (_, url):
        unmetered = awaited(url, calculated)
    with metering() as spans, playing(*turns) as (script, url):
        assert awaited(url, calculated) == unmetered == "42"
        assert is_untouched()
    assert (
        drawn(spans.ours())
        == """\
calculator
  chat gpt-4.1  50 → 9
  multiply
  chat gpt-4.1  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == 50 + 9 + 80 + 12
    assert report["calls"] == 2


def test_agents_hand_over_to_one_another_in_streams_with_parallel_tools_one_of_which_fails(spans):
    with playing(*HANDED_OVER) as (script, url):
        assert awaited(url, handed_over) == ("42", "42")
    assert (
        drawn(spans.ours())
        == """\
AgentWorkflow
  calculator
    chat gpt-4.1  60 → 10
    multiply
    multiply  ✗ TypeError
    chat gpt-4.1  60 → 9
    writer  [delegate]
  writer
    chat gpt-4.1  80 → 12"""
    )
    assert counted(spans.ours()) == script.billed
    assert is_untouched()
    kinds = {span.name: span.attributes["tokentrace.step.kind"] for span in spans.ours() if "chat" not in span.name}
    assert kinds == {"AgentWorkflow": "workflow", "calculator": "agent", "multiply": "tool", "writer": "agent"}
    tools = [span for span in spans.ours() if span.name == "multiply"]
    assert {span.attributes["gen_ai.tool.call.id"] for span in tools} == {"call_2_0", "call_2_1"}


def test_an_agent_whose_answer_cannot_be_parsed_is_asked_again(spans, books):
    async def work(llm):
        parsing = ReActAgent(name="thinker", description="Thinks.", tools=[multiply], llm=llm, streaming=False)
        parsing.tools = [FunctionTool.from_defaults(multiply)]
        return str(await parsing.run("What is 6 * 7?"))

    turns = (
        says('Thought: I multiply.\nAction: multiply\nAction Input: {"a": 6, "b": 7}', 90, 20),
        says("Action: 42 it is, I think. Action Input", 100, 18),
        says("Thought: I can answer.\nAnswer: 42", 120, 8),
    )
    with playing(*turns) as (script, url):
        assert awaited(url, work) == "42"
    assert (
        drawn(spans.ours())
        == """\
thinker
  chat gpt-4.1  90 → 20
  multiply
  chat gpt-4.1  100 → 18
  reject schema
  chat gpt-4.1  120 → 8"""
    )
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(100, 18)]


class Found(Event):
    text: str


class Done(Event):
    text: str


class AtOnce:
    """Tries once more."""

    def next(self, elapsed_time, attempts, error, **_):
        return 0 if attempts < 2 else None


class Flow(Workflow):
    """Asks twice at once, joins, and waits in between; its first step fails once."""

    def __init__(self, llm, **options):
        super().__init__(**options)
        self.llm = llm
        self.runs = 0

    @step
    async def split(self, ctx: Context, ev: StartEvent) -> Found | None:
        for text in ("a", "b"):
            ctx.send_event(Found(text=text))
        return None

    @step(num_workers=2, retry_policy=AtOnce())
    async def look(self, ev: Found) -> Done:
        answer = await self.llm.acomplete(ev.text)
        self.runs += ev.text == "b"
        if self.runs == 1 and ev.text == "b":
            raise LookupError
        return Done(text=str(answer))

    @step
    async def join(self, ctx: Context, ev: Done) -> StopEvent | None:
        found = ctx.collect_events(ev, [Done, Done])
        return None if found is None else StopEvent(result=sorted(each.text for each in found))


def test_steps_of_a_workflow_run_side_by_side_and_are_tried_again(spans):
    with playing(choose=lambda body: says(body["messages"][0]["content"].upper(), 10, 2)) as (script, url):
        assert awaited(url, lambda llm: Flow(llm).run()) == ["A", "B"]
    assert drawn(spans.ours()).splitlines().count("    chat gpt-4.1  10 → 2") == 3
    steps = ["  join", "  join", "  look", "  look", "  look  ✗ LookupError", "  split", "Flow"]
    assert sorted(line for line in drawn(spans.ours()).splitlines() if "chat" not in line) == steps
    assert counted(spans.ours()) == script.billed
    assert is_untouched()


class Asking(Workflow):
    """A step in a thread, and one that waits for a person."""

    @step
    def think(self, ev: StartEvent) -> Found:
        return Found(text=str(ev.llm.complete("Think.")))

    @step
    async def ask(self, ctx: Context, ev: Found) -> StopEvent:
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix=ev.text))
        return StopEvent(result=answer.response)


def test_a_step_that_waits_for_a_person_has_not_failed(spans):
    async def work(llm):
        handler = Asking().run(llm=llm)
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response=f"{event.prefix} yes"))
        return await handler

    with playing(says("so", 10, 2)) as (script, url), httpx.Client() as http:
        assert awaited(url, lambda _: work(model(url, http_client=http))) == "so yes"
    assert (
        drawn(spans.ours())
        == """\
Asking
  think
    chat gpt-4.1  10 → 2
  ask
  ask"""
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streamed"])
def test_a_query_engine_retrieves_and_synthesises(metering, books, streaming):
    turns = says("It is warm.", 40, 5)
    with metering() as spans, playing(choose=asked_or_embedded(turns)) as (script, url), indexed(url) as (index, llm):
        spans.clear()
        asked = index.as_query_engine(llm=llm, similarity_top_k=1, streaming=streaming)
        response = asked.query("How is Rome?")
        assert isinstance(response, StreamingResponse) is streaming
        answer = "".join(response.response_gen) if streaming else str(response)
        assert answer == "It is warm."
        assert is_untouched()
    assert (
        drawn(spans.ours())
        == """\
RetrieverQueryEngine
  VectorIndexRetriever  [retrieve]
    embeddings text-embedding-3-small  4 → 0  [retrieve]
  CompactAndRefine
    chat gpt-4.1  40 → 5"""
    )
    # The index was built before.
    assert counted(spans.ours()) == script.billed[1:]
    assert books.roles(spans.ours())[0] == ("text-embedding-3-small", "retrieve")


def test_a_router_chooses_an_engine_and_a_model_reranks_what_was_found(spans):
    with (
        playing(
            choose=asked_or_embedded(
                says('[{"choice": 2, "reason": "It is about one."}]', 60, 15),
                says("Doc: 1, Relevance: 9", 70, 6),
                says("It is warm.", 40, 5),
            )
        ) as (script, url),
        indexed(url) as (index, llm),
    ):
        spans.clear()
        ranked = index.as_query_engine(llm=llm, similarity_top_k=1, node_postprocessors=[LLMRerank(llm=llm, top_n=1)])
        tools = [
            QueryEngineTool.from_defaults(SummaryIndex([]).as_query_engine(llm=llm), description="Of all."),
            QueryEngineTool.from_defaults(ranked, description="Of one."),
        ]
        router = RouterQueryEngine.from_defaults(tools, llm=llm, selector=LLMSingleSelector.from_defaults(llm=llm))
        assert str(router.query("How is Rome?")) == "It is warm."
    assert (
        drawn(spans.ours())
        == """\
RouterQueryEngine
  LLMSingleSelector  [route]
    chat gpt-4.1  60 → 15  [route]
  RetrieverQueryEngine
    VectorIndexRetriever  [retrieve]
      embeddings text-embedding-3-small  4 → 0  [retrieve]
    LLMRerank
      chat gpt-4.1  70 → 6
    CompactAndRefine
      chat gpt-4.1  40 → 5"""
    )
    assert counted(spans.ours()) == script.billed[1:]


def test_a_chat_engine_streams_from_a_thread_and_condenses_what_was_said(spans):
    said = [ChatMessage(role="user", content="How is Rome?"), ChatMessage(role="assistant", content="Warm.")]
    turns = says("How is Oslo?", 30, 4), says("It is cold.", 50, 5)
    with playing(choose=asked_or_embedded(*turns)) as (script, url), indexed(url) as (index, llm):
        spans.clear()
        memory = ChatMemoryBuffer.from_defaults()
        chat = index.as_chat_engine("condense_question", llm=llm, memory=memory, similarity_top_k=1, streaming=True)
        assert "".join(chat.stream_chat("And Oslo?", chat_history=said).response_gen) == "It is cold."
    assert (
        drawn(spans.ours())
        == """\
CondenseQuestionChatEngine
  chat gpt-4.1  30 → 4
  RetrieverQueryEngine
    VectorIndexRetriever  [retrieve]
      embeddings text-embedding-3-small  4 → 0  [retrieve]
    CompactAndRefine
      chat gpt-4.1  50 → 5"""
    )
    assert counted(spans.ours()) == script.billed[1:]


def test_memory_that_asks_models_is_memory(spans):
    async def work(llm):
        facts = FactExtractionMemoryBlock(name="facts", llm=llm, max_facts=9)
        said = [ChatMessage(role="user", content="I live in Rome.")]
        await facts.aput(said, from_short_term_memory=True)
        return await facts.aget(said)

    with playing(says("<facts><fact>lives in Rome</fact></facts>", 90, 12)) as (script, url):
        assert "lives in Rome" in awaited(url, work)
    assert (
        drawn(spans.ours())
        == """\
facts  [memory]
  chat gpt-4.1  90 → 12  [memory]
facts  [memory]"""
    )
    operations = [span.attributes["gen_ai.operation.name"] for span in spans.ours() if span.name == "facts"]
    assert operations == ["update_memory", "search_memory"]
    assert counted(spans.ours()) == script.billed


def test_summarising_what_was_said_is_compaction(spans):
    with playing(says("They spoke of Rome.", 60, 6)) as (script, url), httpx.Client() as http:
        llm = model(url, http_client=http)
        history = [ChatMessage(role=role, content="Rome is warm. " * 9) for role in ("user", "assistant", "user")]
        memory = ChatSummaryMemoryBuffer.from_defaults(history, llm=llm, token_limit=40)
        assert memory.get()[0].content == "They spoke of Rome."
    assert (
        drawn(spans.ours())
        == """\
ChatSummaryMemoryBuffer  [compact]
  chat gpt-4.1  60 → 6  [compact]"""
    )
    assert counted(spans.ours()) == script.billed


def test_a_tool_is_told_once_whatever_it_is_called_by(spans):
    tool = FunctionTool.from_defaults(multiply)
    assert (tool(6, 7).raw_output, tool.call(6, 7).raw_output, asyncio.run(tool.acall(6, 7)).raw_output) == (42, 42, 42)
    assert drawn(spans.ours()) == "multiply\nmultiply\nmultiply"


def test_all_is_left_as_it_was(metering):
    from workflows.runtime.types import step_function

    def found():
        handlers = list(get_dispatcher().span_handlers)
        return handlers, step_function.partial, Context.__dict__["_workflow_run"]

    before = found()
    with metering() as spans:
        assert [
            before[0] != now if isinstance(now, list) else before[place] is not now for place, now in enumerate(found())
        ] == [True, True, True]
    assert found() == before
    with playing(says("42", 80, 12)) as (_, url):
        assert awaited(url, lambda llm: agent(llm).run("?")).response.content == "42"
    assert spans.ours() == []
