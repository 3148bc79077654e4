"""Chains, retrievers, tools and models of LangChain, without a graph around them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("langchain_core", reason="runs in an environment of its own")

from langchain.agents import create_agent
from langchain.agents.middleware import LLMToolSelectorMiddleware
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import PydanticOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough, RunnableSequence
from langchain_core.tools import BaseTool, ToolException, tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.runnables import WAYS, run
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, uses

# LangChain keeps its HTTP clients, whose sockets outlive the event loops that they were opened in.
pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PROMPT = ChatPromptTemplate.from_template("How is {place}?")


class Weather(BaseModel):
    """The weather of a place."""

    warm: bool


@tool
def search(place: str) -> str:
    """Look a place up."""
    return f"{place} is in Italy."


def chat(url: str, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-5", base_url=url, api_key="-", stream_usage=True, **options)


def responses(url: str) -> ChatOpenAI:
    return chat(url, use_responses_api=True)


def messages(url: str) -> ChatAnthropic:
    return ChatAnthropic(model="claude-opus-5", base_url=url, api_key="-")


def retriever(url: str) -> BaseRetriever:
    embedding = OpenAIEmbeddings(
        model="text-embedding-3-small", base_url=url, api_key="-", check_embedding_ctx_length=False
    )
    return InMemoryVectorStore(embedding).as_retriever()


@pytest.mark.parametrize("model", [chat, responses, messages], ids=lambda model: model.__name__)
@pytest.mark.parametrize("way", WAYS)
def test_a_chain_is_a_workflow_whatever_it_asks(metering, way, model):
    with playing(says("Warm.", 30, 5)) as (_, url):
        expected = run(way, PROMPT | model(url) | StrOutputParser(), {"place": "Rome"})
    with metering() as spans, playing(says("Warm.", 30, 5)) as (script, url):
        found = run(way, PROMPT | model(url) | StrOutputParser(), {"place": "Rome"})
        assert nothing_is_left()
    assert "".join(found) == "".join(expected) == "Warm."
    name = "claude-opus-5" if model is messages else "gpt-5"
    assert drawn(spans.ours()) == f"RunnableSequence\n  chat {name}  30 → 5"
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", WAYS)
def test_only_chains_with_a_name_are_steps_of_another(spans, way):
    with playing(says("Warm.", 30, 5), says("Caldo.", 20, 4)) as (script, url):
        describe = (PROMPT | chat(url) | StrOutputParser()).with_config(run_name="describe")
        translate = RunnableLambda(lambda text: [("user", text)]) | chat(url) | StrOutputParser()
        both = RunnableSequence(describe, RunnableParallel(text=translate), name="tour")
        run(way, both, {"place": "Rome"})
    assert (
        drawn(spans.ours())
        == """\
tour
  describe
    chat gpt-5  30 → 5
  chat gpt-5  20 → 4"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


@pytest.mark.parametrize("way", WAYS)
def test_what_is_retrieved_is_told_with_what_embeds_it(spans, way):
    def choose(body: Any) -> Any:
        return says("", 12) if "embedding" in body["model"] else says("Warm.", 30, 5)

    with playing(choose=choose) as (script, url):
        given = {"context": retriever(url), "place": RunnablePassthrough()}
        run(way, given | PROMPT | chat(url), "Rome")
    assert (
        drawn(spans.ours())
        == """\
RunnableSequence
  VectorStoreRetriever  [retrieve]
    embeddings text-embedding-3-small  12 → 0  [retrieve]
  chat gpt-5  30 → 5"""
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("is_async", [False, True])
def test_a_batch_is_one_workflow(spans, is_async):
    with playing(choose=lambda _: says("Warm.", 30, 5)) as (script, url):
        chain = PROMPT | chat(url)
        given = [{"place": "Rome"}, {"place": "Oslo"}]
        found = asyncio.run(chain.abatch(given)) if is_async else chain.batch(given)
    assert [each.content for each in found] == ["Warm.", "Warm."]
    assert drawn(spans.ours()) == "RunnableSequence" + "\n  chat gpt-5  30 → 5" * 2
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_what_is_tried_again_is_one_workflow(spans, way):
    with playing(fails(500), says("Warm.", 30, 5)) as (script, url):
        again = chat(url, max_retries=0).with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
        run(way, again.with_config(run_name="ask"), "How is Rome?")
    assert drawn(spans.ours()) == "ask\n  chat gpt-5  ✗ InternalServerError\n  chat gpt-5  30 → 5"
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", WAYS)
def test_what_another_model_answers_is_one_workflow(spans, way):
    with playing(fails(500), says("Warm.", 30, 5)) as (script, url):
        either = chat(url, max_retries=0).with_fallbacks([messages(url)])
        run(way, either, "How is Rome?")
    assert drawn(spans.ours()) == (
        "RunnableWithFallbacks\n  chat gpt-5  ✗ InternalServerError\n  chat claude-opus-5  30 → 5"
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_structured_output_counts_once(spans, way):
    with playing(uses("Weather", 30, 5, warm=True)) as (script, url):
        found = run(way, chat(url).with_structured_output(Weather, method="function_calling"), "How is Rome?")
    assert found == Weather(warm=True)
    assert drawn(spans.ours()) == "RunnableSequence\n  chat gpt-5  30 → 5"
    assert counted(spans.ours()) == script.billed


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_what_is_parsed_from_a_body_counts_once(spans):
    with playing(says('{"warm": true}', 30, 5)) as (script, url):
        found = chat(url).with_structured_output(Weather).invoke("How is Rome?")
    assert found == Weather(warm=True)
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_tool_says_which_call_it_executes(spans, way):
    call = {"type": "tool_call", "name": "search", "args": {"place": "Rome"}, "id": "c-1"}
    assert run(way, search, call).content == "Rome is in Italy."
    said = spans.only()
    assert (said["gen_ai.operation.name"], said["gen_ai.tool.name"], said["gen_ai.tool.call.id"]) == (
        "execute_tool",
        "search",
        "c-1",
    )


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_an_error_of_a_tool_is_the_application_s(spans, way):
    @tool
    def broken(place: str) -> str:
        """Fail."""
        raise ToolException(place)

    with pytest.raises(ToolException, match="Rome"):
        run(way, broken, {"place": "Rome"})
    assert drawn(spans.ours()) == "broken  ✗ ToolException"
    assert nothing_is_left()


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_what_selects_tools_for_a_model_is_told(spans, way):
    @tool
    def weather(day: int) -> str:
        """Tell the weather."""
        return f"Day {day} is warm."

    def choose(body: Any) -> Any:
        return says('{"tools": ["search"]}', 40, 8) if "response_format" in body else says("Italy.", 60, 6)

    with playing(choose=choose) as (script, url):
        selecting = LLMToolSelectorMiddleware(model=chat(url), max_tools=1)
        agent = create_agent(chat(url), [search, weather], middleware=[selecting], name="clerk")
        run(way, agent, {"messages": [("user", "Where is Rome?")]})
    assert [tokens.input for tokens in counted(spans.ours())] == [40, 60]
    assert counted(spans.ours()) == script.billed
    assert "chat gpt-5  60 → 6" in drawn(spans.ours()).splitlines()[-1]
    assert "[tool_select]" not in drawn(spans.ours()).splitlines()[-1]


def structured(url: str) -> Any:
    return chat(url).with_structured_output(Weather, method="function_calling")


def prompted(url: str) -> Any:
    return PROMPT | chat(url) | PydanticOutputParser(pydantic_object=Weather)


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("is_prompted", [False, True], ids=["structured", "prompted"])
def test_an_answer_without_the_form_that_a_chain_needs_is_lost(spans, books, way, is_prompted):
    if is_prompted:
        build, given = prompted, {"place": "Rome"}
        turns = says("I am not sure.", 30, 5), says('{"warm": true}', 40, 6)
    else:
        build, given = structured, "How is Rome?"
        turns = uses("Weather", 30, 5, warm="who knows"), uses("Weather", 40, 6, warm=True)
    with playing(*turns) as (script, url):
        again = build(url).with_retry(wait_exponential_jitter=False, stop_after_attempt=2)
        assert run(way, again, given) == Weather(warm=True)
        assert nothing_is_left()
    told = drawn(spans.ours()).splitlines()
    assert told[-3:] == ["  chat gpt-5  30 → 5", "  reject schema", "  chat gpt-5  40 → 6"]
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(30, 5)]


def test_an_answer_that_is_given_raw_where_it_cannot_be_parsed_is_not_lost(spans):
    with playing(uses("Weather", 30, 5, warm="who knows")) as (script, url), tokentrace.workflow("forecast"):
        raw = chat(url).with_structured_output(Weather, method="function_calling", include_raw=True)
        assert raw.invoke("How is Rome?")["raw"].tool_calls
    assert "reject" not in drawn(spans.ours())
    assert counted(spans.ours()) == script.billed


def test_a_stream_that_is_left_early_leaves_nothing_behind(spans):
    with playing(says("Warm and dry.", 30, 5)) as (_, url):
        for _ in (PROMPT | chat(url) | StrOutputParser()).stream({"place": "Rome"}):
            break
        assert nothing_is_left()
    assert len(spans.ours()) == 2


def test_everything_is_as_it_was_afterwards(metering):
    seams = [
        (BaseTool, "run"),
        (BaseRetriever, "invoke"),
        (RunnableSequence, "invoke"),
        (RunnableSequence, "transform"),
    ]
    before = [vars(holder)[each] for holder, each in seams]
    with metering():
        assert all(vars(holder)[each] is not was for (holder, each), was in zip(seams, before, strict=True))
    assert all(vars(holder)[each] is was for (holder, each), was in zip(seams, before, strict=True))
