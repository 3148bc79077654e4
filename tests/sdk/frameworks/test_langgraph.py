"""Graphs and agents of LangGraph and LangChain: where calls belong, whatever runs them."""

from __future__ import annotations

import asyncio
import operator
from decimal import Decimal
from typing import Annotated, Any, TypedDict

import pytest

pytest.importorskip("langgraph", reason="runs in an environment of its own")

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware, SummarizationMiddleware
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_openai import OpenAIEmbeddings
from langgraph._internal._runnable import RunnableSeq
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.pregel import Pregel
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, RetryPolicy, interrupt
from openai import RateLimitError
from pydantic import BaseModel

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.runnables import WAYS, run
from frameworks.runs.langchain import DELEGATED, TURNS, USER, desk, model, search, written
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import fails, says, together, uses

# LangChain keeps its HTTP clients, whose sockets outlive the event loops that they were opened in.
pytestmark = [
    pytest.mark.usefixtures("swept"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

THREAD = {"configurable": {"thread_id": "t-1"}}


class Findings(TypedDict):
    """What branches have found, whoever was first."""

    found: Annotated[list[str], operator.add]


class Trip(BaseModel):
    """An output that has a schema."""

    city: str
    days: int


def planner(url: str, strategy: Any) -> Any:
    return create_agent(model(url), tools=[search], response_format=strategy, name="planner")


def contents(found: Any) -> Any:
    """What was said, without the ids that LangChain makes up."""
    states = found if isinstance(found, list) else [found]
    return [[message.content for message in state["messages"]] for state in states]


def own(spans: Any, **said: str) -> list[dict[str, Any]]:
    """The attributes of the spans that say so."""
    every = [dict(span.attributes or {}) for span in spans.ours()]
    return [each for each in every if all(each.get(key.replace("__", ".")) == value for key, value in said.items())]


@pytest.mark.parametrize("way", WAYS)
def test_an_agent_is_what_its_model_and_tools_did(metering, way):
    options = {"stream_mode": "values"} if "stream" in way else {}
    with playing(*TURNS) as (_, url):
        expected = contents(run(way, written(url), USER, **options))
    with metering() as spans, playing(*TURNS) as (script, url):
        found = contents(run(way, written(url), USER, **options))
        assert nothing_is_left()
    assert found == expected
    assert sorted(drawn(spans.ours()).splitlines()) == sorted(
        [
            "meteorologist",
            "  model",
            "    chat gpt-5  110 → 24 (6)",
            "  tools",
            "    search",
            "  tools",
            "    weather",
            "  model",
            "    chat gpt-5  180 → 12",
        ]
    )
    assert counted(spans.ours()) == script.billed
    kinds = {
        each["tokentrace.step.name"]: each["tokentrace.step.kind"]
        for each in own(spans)
        if "tokentrace.step.name" in each
    }
    assert kinds == {
        "meteorologist": "agent",
        "model": "step",
        "tools": "step",
        "search": "tool",
        "weather": "tool",
    }


@pytest.mark.parametrize("mode", ["updates", "messages", "custom", "debug", ["values", "messages"]], ids=str)
def test_every_mode_of_streaming_tells_the_same(spans, mode):
    with playing(uses("search", 100, 20, 0, place="Rome"), says("Fine.", 150, 5)) as (script, url):
        run("stream", written(url), USER, stream_mode=mode)
    assert drawn(spans.ours()) == (
        "meteorologist\n  model\n    chat gpt-5  100 → 20\n  tools\n    search\n  model\n    chat gpt-5  150 → 5"
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_an_agent_made_before_is_told_and_one_is_left_alone_after(metering):
    with playing(says("Fine.", 30, 5), says("Fine.", 30, 5)) as (_, url):
        agent = written(url)
        before = [vars(holder)[each] for holder, each in SEAMS]
        with metering() as spans:
            run("invoke", agent, USER)
        run("invoke", agent, USER)
    assert drawn(spans.ours()) == "meteorologist\n  model\n    chat gpt-5  30 → 5"
    assert all(vars(holder)[each] is function for (holder, each), function in zip(SEAMS, before, strict=True))


SEAMS = [
    (Pregel, "stream"),
    (Pregel, "astream"),
    (RunnableSeq, "invoke"),
    (RunnableSeq, "ainvoke"),
    (BaseStore, "search"),
]


def test_the_thread_is_the_conversation(spans):
    with playing(says("Fine.", 30, 5)) as (_, url):
        run("invoke", written(url), USER, THREAD)
    (agent,) = own(spans, tokentrace__step__kind="agent")
    assert agent["gen_ai.conversation.id"] == "t-1"
    assert agent["gen_ai.agent.name"] == "meteorologist"


def branches(url: str) -> Any:
    """A graph of two branches at the same time, whose findings a third node sums up."""

    def branch(place: str) -> Any:
        def node(state: Findings) -> Findings:
            return {"found": [str(model(url).invoke(f"How is {place}?").content)]}

        async def anode(state: Findings) -> Findings:
            answer = await model(url).ainvoke(f"How is {place}?")
            return {"found": [str(answer.content)]}

        return node, anode

    def graph(is_async: bool) -> Any:
        def joined(state: Findings) -> Findings:
            return {"found": [str(len(state["found"]))]}

        built = StateGraph(Findings)
        for place in ("Rome", "Oslo"):
            built.add_node(place.lower(), branch(place)[is_async])
            built.add_edge(START, place.lower())
            built.add_edge(place.lower(), "join")
        built.add_node("join", joined)
        built.add_edge("join", END)
        return built.compile(name="comparison")

    return graph


@pytest.mark.parametrize("way", WAYS)
def test_branches_keep_their_calls_apart(spans, way):
    def choose(body: Any) -> Any:
        return says("Warm.", 10, 1) if "Rome" in str(body) else says("Cold.", 20, 2)

    with playing(choose=choose) as (script, url):
        run(way, branches(url)(way.startswith("a")), {"found": []})
    assert nothing_is_left()
    lines = drawn(spans.ours()).splitlines()
    assert [lines[0], lines[-1]] == ["comparison", "  join"]
    rome, oslo = ["  rome", "    chat gpt-5  10 → 1"], ["  oslo", "    chat gpt-5  20 → 2"]
    assert lines[1:-1] in ([*rome, *oslo], [*oslo, *rome])
    assert sorted(counted(spans.ours())) == sorted(script.billed)


def test_an_agent_that_is_a_node_or_a_tool_is_below_what_runs_it(spans):
    with playing(*DELEGATED) as (script, url):
        run("invoke", desk(url), USER)
    assert (
        drawn(spans.ours())
        == """\
desk
  answer
    lead
      model
        chat gpt-5  50 → 10
      tools
        ask_expert
          expert
            model
              chat gpt-5  40 → 8
            tools
              search
            model
              chat gpt-5  60 → 6
      model
        chat gpt-5  70 → 7"""
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("way", WAYS)
def test_a_node_is_a_step_per_attempt(spans, way):
    with playing(fails(429), says("Fine.", 30, 5)) as (script, url):
        asked = model(url, max_retries=0)

        def ask(state: MessagesState) -> Any:
            try:
                return {"messages": [asked.invoke(state["messages"])]}
            except RateLimitError as error:
                raise TimeoutError from error

        async def aask(state: MessagesState) -> Any:
            try:
                return {"messages": [await asked.ainvoke(state["messages"])]}
            except RateLimitError as error:
                raise TimeoutError from error

        again = RetryPolicy(initial_interval=0.0, jitter=False, retry_on=TimeoutError)
        built = StateGraph(MessagesState).add_node("ask", aask if way.startswith("a") else ask, retry_policy=again)
        run(way, built.add_edge(START, "ask").compile(), USER)
    assert (
        drawn(spans.ours())
        == """\
LangGraph
  ask  ✗ TimeoutError
    chat gpt-5  ✗ RateLimitError
  ask
    chat gpt-5  30 → 5"""
    )
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_the_client_s_own_retry_is_one_call(spans):
    with playing(fails(429), says("Fine.", 30, 5)) as (script, url):
        run("invoke", written(url), USER)
    assert drawn(spans.ours()) == "meteorologist\n  model\n    chat gpt-5  30 → 5"
    assert counted(spans.ours()) == script.billed
    (call,) = own(spans, tokentrace__usage__scope="call")
    assert call["tokentrace.attempts"] == 2


@pytest.mark.parametrize("way", WAYS)
def test_an_error_of_a_node_is_the_application_s(spans, way):
    def broken(state: MessagesState) -> Any:
        raise LookupError("gone")

    built = StateGraph(MessagesState).add_node("broken", broken).add_edge(START, "broken").compile(name="desk")
    with pytest.raises(LookupError, match="gone"):
        run(way, built, USER)
    assert drawn(spans.ours()) == "desk  ✗ LookupError\n  broken  ✗ LookupError"
    assert nothing_is_left()


def test_a_stream_that_is_left_early_leaves_nothing_behind(spans):
    with playing(*TURNS) as (_, url):
        for _ in written(url).stream(USER, stream_mode="updates"):
            break
        assert nothing_is_left()
    assert drawn(spans.ours()) == "meteorologist\n  model\n    chat gpt-5  110 → 24 (6)"


@pytest.mark.parametrize("way", WAYS)
def test_an_interrupt_is_no_error_and_its_answer_ends_a_review(spans, way):
    def ask(state: MessagesState) -> Any:
        return {"messages": [("ai", interrupt("May I?"))]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile(InMemorySaver(), name="desk")
    run(way, graph, USER, THREAD)
    assert drawn(spans.ours()) == "desk\n  ask"
    spans.clear()
    run(way, graph, Command(resume="You may."), THREAD)
    assert drawn(spans.ours()) == "desk\n  review approval\n  ask"
    (review,) = own(spans, tokentrace__review__kind="approval")
    assert review.keys() == {"tokentrace.review.kind", "tokentrace.review.wait_time"}
    assert review["tokentrace.review.wait_time"] > 0
    spans.clear()
    run(way, graph, USER, THREAD)
    assert drawn(spans.ours()) == "desk\n  ask"


@pytest.mark.parametrize(("decided", "told"), [("approve", "approved"), ("reject", "rejected")])
def test_what_was_decided_on_a_tool_is_told(spans, decided, told):
    with playing(uses("search", 40, 8, place="Rome"), says("Done.", 60, 6)) as (script, url):
        asking = HumanInTheLoopMiddleware(interrupt_on={"search": True})
        agent = create_agent(model(url), [search], middleware=[asking], checkpointer=InMemorySaver(), name="clerk")
        run("invoke", agent, USER, THREAD)
        run("invoke", agent, Command(resume={"decisions": [{"type": decided}]}), THREAD)
    (review,) = own(spans, tokentrace__review__kind="approval")
    assert review["tokentrace.review.decision"] == told
    assert counted(spans.ours()) == script.billed


def test_an_answer_whose_question_nobody_saw_is_no_review(metering):
    def ask(state: MessagesState) -> Any:
        return {"messages": [("ai", interrupt("May I?"))]}

    graph = StateGraph(MessagesState).add_node("ask", ask).add_edge(START, "ask").compile(InMemorySaver(), name="desk")
    run("invoke", graph, USER, {"configurable": {"thread_id": "before"}})
    with metering() as spans:
        run("invoke", graph, Command(resume="You may."), {"configurable": {"thread_id": "before"}})
    assert drawn(spans.ours()) == "desk\n  ask"


@pytest.mark.filterwarnings("ignore:create_react_agent has been moved")
def test_handing_over_to_another_agent_is_told(spans):
    supervisor = pytest.importorskip("langgraph_supervisor")
    with playing(
        uses("transfer_to_expert", 50, 10),
        says("Italy.", 60, 6),
        says("It is in Italy.", 70, 7),
    ) as (script, url):
        expert = create_agent(model(url), tools=[search], name="expert")
        graph = supervisor.create_supervisor([expert], model=model(url), add_handoff_back_messages=False)
        run("invoke", graph.compile(name="desk"), USER)
    assert (
        drawn(spans.ours())
        == """\
desk
  supervisor
    supervisor
      agent
        chat gpt-5  50 → 10
      tools
        transfer_to_expert  [delegate]
  expert
    expert
      model
        chat gpt-5  60 → 6
  supervisor
    supervisor
      agent
        chat gpt-5  70 → 7"""
    )
    assert counted(spans.ours()) == script.billed
    assert [each["gen_ai.agent.name"] for each in own(spans, tokentrace__step__kind="agent")] == [
        "supervisor",
        "expert",
        "supervisor",
    ]


def test_long_term_memory_is_told_with_what_embeds_it(spans):
    with playing(choose=lambda _: says("", 12)) as (script, url):
        embedding = OpenAIEmbeddings(
            model="text-embedding-3-small", base_url=url, api_key="-", check_embedding_ctx_length=False
        )
        store = InMemoryStore(index={"embed": embedding, "dims": 4})

        def remember(state: MessagesState) -> Any:
            store.put(("notes",), "1", {"text": "Rome is warm."})
            store.search(("notes",), query="Rome")
            return {}

        built = StateGraph(MessagesState).add_node("remember", remember).add_edge(START, "remember")
        run("invoke", built.compile(store=store), USER)
    assert (
        drawn(spans.ours())
        == """\
LangGraph
  remember
    upsert  [memory]
      embeddings text-embedding-3-small  12 → 0  [memory]
    search  [memory]
      embeddings text-embedding-3-small  12 → 0  [memory]"""
    )
    assert [each["gen_ai.operation.name"] for each in own(spans, tokentrace__step__kind="memory")] == [
        "upsert_memory",
        "search_memory",
    ]
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("is_async", [False, True])
def test_functions_are_workflows_and_tasks(spans, is_async):
    with playing(choose=lambda _: says("Fine.", 30, 5)) as (_, url):

        @task
        def ask(place: str) -> str:
            return str(model(url).invoke(place).content)

        @task
        async def aask(place: str) -> str:
            return str((await model(url).ainvoke(place)).content)

        @entrypoint()
        def tour(places: list[str]) -> list[str]:
            return [future.result() for future in [ask(place) for place in places]]

        @entrypoint()
        async def atour(places: list[str]) -> list[str]:
            return list(await asyncio.gather(*(aask(place) for place in places)))

        run("ainvoke" if is_async else "invoke", atour if is_async else tour, ["Rome", "Oslo"])
    a = "a" * is_async
    step = [f"    {a}ask", "      chat gpt-5  30 → 5"]
    assert drawn(spans.ours()).splitlines() == ["LangGraph", f"  {a}tour", *step, *step]
    assert nothing_is_left()


def test_the_books_know_what_was_billed_and_what_for(metering, books):
    with (
        metering() as spans,
        playing(
            says("You met.", 900, 20),
            uses("search", 100, 20, place="Rome"),
            says("It is warm.", 180, 12),
        ) as (script, url),
        tokentrace.tags(team="travel"),
    ):
        shorter = SummarizationMiddleware(model(url), trigger=("messages", 5), keep=("messages", 1))
        agent = create_agent(model(url), [search], middleware=[shorter], name="clerk")
        history = [("user", "Hello."), ("ai", "Hello.")] * 2 + [("user", "How is Rome?")]
        run("invoke", agent, {"messages": history}, THREAD)
    told = spans.ours()
    assert drawn(told).splitlines()[:3] == [
        "clerk",
        "  SummarizationMiddleware.before_model  [compact]",
        "    chat gpt-5  900 → 20  [compact]",
    ]
    report = books.report(told)
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    calls = [each for each in report["spans"] if each["kind"] == "call"]
    assert min(calls, key=lambda each: each["offset"])["role"] == "compact"
    # 1,180 at $1.25 and 52 at $10 per million, of which all of the summary is orchestration: 900 at $1.25 and 20 at $10.
    assert Decimal(report["total"]) == Decimal("0.001995")
    assert Decimal(report["components"]["orchestration"]) >= Decimal("0.001325")


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream"])
def test_an_answer_that_does_not_fit_its_schema_is_lost(spans, books, way):
    turns = (
        uses("search", 40, 6, place="Rome"),
        uses("Trip", 50, 9, city="Rome", days="many"),
        uses("Trip", 80, 11, city="Rome", days=3),
    )
    with playing(*turns) as (script, url):
        run(way, planner(url, ToolStrategy(Trip)), USER)
        assert nothing_is_left()
    assert drawn(spans.ours()).splitlines()[-5:] == [
        "  model",
        "    chat gpt-5  50 → 9",
        "    reject schema",
        "  model",
        "    chat gpt-5  80 → 11",
    ]
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(50, 9)]


def test_two_structured_answers_at_once_are_both_lost(spans, books):
    turns = (
        together(uses("Trip", 50, 9, city="Rome", days=2), uses("Trip", 5, 8, city="Bonn", days=2)),
        uses("Trip", 80, 11, city="Rome", days=3),
    )
    with playing(*turns) as (script, url):
        run("invoke", planner(url, ToolStrategy(Trip)), USER)
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(55, 17)]


def test_an_answer_of_which_a_tool_was_used_is_not_lost(spans):
    turns = (
        together(uses("search", 40, 6, place="Rome"), uses("Trip", 5, 8, city="Bonn")),
        uses("Trip", 80, 11, city="Rome", days=3),
    )
    with playing(*turns) as (script, url):
        run("invoke", planner(url, ToolStrategy(Trip)), USER)
    assert "reject" not in drawn(spans.ours())
    assert counted(spans.ours()) == script.billed


def test_a_structured_answer_that_is_not_asked_for_again_is_lost(spans, books):
    with playing(says("To Rome!", 80, 11)) as (script, url):
        with pytest.raises(StructuredOutputValidationError):
            run("invoke", planner(url, ProviderStrategy(Trip)), USER)
        assert nothing_is_left()
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(80, 11)]
