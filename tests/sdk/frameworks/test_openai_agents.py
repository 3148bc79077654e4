"""Agents of the OpenAI Agents SDK: what they do is the tree, and what the provider bills is counted below, once."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import contextmanager

import pytest

pytest.importorskip("agents", reason="runs in an environment of its own")

import agents
from agents import (
    Agent,
    GuardrailFunctionOutput,
    ModelBehaviorError,
    ModelSettings,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    custom_span,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    trace,
)
from agents.tracing import set_trace_processors
from agents.tracing.processor_interface import TracingProcessor
from openai import AsyncOpenAI
from opentelemetry import trace as opentelemetry_trace
from pydantic import BaseModel

import tokentrace
from frameworks.runs.openai_agents import (
    HANDED_OVER,
    TURNS,
    asynchronously,
    chat,
    planner,
    responses,
    streamed,
    synchronously,
    triage,
    weather,
)
from frameworks.script import playing
from frameworks.tree import counted, drawn, waits
from frameworks.turn import says, together, uses
from tokentrace import context
from tokentrace.request.section import innermost


class Heard(TracingProcessor):
    """What the SDK tells its own exporters."""

    def __init__(self):
        self.told = []

    def on_trace_start(self, trace):
        self.told.append(("begin", trace.name))

    def on_trace_end(self, trace):
        self.told.append(("end", trace.name))

    def on_span_start(self, span):
        self.told.append(("begin", span.span_data.type))

    def on_span_end(self, span):
        self.told.append(("end", span.span_data.type))

    def shutdown(self):
        pass

    def force_flush(self):
        pass


@pytest.fixture(autouse=True)
def heard():
    """No exporter of the SDK asks over the network."""
    hearing = Heard()
    set_trace_processors([hearing])
    return hearing


@pytest.fixture
def anyio_backend():
    return "asyncio"


@contextmanager
def nothing_left():
    """Whoever runs an agent is afterwards where he was before."""
    yield
    assert innermost() is None
    assert not opentelemetry_trace.get_current_span().get_span_context().is_valid


WAYS = pytest.mark.parametrize("run", [synchronously, asynchronously, streamed], ids=lambda run: run.__name__)


@WAYS
@pytest.mark.parametrize(
    ("model", "is_traced"),
    [(responses, True), (chat, True), (responses, False)],
    ids=["responses", "chat", "untraced"],
)
def test_an_agent_asks_again_after_a_refusal_and_uses_two_tools_at_once(spans, run, model, is_traced):
    config = RunConfig(tracing_disabled=not is_traced)
    with playing(*TURNS) as (script, url), nothing_left():
        said = run(url, lambda client: planner(client, model), run_config=config)
    assert said == "Go to Rome."
    assert drawn(spans.ours()) == (
        "Agent workflow\n  Planner\n    chat gpt-5  110 → 24 (6)\n    weather\n    lodging\n    chat gpt-5  180 → 12"
    )
    assert counted(spans.ours()) == script.billed


@pytest.mark.parametrize("run", [asynchronously, streamed], ids=lambda run: run.__name__)
def test_who_is_handed_over_to_follows_in_the_same_workflow(spans, books, run):
    with playing(*HANDED_OVER) as (script, url), nothing_left():
        assert run(url, triage) == "Sol."
    assert drawn(spans.ours()) == (
        "Agent workflow\n"
        "  Triage\n"
        "    chat gpt-5  50 → 8\n"
        "    Spanish  [delegate]\n"
        "  Spanish\n"
        "    chat gpt-5  80 → 9\n"
        "    weather\n"
        "    chat gpt-5  120 → 6"
    )
    assert counted(spans.ours()) == script.billed
    report = books.report(spans.ours())
    assert (sum(report["tokens"].values()), report["calls"]) == (50 + 8 + 80 + 9 + 120 + 6, 3)


def test_a_handoff_that_fails_has_no_target(spans):
    def refuse(_):
        raise LookupError("nobody is there")

    def build(client):
        spanish = Agent("Spanish", model=responses(client))
        return Agent("Triage", model=responses(client), handoffs=[handoff(spanish, on_handoff=refuse)])

    with playing(uses("transfer_to_spanish", 50, 8)) as (_, url), pytest.raises(LookupError), nothing_left():
        asynchronously(url, build)
    assert drawn(spans.ours()) == (
        "Agent workflow  ✗ LookupError\n"
        "  Triage  ✗ LookupError\n"
        "    chat gpt-5  50 → 8\n"
        "    handoff  [delegate]  ✗ LookupError"
    )


@WAYS
@pytest.mark.parametrize("is_traced", [True, False], ids=["traced", "untraced"])
def test_an_agent_that_is_a_tool_is_below_that_tool(spans, run, is_traced):
    turns = (uses("translate", 40, 7, input="Hi"), says("Hola", 20, 3), says("It is Hola.", 70, 5))
    config = RunConfig(tracing_disabled=not is_traced)

    def build(client):
        spanish = Agent("Spanish", model=responses(client))
        tool = spanish.as_tool(tool_name="translate", tool_description="Translates.", run_config=config)
        return Agent("Orchestrator", model=responses(client), tools=[tool])

    with playing(*turns) as (script, url), nothing_left():
        assert run(url, build, run_config=config) == "It is Hola."
    assert drawn(spans.ours()) == (
        "Agent workflow\n"
        "  Orchestrator\n"
        "    chat gpt-5  40 → 7\n"
        "    translate\n"
        "      Spanish\n"
        "        chat gpt-5  20 → 3\n"
        "    chat gpt-5  70 → 5"
    )
    assert counted(spans.ours()) == script.billed


def by_what_is_asked(**turns):
    """The turns of several agents that ask at the same time, by a word in their instructions."""
    return lambda body: next(turn for word, turn in turns.items() if word in (body["instructions"] or ""))


def test_what_guards_ask_is_for_the_guards(spans, books):
    turns = by_what_is_asked(homework=says("no", 30, 2), answer=says("42", 60, 4), polite=says("yes", 25, 1))

    def build(client):
        checker = Agent("Checker", instructions="Is it homework?", model=responses(client))
        reader = Agent("Reader", instructions="Is it polite?", model=responses(client))

        @input_guardrail
        async def homework(context, agent, asked):
            said = (await Runner.run(checker, asked)).final_output
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=said == "yes")

        @output_guardrail
        async def politeness(context, agent, output):
            said = (await Runner.run(reader, output)).final_output
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=said == "no")

        return Agent(
            "Teacher",
            instructions="Give the answer.",
            model=responses(client),
            input_guardrails=[homework],
            output_guardrails=[politeness],
        )

    with playing(choose=turns) as (script, url), nothing_left():
        assert asynchronously(url, build) == "42"
    tree = drawn(spans.ours())
    # Who guards the input asks at the same time as the agent.
    first, second = (
        "    chat gpt-5  60 → 4\n",
        ("    homework  [guardrail]\n      Checker\n        chat gpt-5  30 → 2  [guardrail]\n"),
    )
    assert first in tree
    assert second in tree
    assert tree.replace(first, "").replace(second, "") == (
        "Agent workflow\n  Teacher\n    politeness  [guardrail]\n      Reader\n        chat gpt-5  25 → 1  [guardrail]"
    )
    assert sorted(counted(spans.ours())) == sorted(script.billed)
    assert sorted(role for _, role in books.roles(spans.ours())).count("guardrail") == 2


@pytest.mark.parametrize("run", [asynchronously, streamed], ids=lambda run: run.__name__)
def test_an_agent_whose_answer_is_not_let_through_ends_with_that(spans, books, run):
    @output_guardrail
    def secrecy(context, agent, output):
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    def build(client):
        return Agent("Teller", model=responses(client), output_guardrails=[secrecy])

    with (
        playing(says("The secret", 30, 5)) as (script, url),
        nothing_left(),
        pytest.raises(OutputGuardrailTripwireTriggered),
    ):
        run(url, build)
    tree = drawn(spans.ours())
    # Of a stream, older releases tell the error to who reads it alone.
    assert run is streamed or "  Teller  ✗ OutputGuardrailTripwireTriggered\n" in tree
    assert tree.replace("  ✗ OutputGuardrailTripwireTriggered", "").splitlines() == [
        "Agent workflow",
        "  Teller",
        "    chat gpt-5  30 → 5",
        "    secrecy  [guardrail]",
        "    reject guardrail",
    ]
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(30, 5)]


class Trip(BaseModel):
    """An output that has a schema."""

    city: str
    days: int


@pytest.mark.parametrize("ask", [responses, chat], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("run", [asynchronously, streamed], ids=lambda run: run.__name__)
def test_an_answer_that_is_not_of_its_type_is_lost(spans, books, run, ask):
    def build(client):
        settings = ModelSettings(include_usage=True)
        return Agent("Planner", model=ask(client), tools=[weather], output_type=Trip, model_settings=settings)

    turns = (uses("weather", 40, 6, city="Rome"), says("To Rome!", 80, 11))
    with playing(*turns) as (script, url), nothing_left(), pytest.raises(ModelBehaviorError):
        run(url, build)
    tree = drawn(spans.ours()).replace("  ✗ ModelBehaviorError", "").splitlines()
    assert tree[2:] == ["    chat gpt-5  40 → 6", "    weather", "    chat gpt-5  80 → 11", "    reject schema"]
    assert counted(spans.ours()) == script.billed
    assert books.lost(spans.ours()) == [(80, 11)]


def test_what_a_tool_gives_is_no_answer_that_a_guardrail_rejects(spans):
    @output_guardrail
    def secrecy(context, agent, output):
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

    def build(client):
        settings = {"tool_use_behavior": "stop_on_first_tool", "output_guardrails": [secrecy]}
        return Agent("Teller", model=responses(client), tools=[weather], **settings)

    with (
        playing(uses("weather", 40, 6, city="Rome")) as (script, url),
        nothing_left(),
        pytest.raises(OutputGuardrailTripwireTriggered),
    ):
        asynchronously(url, build)
    assert "reject" not in drawn(spans.ours())
    assert counted(spans.ours()) == script.billed


def test_a_tool_that_fails_says_so_and_the_agent_goes_on(spans):
    @function_tool
    def broken(city: str) -> str:
        raise ConnectionError(city)

    @tool_input_guardrail
    def only_rome(data):
        return ToolGuardrailFunctionOutput.allow()

    broken.tool_input_guardrails = [only_rome]
    turns = (uses("broken", 40, 6, city="Rome"), says("It did not work.", 60, 4))
    with playing(*turns) as (script, url), nothing_left():
        asynchronously(url, lambda client: Agent("Planner", tools=[broken], model=responses(client)))
    assert drawn(spans.ours()) == (
        "Agent workflow\n"
        "  Planner\n"
        "    chat gpt-5  40 → 6\n"
        "    broken  ✗ ConnectionError\n"
        "      only_rome  [guardrail]\n"
        "    chat gpt-5  60 → 4"
    )
    assert counted(spans.ours()) == script.billed


def test_a_workflow_of_the_application_holds_all_runs_inside_and_its_own_spans(spans):
    def build(client):
        return Agent("Comedian", model=responses(client))

    async def work(url):
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            comedian = build(client)
            with trace("Joke workflow", group_id="thread-7"):
                first = await Runner.run(comedian, "Tell me a joke")
                with custom_span("rate"):
                    await Runner.run(comedian, f"Rate this joke: {first.final_output}")

    with playing(says("Ha", 10, 2), says("Bad", 20, 1)) as (script, url), nothing_left():
        asyncio.run(work(url))
    assert drawn(spans.ours()) == (
        "Joke workflow\n  Comedian\n    chat gpt-5  10 → 2\n  rate\n    Comedian\n      chat gpt-5  20 → 1"
    )
    assert counted(spans.ours()) == script.billed
    (workflow,) = (span for span in spans.ours() if span.name == "Joke workflow")
    assert workflow.attributes["gen_ai.conversation.id"] == "thread-7"


@WAYS
@pytest.mark.parametrize("is_traced", [True, False], ids=["traced", "untraced"])
def test_a_run_says_which_session_it_is_part_of_and_a_tool_which_call_it_is(spans, run, is_traced):
    turns = (uses("weather", 40, 6, city="Rome"), says("Sunny.", 60, 4))
    session = SQLiteSession("conversation-1")
    config = RunConfig(workflow_name="Weather", tracing_disabled=not is_traced)
    with playing(*turns) as (_, url), nothing_left():
        run(
            url,
            lambda client: Agent("Planner", tools=[weather], model=responses(client)),
            session=session,
            run_config=config,
        )
    session.close()
    said = {span.name: span.attributes for span in spans.ours()}
    workflow = "Weather" if is_traced else "Agent workflow"
    assert [said[name]["gen_ai.conversation.id"] for name in (workflow, "Planner")] == ["conversation-1"] * 2
    assert said["weather"]["gen_ai.tool.call.id"] == "call_1_0"
    assert said["weather"]["gen_ai.operation.name"] == "execute_tool"


def test_runs_at_the_same_time_stay_apart(spans):
    names = [f"agent-{number}" for number in range(8)]

    async def work(url):
        async with AsyncOpenAI(base_url=url, api_key="-") as client:

            async def one(name):
                with tokentrace.tags(customer=name):
                    await Runner.run(Agent(name, instructions=name, tools=[weather], model=responses(client)), "?")

            await asyncio.gather(*map(one, names))

    def choose(body):
        asked = int(body["instructions"].removeprefix("agent-"))
        is_first = isinstance(body["input"], str) or len(body["input"]) == 1
        return uses("weather", 100 + asked, 5, city="Rome") if is_first else says("Sunny.", 200 + asked, 4)

    with playing(choose=choose) as (script, url), nothing_left():
        asyncio.run(work(url))
    trees = {}
    for span in spans.ours():
        trees.setdefault(span.context.trace_id, []).append(span)
    assert sorted(map(drawn, trees.values())) == [
        f"Agent workflow\n  {name}\n    chat gpt-5  {100 + number} → 5\n    weather\n    chat gpt-5  {200 + number} → 4"
        for number, name in enumerate(names)
    ]
    assert all(
        len({span.attributes["tokentrace.attribution.customer.id"] for span in tree}) == 1 for tree in trees.values()
    )
    assert sorted(counted(spans.ours())) == sorted(script.billed)


def test_a_stream_that_is_left_early_leaves_nothing_open(spans):
    async def work(url):
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            running = Runner.run_streamed(Agent("Planner", tools=[weather], model=responses(client)), "?")
            async for event in running.stream_events():
                if event.type == "run_item_stream_event":
                    running.cancel()
                    break

    with playing(uses("weather", 40, 6, city="Rome"), says("Sunny.", 60, 4)) as (_, url), nothing_left():
        asyncio.run(work(url))
    assert not context.tracing.open
    assert [span.name for span in sorted(spans.ours(), key=lambda span: span.start_time)][:3] == [
        "Agent workflow",
        "Planner",
        "chat gpt-5",
    ]


def test_what_the_sdk_tells_its_own_exporters_is_what_it_told_them_without_us(heard, metering):
    def ran():
        heard.told.clear()
        turns = (uses("weather", 40, 6, city="Rome"), says("Sunny.", 60, 4))
        with playing(*turns) as (_, url):
            said = asynchronously(url, lambda client: Agent("Planner", tools=[weather], model=responses(client)))
        return said, list(heard.told)

    before = ran()
    with metering():
        during = ran()
    assert before == during == ran()


def test_without_us_the_sdk_is_what_it_was(metering):
    from agents.run import AgentRunner
    from agents.tool_context import ToolContext
    from agents.tool_guardrails import ToolInputGuardrail
    from agents.tracing.spans import NoOpSpan, SpanImpl
    from agents.tracing.traces import NoOpTrace, TraceImpl

    kinds = (AgentRunner, ToolContext, ToolInputGuardrail, NoOpSpan, SpanImpl, NoOpTrace, TraceImpl)

    def parts():
        # By identity: what wraps a function is equal to it.
        return [{name: id(part) for name, part in vars(kind).items()} for kind in kinds]

    before = parts()
    with metering():
        assert all(was != now for was, now in zip(before, parts(), strict=True))
        assert inspect.iscoroutinefunction(AgentRunner.run)
    assert before == parts()


def test_the_quick_start_tells_its_tree(spans, monkeypatch):
    """As in the documentation of the SDK: https://openai.github.io/openai-agents-python/quickstart/"""
    turns = by_what_is_asked(
        determine=uses("transfer_to_history_tutor", 90, 8), assistance=says("Washington.", 110, 12)
    )

    async def main():
        history_tutor_agent = Agent(
            name="History Tutor",
            handoff_description="Specialist agent for historical questions",
            instructions="You provide assistance with historical queries.",
        )
        math_tutor_agent = Agent(
            name="Math Tutor",
            handoff_description="Specialist agent for math questions",
            instructions="You provide help with math problems.",
        )
        triage_agent = Agent(
            name="Triage Agent",
            instructions="You determine which agent to use.",
            handoffs=[history_tutor_agent, math_tutor_agent],
        )
        async with AsyncOpenAI() as client:
            agents.set_default_openai_client(client, use_for_tracing=False)
            return await Runner.run(triage_agent, "Who was the first president of the United States?")

    with playing(choose=turns) as (script, url), nothing_left():
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "-")
        monkeypatch.setenv("OPENAI_DEFAULT_MODEL", "gpt-5")
        result = asyncio.run(main())
    assert result.final_output == "Washington."
    assert drawn(spans.ours()) == (
        "Agent workflow\n"
        "  Triage Agent\n"
        "    chat gpt-5  90 → 8\n"
        "    History Tutor  [delegate]\n"
        "  History Tutor\n"
        "    chat gpt-5  110 → 12"
    )
    assert counted(spans.ours()) == script.billed


def clerk(client):
    """Whose only tool a person is to approve."""

    @function_tool(needs_approval=True)
    def book(city: str) -> str:
        """Book a trip."""
        return f"{city} is booked."

    return Agent("Clerk", tools=[book], model=responses(client))


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("decisions", [["approved"], ["rejected"], ["approved", "rejected"]], ids="-".join)
def test_who_lets_a_tool_go_on_is_waited_for(spans, decisions, is_streamed):
    pytest.importorskip("agents.run_state", reason="an older release asks nobody")

    async def main(url):
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            made = clerk(client)

            async def run(asked):
                if not is_streamed:
                    return await Runner.run(made, asked)
                running = Runner.run_streamed(made, asked)
                async for _ in running.stream_events():
                    pass
                return running

            left = await run("Where to?")
            assert left.interruptions
            assert waits(spans.ours()) == []
            state = left.to_state()
            for item, decision in zip(state.get_interruptions(), decisions, strict=True):
                (state.approve if decision == "approved" else state.reject)(item)
            return (await run(state)).final_output

    asked = together(*(uses("book", 50, 8, city=f"city {number}") for number in range(len(decisions))))
    with playing(asked, says("Done.", 90, 4)) as (script, url), nothing_left():
        assert asyncio.run(main(url)) == "Done."
    assert waits(spans.ours()) == [decisions[0] if len(set(decisions)) == 1 else None]
    second = drawn(spans.ours()).split("Agent workflow\n")[-1].splitlines()
    assert second[0] == "  review approval"
    assert counted(spans.ours()) == script.billed


def test_an_answer_whose_question_nobody_saw_is_no_review(metering):
    state = pytest.importorskip("agents.run_state", reason="an older release asks nobody")

    async def main(url):
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            made = clerk(client)
            kept = (await Runner.run(made, "Where to?")).to_state().to_json()
            with metering() as spans:
                left = await state.RunState.from_json(made, kept)
                left.approve(left.get_interruptions()[0])
                assert (await Runner.run(made, left)).final_output == "Done."
                return drawn(spans.ours())

    with playing(uses("book", 50, 8, city="Rome"), says("Done.", 90, 4)) as (_, url):
        assert "review" not in asyncio.run(main(url))
