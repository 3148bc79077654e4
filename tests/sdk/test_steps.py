"""tags, step and review: what the code that runs now belongs to."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from dirty_equals import IsFloat

import tokentrace


def attributes(span):
    return dict(span.attributes)


def test_a_step_carries_its_name_role_and_the_tags_of_the_request(spans):
    with tokentrace.tags(team="search", customer="c1", beta="yes"), tokentrace.step("plan", role="plan"):
        pass
    assert spans.only() == {
        "name": "plan",
        "tokentrace.attribution.customer.id": "c1",
        "tokentrace.attribution.tag.beta": "yes",
        "tokentrace.attribution.team": "search",
        "tokentrace.role": "plan",
        "tokentrace.role_source": "explicit",
        "tokentrace.step.kind": "step",
        "tokentrace.step.name": "plan",
    }


def test_a_tool_an_agent_and_a_workflow_say_so(spans):
    with (
        tokentrace.workflow("brief", work_unit_id="order 7"),
        tokentrace.agent("researcher"),
        tokentrace.tool("web", role="tool_result", call_id="call_1"),
    ):
        pass
    tool, agent, workflow = map(attributes, spans)
    assert (tool["gen_ai.operation.name"], tool["gen_ai.tool.name"]) == ("execute_tool", "web")
    assert tool["gen_ai.tool.call.id"] == "call_1"
    assert (agent["gen_ai.operation.name"], agent["gen_ai.agent.name"]) == ("invoke_agent", "researcher")
    assert (workflow["gen_ai.operation.name"], workflow["gen_ai.workflow.name"]) == ("invoke_workflow", "brief")
    assert workflow["tokentrace.work_unit.id"] == "order 7"


def test_inner_tags_win_and_end_with_their_block(spans):
    with tokentrace.tags(team="a", feature="f"):
        with tokentrace.tags(team="b"), tokentrace.step("inner"):
            pass
        with tokentrace.step("outer"):
            pass
    found = [
        (s.name, s.attributes["tokentrace.attribution.team"], s.attributes["tokentrace.attribution.feature"])
        for s in spans
    ]
    assert found == [("inner", "b", "f"), ("outer", "a", "f")]


def test_the_tags_of_the_process_are_on_everything_and_yield_to_the_request(metering, monkeypatch):
    monkeypatch.setenv("TOKENTRACE_TAGS", "team=platform,environment=prod")
    with metering() as spans:
        with tokentrace.tags(team="search"), tokentrace.step("s"):
            pass
        found = spans.only()
    assert (found["tokentrace.attribution.team"], found["deployment.environment.name"]) == ("search", "prod")


def test_decorated_functions_are_steps_of_their_own_each_time(spans):
    @tokentrace.tags(team="a")
    @tokentrace.step("double", role="summarise")
    def double(x):
        return 2 * x

    assert [double(x) for x in (1, 2)] == [2, 4]
    assert [s.attributes["tokentrace.attribution.team"] for s in spans] == ["a", "a"]


@pytest.mark.anyio
async def test_decorated_coroutines_run_side_by_side_without_mixing(spans):
    meet = asyncio.Barrier(2)

    def job(team):
        @tokentrace.tags(team=team)
        @tokentrace.step(team)
        async def work():
            await meet.wait()
            with tokentrace.step(f"{team} inside"):
                await meet.wait()

        return work()

    await asyncio.gather(job("a"), job("b"))
    found = {s.name: s.attributes["tokentrace.attribution.team"] for s in spans}
    assert found == {"a": "a", "b": "b", "a inside": "a", "b inside": "b"}


@pytest.fixture
def anyio_backend():
    return "asyncio"


def test_an_error_passes_through_and_is_noted(spans):
    error = LookupError("gone")
    with pytest.raises(LookupError) as raised, tokentrace.step("find"):
        raise error
    assert raised.value is error
    assert spans.only()["error.type"] == "LookupError"


@pytest.mark.parametrize("kind", ["workflow", "agent", "step", "tool"])
def test_a_decorator_needs_neither_name_nor_parentheses(spans, kind):
    block = getattr(tokentrace, kind)

    @block
    def bare(x):
        return x

    @block()
    def called(x):
        return x

    class Kitchen:
        @block(role="plan")
        def cook(self, x):
            return x

    assert [bare(1), called(2), Kitchen().cook(3)] == [1, 2, 3]
    assert [(s.name, s.attributes["tokentrace.step.kind"]) for s in spans] == [
        (name, kind) for name in ("bare", "called", "Kitchen.cook")
    ]


def test_a_block_without_a_name_is_called_what_its_function_is(spans):
    def prepare():
        with tokentrace.step(role="plan"):
            pass

    prepare()
    assert [s.name for s in spans] == ["prepare"]


def test_a_class_is_refused_with_what_to_decorate():
    with pytest.raises(TypeError, match="Decorate the method"):

        @tokentrace.agent
        class Agent:
            pass


def test_a_generator_has_its_tags_while_it_runs_and_its_reader_has_not(spans):
    @tokentrace.tags(team="generator")
    @tokentrace.tool
    def search():
        for number in range(2):
            with tokentrace.step(f"inside {number}"):
                pass
            yield number

    for number in search():
        with tokentrace.step(f"reader {number}"):
            pass
    assert [(s.name, s.attributes.get("tokentrace.attribution.team")) for s in spans] == [
        ("inside 0", "generator"),
        ("reader 0", None),
        ("inside 1", "generator"),
        ("reader 1", None),
        ("search", "generator"),
    ]


@pytest.mark.anyio
async def test_asynchronous_generators_have_their_tags_while_they_run_and_their_reader_has_not(spans):
    @tokentrace.step
    @tokentrace.tags(team="generator")
    async def search(name):
        for number in range(2):
            with tokentrace.step(f"{name} {number}"):
                await asyncio.sleep(0)
            yield number

    async def read(name):
        async for number in search(name):
            with tokentrace.step(f"reader {number}"):
                await asyncio.sleep(0)

    await asyncio.gather(read("a"), read("b"))
    found = {(s.name, s.attributes.get("tokentrace.attribution.team")) for s in spans}
    assert found == {
        ("a 0", "generator"), ("a 1", "generator"), ("b 0", "generator"), ("b 1", "generator"),
        ("reader 0", None), ("reader 1", None), ("search", None),
    }  # fmt: skip


def test_the_id_of_the_trace_is_that_of_the_request_that_runs(spans):
    assert tokentrace.trace_id() is None
    with spans.tracer.start_as_current_span("application"):
        outside = tokentrace.trace_id()
        with tokentrace.step("s"):
            inside = tokentrace.trace_id()
    assert outside == inside == format(next(iter(spans)).context.trace_id, "032x")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: tokentrace.step("s", role="boss"), "role 'boss'"),
        (lambda: tokentrace.tool(role="chief"), "role 'chief'"),
        (lambda: tokentrace.review(kind="glance"), "'glance'"),
        (lambda: tokentrace.review().active(-1), "-1 is negative"),
    ],
)
def test_a_word_we_do_not_know_is_refused_with_those_we_do(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_a_review_costs_the_attention_that_was_reported(spans):
    with tokentrace.review(kind="approval", reviewer_role="editor") as work:
        work.active(60)
        work.active(30)
        work.decision = "approved"
    assert spans.only() == {
        "name": "review approval",
        "tokentrace.review.active_time": 90.0,
        "tokentrace.review.decision": "approved",
        "tokentrace.review.kind": "approval",
        "tokentrace.review.reviewer.role": "editor",
        "tokentrace.review.wait_time": 0.0,
    }


def test_a_review_without_marks_has_waiting_time_only(spans):
    with tokentrace.review(kind="audit"):
        pass
    found = spans.only()
    assert "tokentrace.review.active_time" not in found
    assert found["tokentrace.review.wait_time"] == IsFloat(ge=0)


def test_a_review_measures_between_resume_and_pause(spans, monkeypatch):
    now = iter([0.0, 10.0, 25.0, 100.0, 130.0, 200.0])
    monkeypatch.setattr("tokentrace.request.reviews.time.monotonic", lambda: next(now))
    with tokentrace.review() as work:
        work.resume()
        work.pause()
        work.resume()
        work.pause()
    found = spans.only()
    assert (found["tokentrace.review.active_time"], found["tokentrace.review.wait_time"]) == (45.0, 155.0)


def test_without_instrumentation_all_of_it_does_nothing():
    @tokentrace.step("s", role="plan")
    def work():
        return "done"

    with tokentrace.tags(team="a"), tokentrace.review() as review:
        review.active(1)
        assert work() == "done"
    assert tokentrace.flush()


def test_tags_and_steps_may_be_left_in_another_context_than_they_were_entered_in(spans):
    # As FastAPI does with the halves of a dependency that yields.
    for block in (tokentrace.tags(team="a"), tokentrace.step("s", role="plan")):
        contextvars.copy_context().run(block.__enter__)
        contextvars.copy_context().run(block.__exit__, None, None, None)
    with tokentrace.step("after"):
        pass
    assert [(s.name, s.parent, s.attributes.get("tokentrace.attribution.team")) for s in spans] == [
        ("s", None, None),
        ("after", None, None),
    ]


@pytest.mark.anyio
async def test_tasks_may_share_tags_and_steps(spans):
    search, plan = tokentrace.tags(team="search"), tokentrace.step("plan", role="plan")
    entered, left = asyncio.Event(), asyncio.Event()

    async def work(name):
        with search, plan:
            # The first to enter leaves first.
            if name == "a":
                await entered.wait()
            else:
                entered.set()
                await left.wait()
            with tokentrace.step(name):
                pass
        left.set()
        with tokentrace.step(f"after {name}"):
            pass

    await asyncio.gather(work("a"), work("b"))
    plans = {s.context.span_id for s in spans if s.name == "plan"}
    parents = {s.name: s.parent and s.parent.span_id for s in spans if s.name != "plan"}
    assert {parents["a"], parents["b"]} == plans
    assert (len(plans), parents["after a"], parents["after b"]) == (2, None, None)


def test_a_review_that_is_resumed_twice_forgets_nothing(spans, monkeypatch):
    now = iter([0.0, 10.0, 25.0, 100.0])
    monkeypatch.setattr("tokentrace.request.reviews.time.monotonic", lambda: next(now))
    with tokentrace.review() as work:
        work.resume()
        work.resume()
        work.pause()
    assert spans.only()["tokentrace.review.active_time"] == 15.0
