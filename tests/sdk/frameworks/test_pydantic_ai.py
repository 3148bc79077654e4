"""Agents of Pydantic AI: what they do is the tree, and what the provider bills is counted below, once."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager

import pytest

pytest.importorskip("pydantic_ai", reason="runs in an environment of its own")

from anthropic import AsyncAnthropic
from opentelemetry import trace as opentelemetry_trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    DeferredToolResults,
    ModelRetry,
    RunContext,
    TextOutput,
    ToolApproved,
)
from pydantic_ai.exceptions import ToolRetryError, UnexpectedModelBehavior
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.providers.anthropic import AnthropicProvider

try:
    from pydantic_graph import GraphBuilder
except ImportError:
    from pydantic_graph.beta import GraphBuilder

import tokentrace
from frameworks.runs.pydantic_ai import (
    DELEGATED,
    TURNS,
    chat,
    orchestrator,
    planner,
    responses,
    streamed,
    weather,
    whole,
    within,
)
from frameworks.script import playing
from frameworks.tree import counted, drawn, waits
from frameworks.turn import says, together, uses
from tokentrace import context
from tokentrace.request.section import innermost


class Trip(BaseModel):
    """An output that has a schema."""

    city: str
    days: int


@contextmanager
def nothing_left():
    """Whoever runs an agent is afterwards where he was before."""
    yield
    assert innermost() is None
    assert not opentelemetry_trace.get_current_span().get_span_context().is_valid
    assert context.tracing is None or not context.tracing.open


def messages(url):
    client = AsyncAnthropic(base_url=url, api_key="-")
    return AnthropicModel("claude-opus-5", provider=AnthropicProvider(anthropic_client=client)), client


def step_by_step(url, build, ask=responses):
    async def work(model):
        async with build(model).iter("Where to?") as run:
            async for _ in run:
                pass
            return run.result.output

    return within(work, url, ask)


def synchronous(url, build, ask=responses):
    with asyncio.Runner() as running:
        asyncio.set_event_loop(running.get_loop())
        model, client = ask(url)
        try:
            return build(model).run_sync("Where to?").output
        finally:
            running.run(client.close())
            asyncio.set_event_loop(None)


WAYS = pytest.mark.parametrize("run", [whole, streamed, step_by_step, synchronous], ids=lambda run: run.__name__)
ASKED = pytest.mark.parametrize("ask", [chat, responses, messages], ids=lambda ask: ask.__name__)


@WAYS
@ASKED
def test_an_agent_asks_again_after_a_refusal_and_uses_two_tools_at_once(spans, run, ask):
    with playing(*TURNS) as (script, url), nothing_left():
        assert run(url, planner, ask) == "Go to Rome."
    called = "chat claude-opus-5" if ask is messages else "chat gpt-5"
    assert drawn(spans.ours()) == (f"Planner\n  {called}  110 → 24 (6)\n  weather\n  lodging\n  {called}  180 → 12")
    assert counted(spans.ours()) == script.billed


def test_an_agent_that_a_tool_runs_is_below_that_tool(spans, books):
    with playing(*DELEGATED) as (script, url), nothing_left():
        assert whole(url, orchestrator) == "It is Hola."
    assert drawn(spans.ours()) == (
        "Orchestrator\n"
        "  chat gpt-5  40 → 7\n"
        "  translate\n"
        "    Translator\n"
        "      chat gpt-5  20 → 3\n"
        "  chat gpt-5  70 → 5"
    )
    assert counted(spans.ours()) == script.billed
    said = {span.name: span.attributes for span in spans.ours()}
    assert said["translate"]["gen_ai.tool.call.id"] == "call_1_0"
    assert said["Translator"]["gen_ai.agent.name"] == "Translator"
    report = books.report(spans.ours())
    assert (sum(report["tokens"].values()), report["calls"]) == (40 + 7 + 20 + 3 + 70 + 5, 3)


@pytest.mark.parametrize("run", [whole, synchronous], ids=lambda run: run.__name__)
def test_an_output_that_its_validator_rejects_is_asked_for_again(spans, books, run):
    turns = (
        uses("final_result", 50, 9, city="Rome", days=90),
        says("Too long.", 20, 2),
        uses("final_result", 80, 9, city="Rome", days=3),
        says("Fine.", 25, 1),
    )

    def build(model):
        judge = Agent(model, name="Judge")
        planner = Agent(model, name="Planner", output_type=Trip)

        @planner.output_validator
        async def is_short(output: Trip) -> Trip:
            await judge.run(f"{output.days} days?")
            if output.days > 9:
                raise ModelRetry("Too long.")
            return output

        return planner

    with playing(*turns) as (script, url), nothing_left():
        assert run(url, build) == Trip(city="Rome", days=3)
    judged = "    Judge\n      chat gpt-5  {}  [verify]\n"
    tree = drawn(spans.ours()).replace("ToolRetryError", "ModelRetry")
    assert tree + "\n" == (
        "Planner\n"
        "  chat gpt-5  50 → 9\n"
        "  is_short  [verify]  ✗ ModelRetry\n"
        + judged.format("20 → 2")
        + "  reject validation\n  chat gpt-5  80 → 9\n  is_short  [verify]\n"
        + judged.format("25 → 1")
    )
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(50, 9)]
    assert [role for _, role in books.roles(spans.ours())][1::2] == ["verify", "verify"]


@ASKED
def test_an_output_that_does_not_fit_its_schema_is_lost(spans, books, ask):
    turns = (uses("final_result", 50, 9, city="Rome"), uses("final_result", 80, 11, city="Rome", days=3))
    with playing(*turns) as (script, url), nothing_left():
        output = step_by_step(url, lambda model: Agent(model, name="Planner", output_type=Trip), ask)
    assert output == Trip(city="Rome", days=3)
    called = "chat claude-opus-5" if ask is messages else "chat gpt-5"
    assert drawn(spans.ours()) == f"Planner\n  {called}  50 → 9\n  reject validation\n  {called}  80 → 11"
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(50, 9)]


def test_what_an_output_function_asks_for_before_it_rejects_is_not_what_it_rejects(spans, books):
    turns = (says("Rome for 90 days.", 50, 9), says("Long.", 20, 2), says("Rome.", 80, 11), says("Short.", 25, 1))

    def build(model):
        judge = Agent(model, name="Judge")

        async def short(text: str) -> str:
            if (await judge.run(text)).output == "Long.":
                raise ModelRetry("Too long.")
            return text

        return Agent(model, name="Planner", output_type=TextOutput(short))

    with playing(*turns) as (script, url), nothing_left():
        assert whole(url, build) == "Rome."
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(50, 9)]


@pytest.mark.parametrize("run", [whole, streamed], ids=lambda run: run.__name__)
def test_an_output_that_is_not_asked_for_again_is_lost(spans, books, run):
    def build(model):
        planner = Agent(model, name="Planner", retries=0)

        @planner.output_validator
        def never(ctx: RunContext, output: str) -> str:
            if not ctx.partial_output:
                raise ModelRetry("Never.")
            return output

        return planner

    unfit = pytest.raises((ModelRetry, ToolRetryError, UnexpectedModelBehavior))
    with playing(says("Go to Rome.", 50, 9)) as (script, url), nothing_left(), unfit:
        run(url, build)
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(50, 9)]


def test_an_answer_whose_tool_was_used_is_not_lost(spans):
    turns = (
        together(uses("weather", 40, 6, city="Rome"), uses("final_result", 10, 3, city="Rome")),
        uses("final_result", 80, 11, city="Rome", days=3),
    )
    with playing(*turns) as (script, url), nothing_left():
        whole(url, lambda model: Agent(model, name="Planner", tools=[weather], output_type=Trip))
    assert counted(spans.ours()) == script.billed
    assert "reject" not in drawn(spans.ours())


def test_the_pieces_of_a_streamed_output_are_not_verified(spans):
    def build(model):
        planner = Agent(model, name="Planner")

        @planner.output_validator
        def is_polite(output: str) -> str:
            return output

        return planner

    with playing(says("Go to Rome, please, and stay.", 50, 9)) as (script, url), nothing_left():
        assert streamed(url, build) == "Go to Rome, please, and stay."
    # An older release looks once more at what is complete; none of them is told of each piece.
    tree = drawn(spans.ours()).splitlines()
    assert tree[:3] == ["Planner", "  chat gpt-5  50 → 9", "  is_polite  [verify]"]
    assert len(tree) <= 5
    assert counted(spans.ours()) == script.billed


def test_a_tool_that_wants_to_be_called_anew_is_told_with_its_error(spans):
    turns = (uses("find", 40, 6, city="Rom"), uses("find", 60, 6, city="Rome"), says("Found.", 90, 4))

    def find(city: str) -> str:
        if city != "Rome":
            raise ModelRetry("Write it in English.")
        return "found"

    with playing(*turns) as (script, url), nothing_left():
        assert whole(url, lambda model: Agent(model, name="Finder", tools=[find])) == "Found."
    assert drawn(spans.ours()) == (
        "Finder\n  chat gpt-5  40 → 6\n  find  ✗ ToolRetryError\n  chat gpt-5  60 → 6\n  find\n  chat gpt-5  90 → 4"
    )
    assert counted(spans.ours()) == script.billed


def test_an_agent_that_gives_up_raises_what_it_raises_without_us(spans):
    def find(city: str) -> str:
        raise ModelRetry("Never.")

    turns = (uses("find", 40, 6, city="Rome"), uses("find", 60, 6, city="Rome"))
    with playing(*turns) as (script, url), nothing_left(), pytest.raises(UnexpectedModelBehavior):
        whole(url, lambda model: Agent(model, name="Finder", tools=[find]))
    assert drawn(spans.ours()) == (
        "Finder  ✗ UnexpectedModelBehavior\n"
        "  chat gpt-5  40 → 6\n"
        "  find  ✗ ToolRetryError\n"
        "  chat gpt-5  60 → 6\n"
        "  find  ✗ UnexpectedModelBehavior"
    )
    assert counted(spans.ours()) == script.billed


def test_a_tool_that_is_run_later_has_not_failed(spans):
    from pydantic_ai import ApprovalRequired, DeferredToolRequests

    def delete(path: str) -> str:
        raise ApprovalRequired

    def build(model):
        return Agent(model, name="Cleaner", tools=[delete], output_type=[str, DeferredToolRequests])

    with playing(uses("delete", 40, 6, path="a")) as (script, url), nothing_left():
        assert isinstance(whole(url, build), DeferredToolRequests)
    assert drawn(spans.ours()) == "Cleaner\n  chat gpt-5  40 → 6\n  delete"
    assert counted(spans.ours()) == script.billed


def test_spans_of_its_own_are_none_of_the_calls(spans):
    """The spans of `instrument_all` stand between ours, and count nothing."""
    Agent.instrument_all(InstrumentationSettings(tracer_provider=spans.provider))
    turns = (uses("weather", 40, 6, city="Rome"), says("Sunny.", 90, 4))
    try:
        with playing(*turns) as (script, url), nothing_left():
            whole(url, lambda model: Agent(model, name="Planner", tools=[weather]))
    finally:
        Agent.instrument_all(False)
    assert len(list(spans)) > len(spans.ours())
    assert counted(spans) == script.billed
    assert {span.context.trace_id for span in spans.ours()} == {next(iter(spans)).context.trace_id}


def shown(report):
    """The tree of a report: span → the name of the one above."""
    names = {span["span_id"]: span["name"] for span in report["spans"]}
    return sorted((span["name"], names.get(span["parent_id"], "")) for span in report["spans"])


def test_spans_of_its_own_that_go_elsewhere_do_not_cut_the_tree(spans, books):
    """`instrument_all` with another backend than ours: calls are still below their agents, and tools too."""
    turns = (uses("weather", 40, 6, city="Rome"), says("Sunny.", 90, 4))
    provider = TracerProvider(shutdown_on_exit=False)
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    try:
        with playing(*turns) as (script, url), nothing_left():
            whole(url, lambda model: Agent(model, name="Planner", tools=[weather]))
    finally:
        Agent.instrument_all(False)
    report = books.report(spans.ours())
    assert shown(report) == [
        ("Planner", ""),
        ("chat gpt-5", "Planner"),
        ("chat gpt-5", "Planner"),
        ("weather", "Planner"),
    ]
    assert sum(report["tokens"].values()) == sum(billed.input + billed.output for billed in script.billed)


def test_runs_at_the_same_time_stay_apart(spans):
    names = [f"agent-{number}" for number in range(8)]

    async def work(model):
        async def one(name):
            with tokentrace.tags(customer=name):
                await Agent(model, name=name, instructions=name, tools=[weather]).run("?")

        await asyncio.gather(*map(one, names))

    def choose(body):
        asked = int(body["instructions"].removeprefix("agent-"))
        is_first = len(body["input"]) == 1
        return uses("weather", 100 + asked, 5, city="Rome") if is_first else says("Sunny.", 200 + asked, 4)

    with playing(choose=choose) as (script, url), nothing_left():
        within(work, url)
    trees = {}
    for span in spans.ours():
        trees.setdefault(span.context.trace_id, []).append(span)
    assert sorted(map(drawn, trees.values())) == [
        f"{name}\n  chat gpt-5  {100 + number} → 5\n  weather\n  chat gpt-5  {200 + number} → 4"
        for number, name in enumerate(names)
    ]
    assert all(
        len({span.attributes["tokentrace.attribution.customer.id"] for span in tree}) == 1 for tree in trees.values()
    )
    assert sorted(counted(spans.ours())) == sorted(script.billed)


@pytest.mark.parametrize("is_stepped", [True, False], ids=["iter", "run"])
def test_an_agent_without_a_name_is_called_as_without_us(metering, is_stepped):
    async def work(model):
        concierge = Agent(model)
        if is_stepped:
            async with concierge.iter("?") as run:
                async for _ in run:
                    pass
        else:
            await concierge.run("?")
        return concierge.name

    with playing(*[says("Yes.", 10, 1)] * 2) as (_, url):
        bare = within(work, url)
        with metering() as spans:
            assert within(work, url) == bare
    assert drawn(spans.ours()) == f"{bare or 'agent'}\n  chat gpt-5  10 → 1"


def writing(model):
    """A graph of two agents, one after the other."""
    builder = GraphBuilder(output_type=str)

    @builder.step
    async def draft(_):
        return (await Agent(model, name="Writer").run("Write.")).output

    @builder.step
    async def polish(step):
        return (await Agent(model, name="Editor").run(step.inputs)).output

    builder.add(
        builder.edge_from(builder.start_node).to(draft),
        builder.edge_from(draft).to(polish),
        builder.edge_from(polish).to(builder.end_node),
    )
    return builder.build()


@pytest.mark.parametrize("is_stepped", [True, False], ids=["iter", "run"])
def test_a_graph_is_the_workflow_of_the_agents_in_it(metering, is_stepped):
    async def work(model):
        newsroom = writing(model)
        if not is_stepped:
            return await newsroom.run(), newsroom.name
        async with newsroom.iter() as run:
            async for _ in run:
                pass
            return run.output, newsroom.name

    turns = (says("Draft.", 30, 8), says("Text.", 40, 9))
    with playing(*turns * 2) as (script, url):
        bare = within(work, url)
        with metering() as spans, nothing_left():
            assert within(work, url) == bare == ("Text.", "newsroom")
    assert drawn(spans.ours()) == ("newsroom\n  Writer\n    chat gpt-5  30 → 8\n  Editor\n    chat gpt-5  40 → 9")
    assert counted(spans.ours()) == script.billed[2:]


def test_without_us_it_is_what_it_was(metering):
    from pydantic_ai._output import OutputValidator

    try:
        from pydantic_ai.tool_manager import ToolManager
    except ImportError:
        from pydantic_ai._tool_manager import ToolManager

    kinds = (Agent, OutputValidator, ToolManager)

    def parts():
        # By identity: what wraps a function is equal to it.
        return [{name: id(part) for name, part in vars(kind).items()} for kind in kinds]

    before = parts()
    with metering():
        assert all(was != now for was, now in zip(before, parts(), strict=True))
        assert inspect.signature(Agent.iter).parameters.keys() >= {"user_prompt", "output_type"}
    assert before == parts()


def test_the_quick_start_tells_its_tree(spans):
    """As in its documentation: https://ai.pydantic.dev/#tools-dependency-injection-example"""

    class SupportOutput(BaseModel):
        support_advice: str
        block_card: bool

    async def main(model):
        support_agent = Agent(
            model,
            deps_type=int,
            output_type=SupportOutput,
            instructions="You are a support agent in our bank.",
        )

        @support_agent.instructions
        async def add_customer_name(ctx: RunContext[int]) -> str:
            return f"The customer's name is {ctx.deps}"

        @support_agent.tool
        async def customer_balance(ctx: RunContext[int], include_pending: bool) -> float:
            """Returns the customer's current account balance."""
            return 123.45

        return (await support_agent.run("What is my balance?", deps=123)).output

    turns = (
        uses("customer_balance", 90, 8, include_pending=True),
        uses("final_result", 110, 12, support_advice="It is $123.45.", block_card=False),
    )
    with playing(*turns) as (script, url), nothing_left():
        output = within(main, url)
    assert output == SupportOutput(support_advice="It is $123.45.", block_card=False)
    assert drawn(spans.ours()) == ("support_agent\n  chat gpt-5  90 → 8\n  customer_balance\n  chat gpt-5  110 → 12")
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    ("answer", "decision"), [(True, "approved"), (ToolApproved(), "approved"), (False, "rejected")]
)
def test_who_lets_a_tool_go_on_is_waited_for(spans, answer, decision, is_streamed):
    async def work(model):
        clerk = Agent(model, name="clerk", output_type=[str, DeferredToolRequests])

        @clerk.tool_plain(requires_approval=True)
        def book(city: str) -> str:
            return f"{city} is booked."

        async def run(*asked, **options):
            if not is_streamed:
                result = await clerk.run(*asked, **options)
                return result.output, result.all_messages()
            async with clerk.run_stream(*asked, **options) as running:
                return await running.get_output(), running.all_messages()

        asked, history = await run("Where to?")
        assert waits(spans.ours()) == []
        answers = DeferredToolResults(approvals={call.tool_call_id: answer for call in asked.approvals})
        return (await run(message_history=history, deferred_tool_results=answers))[0]

    with playing(uses("book", 50, 8, city="Rome"), says("Done.", 90, 4)) as (script, url), nothing_left():
        assert within(work, url) == "Done."
    assert waits(spans.ours()) == [decision]
    assert drawn(spans.ours()).split("clerk\n")[-1].splitlines()[0] == "  review approval"
    assert counted(spans.ours()) == script.billed
