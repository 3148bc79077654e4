"""Sections that an adapter begins and ends, and functions that run as one."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import inspect
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import wrapt

import tokentrace
from tokentrace.request.running import Function, as_section, in_place
from tokentrace.request.section import begin, innermost


@pytest.fixture
def anyio_backend():
    return "asyncio"


def tree(spans):
    """Name and name of the parent of every span, in the order of their ends."""
    names = {span.context.span_id: span.name for span in spans}
    return [(span.name, names.get(span.parent and span.parent.span_id)) for span in spans]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("workflow", {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "n"}),
        ("agent", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "n"}),
        ("step", {}),
        ("tool", {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "n"}),
        ("handoff", {"tokentrace.role": "delegate", "tokentrace.role_source": "framework"}),
        (
            "retrieval",
            {
                "gen_ai.operation.name": "retrieval",
                "tokentrace.role": "retrieve",
                "tokentrace.role_source": "framework",
            },
        ),
        ("memory", {"tokentrace.role": "memory", "tokentrace.role_source": "framework"}),
        ("guardrail", {"tokentrace.role": "guardrail", "tokentrace.role_source": "framework"}),
    ],
)
def test_a_kind_says_what_the_conventions_call_it_and_what_calls_inside_are_for(spans, kind, said):
    begin("n", kind).end()
    assert spans.only() == {"name": "n", "tokentrace.step.kind": kind, "tokentrace.step.name": "n"} | said


def test_a_section_ends_once_with_its_first_error(spans):
    section = begin("s", "step")
    section.end(LookupError())
    section.end()
    assert spans.only()["error.type"] == "LookupError"


def test_a_section_may_be_named_when_it_is_over(spans):
    section = begin("handoff", "agent")
    section.rename("somebody", "agent")
    section.end()
    assert spans.only() == {
        "name": "somebody",
        "gen_ai.agent.name": "somebody",
        "gen_ai.operation.name": "invoke_agent",
        "tokentrace.step.kind": "agent",
        "tokentrace.step.name": "somebody",
    }


def test_what_runs_inside_is_below_it_and_what_runs_beside_is_not(spans):
    outer = begin("outer", "workflow")
    with outer.current():
        begin("inside", "step").end()
    begin("beside", "step").end()
    outer.end()
    assert tree(spans) == [("inside", "outer"), ("beside", None), ("outer", None)]


def test_a_child_that_begins_in_another_thread_has_the_tags_and_the_role_of_its_parent(spans):
    with tokentrace.tags(team="a"):
        parent = begin("parent", "agent", role="plan")

    def work():
        with tokentrace.tags(team="of somebody else", customer="of somebody else"):
            child = begin("child", "tool", parent=parent)
            with child.current(), tokentrace.step("below"):
                pass
            child.end()
            with tokentrace.step("after"):
                pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    parent.end()
    found = {s.name: (s.attributes["tokentrace.attribution.team"], len(s.attributes)) for s in spans}
    assert tree(spans) == [("below", "child"), ("child", "parent"), ("after", None), ("parent", None)]
    assert {name: team for name, (team, _) in found.items()} == {
        "below": "a", "child": "a", "after": "of somebody else", "parent": "a",
    }  # fmt: skip
    assert "tokentrace.attribution.customer.id" not in dict(next(s for s in spans if s.name == "child").attributes)


def test_a_child_without_tags_takes_none_from_the_thread_it_begins_in(spans):
    parent = begin("parent", "agent")
    with tokentrace.tags(team="of somebody else"):
        child = begin("child", "tool", parent=parent)
        with child.current(), tokentrace.step("below"):
            pass
        child.end()
    parent.end()
    assert [s.name for s in spans if "tokentrace.attribution.team" in s.attributes] == []


def test_a_step_of_the_application_between_parent_and_child_is_above_the_child(spans):
    parent = begin("parent", "tool")
    with parent.current(), tokentrace.step("between"), tokentrace.tags(team="inner"):
        begin("child", "agent", parent=parent).end()
    parent.end()
    assert tree(spans) == [("child", "between"), ("between", "parent"), ("parent", None)]
    assert next(iter(spans)).attributes["tokentrace.attribution.team"] == "inner"


def test_a_section_that_is_left_before_one_inside_of_it_is_left_with_that_one(spans):
    outer, inner = begin("outer", "step"), begin("inner", "step", role="plan")
    first, second = outer.enter(), inner.enter()
    first.leave()
    assert innermost() is inner
    second.leave()
    assert innermost() is None
    begin("after", "step").end()
    inner.end()
    outer.end()
    assert tree(spans)[0] == ("after", None)


def test_work_handed_on_from_a_section_stays_below_it_when_that_is_left(spans):
    section = begin("section", "step")
    with section.current():
        here = contextvars.copy_context()
    section.end()

    def later():
        for name in ("one", "two"):
            with tokentrace.step(name):
                pass

    here.run(later)
    assert tree(spans) == [("section", None), ("one", "section"), ("two", "section")]


def test_a_section_that_nobody_holds_ends(spans):
    section = begin("dropped", "step")
    assert not len(spans)
    del section
    gc.collect()
    assert spans.only()["name"] == "dropped"


def test_a_section_that_nobody_ends_ends_with_the_instrumentation(metering):
    with metering() as spans:
        section = begin("open", "step")
        from tokentrace import session

        session.current().tracing.finish()
        assert [s.name for s in spans] == ["open"]
    section.end()
    assert len(spans) == 1


def test_without_instrumentation_there_is_no_section_and_functions_just_run():
    assert begin("s", "step") is None
    assert list(numbers(2)) == [0, 1]
    assert asyncio.run(collect(counted(2))) == [0, 1]
    assert double(2) == 4


def section(kind="step"):
    return as_section(lambda call: begin(str(len(call.args)), kind))


def wrapped(function):
    return Function(function, section())


@wrapped
def double(x):
    """Twice as much."""
    with tokentrace.step("inside"):
        return 2 * x


@wrapped
def numbers(count):
    for number in range(count):
        with tokentrace.step(f"inside {number}"):
            pass
        yield number
    return "end"


@wrapped
async def counted(count):
    for number in range(count):
        await asyncio.sleep(0)
        with tokentrace.step(f"inside {number}"):
            pass
        yield number


@wrapped
async def fetched(x):
    await asyncio.sleep(0)
    with tokentrace.step("inside"):
        return 2 * x


async def collect(generator):
    return [part async for part in generator]


class Worker:
    @wrapped
    def method(self, x):
        return (self, x)

    @classmethod
    @wrapped
    def of_class(cls, x):
        return (cls, x)

    @staticmethod
    @wrapped
    def of_none(x):
        return x


def test_a_function_stays_what_it_was():
    assert (double.__name__, double.__doc__, str(inspect.signature(double))) == ("double", "Twice as much.", "(x)")
    assert inspect.isgeneratorfunction(numbers)
    assert inspect.isasyncgenfunction(counted)
    assert inspect.iscoroutinefunction(fetched)
    assert pickle.loads(pickle.dumps(double)) is double
    assert copy.deepcopy([double])[0] is double
    worker = Worker()
    assert worker.method(1) == (worker, 1)
    assert (Worker.of_class(1), Worker.of_none(1)) == ((Worker, 1), 1)
    assert isinstance(pickle.loads(pickle.dumps(worker.method))(1)[0], Worker)


def test_a_plain_function_is_a_section(spans):
    assert double(2) == 4
    assert tree(spans) == [("inside", "1"), ("1", None)]


@pytest.mark.anyio
async def test_a_coroutine_is_a_section_while_it_runs(spans):
    waiting = fetched(2)
    with tokentrace.step("beside"):
        pass
    assert await waiting == 4
    assert tree(spans) == [("beside", None), ("inside", "1"), ("1", None)]


def test_a_generator_is_entered_only_while_it_runs(spans):
    reading = numbers(2)
    for number in reading:
        with tokentrace.step(f"reader {number}"):
            pass
    assert tree(spans) == [
        ("inside 0", "1"), ("reader 0", None), ("inside 1", "1"), ("reader 1", None), ("1", None),
    ]  # fmt: skip


@pytest.mark.anyio
async def test_an_asynchronous_generator_is_entered_only_while_it_runs(spans):
    async for number in counted(2):
        with tokentrace.step(f"reader {number}"):
            pass
    assert tree(spans) == [
        ("inside 0", "1"), ("reader 0", None), ("inside 1", "1"), ("reader 1", None), ("1", None),
    ]  # fmt: skip


def test_a_block_around_a_yield_is_not_around_the_reader(spans):
    @wrapped
    def stream():
        with tokentrace.tags(team="stream"), tokentrace.step("open", role="plan"):
            yield 1
            with tokentrace.step("still inside"):
                yield 2

    for number in stream():
        with tokentrace.step(f"reader {number}"):
            pass
    assert tree(spans) == [
        ("reader 1", None), ("reader 2", None), ("still inside", "open"), ("open", "0"), ("0", None),
    ]  # fmt: skip
    assert ["tokentrace.attribution.team" in s.attributes for s in spans] == [False, False, True, True, False]


def test_a_generator_that_is_read_in_a_copy_of_the_context_each_time_leaves_its_blocks(spans):
    @wrapped
    def stream():
        with tokentrace.step("first"):
            yield 1
        with tokentrace.step("second"):
            yield 2

    reading = stream()
    assert [contextvars.copy_context().run(next, reading, None) for _ in range(3)] == [1, 2, None]
    assert tree(spans) == [("first", "0"), ("second", "0"), ("0", None)]


def test_a_generator_belongs_to_where_it_was_made(spans):
    with tokentrace.tags(team="maker"), tokentrace.step("maker"):
        reading = numbers(1)
    with tokentrace.tags(team="reader"), tokentrace.step("reader"):
        assert list(reading) == [0]
    assert tree(spans) == [("maker", None), ("inside 0", "1"), ("1", "maker"), ("reader", None)]
    assert [s.attributes["tokentrace.attribution.team"] for s in spans] == ["maker", "maker", "maker", "reader"]


def test_generators_that_are_read_in_turns_do_not_mix(spans):
    first, second = numbers(2), numbers(2)
    assert list(zip(first, second, strict=True)) == [(0, 0), (1, 1)]
    parents = {}
    for span in spans:
        if span.parent:
            parents.setdefault(span.parent.span_id, []).append(span.name)
    assert list(parents.values()) == [["inside 0", "inside 1"]] * 2


@wrapped
def talk():
    try:
        got = yield "first"
        while True:
            try:
                got = yield got
            except KeyError as error:
                got = error.args[0]
    finally:
        with tokentrace.step("cleanup"):
            pass


def test_a_generator_is_sent_to_thrown_into_and_closed_as_ever(spans):
    talking = talk()
    assert next(talking) == "first"
    assert talking.send("a") == "a"
    assert talking.throw(KeyError("b")) == "b"
    assert not len(spans)
    talking.close()
    assert tree(spans) == [("cleanup", "0"), ("0", None)]
    assert "error.type" not in list(spans)[-1].attributes


def test_the_value_that_a_generator_returns_arrives(spans):
    def outer():
        return (yield from numbers(1))

    reading = outer()
    next(reading)
    with pytest.raises(StopIteration) as over:
        next(reading)
    assert over.value.value == "end"


def test_an_error_in_a_generator_passes_and_ends_its_section(spans):
    talking = talk()
    next(talking)
    error = LookupError("gone")
    with pytest.raises(LookupError) as raised:
        talking.throw(error)
    assert raised.value is error
    assert list(spans)[-1].attributes["error.type"] == "LookupError"


def test_a_generator_that_is_dropped_unfinished_ends_its_section(spans):
    talking = talk()
    next(talking)
    del talking
    gc.collect()
    assert tree(spans) == [("cleanup", "0"), ("0", None)]


def test_a_generator_that_nobody_reads_ends_its_section(spans):
    numbers(3)
    gc.collect()
    assert tree(spans) == [("1", None)]


@pytest.mark.anyio
async def test_an_asynchronous_generator_that_is_left_early_ends_its_section(spans):
    reading = counted(5)
    async for _ in reading:
        break
    await reading.aclose()
    assert tree(spans) == [("inside 0", "1"), ("1", None)]


@pytest.mark.anyio
async def test_a_coroutine_that_is_cancelled_ends_its_section(spans):
    begun = asyncio.Event()

    @wrapped
    async def wait():
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert spans.only()["error.type"] == "CancelledError"


@pytest.mark.anyio
async def test_a_function_that_gives_a_coroutine_or_a_generator_goes_on_with_it(spans):
    @wrapped
    def gives_coroutine():
        return inspect.unwrap(fetched)(1)

    @wrapped
    async def gives_generator():
        return inspect.unwrap(counted)(1)

    assert await gives_coroutine() == 2
    assert await collect(await gives_generator()) == [0]
    assert tree(spans) == [("inside", "0"), ("0", None), ("inside 0", "0"), ("0", None)]


def test_a_method_of_a_library_can_be_wrapped_and_left_as_it_was(spans):
    class Library:
        def run(self, task):
            return task

    plain = Library.run
    handle = wrapt.wrap_function_wrapper(Library, "run", section("agent"))
    assert Library().run("t") == "t"
    wrapt.unwrap_object(Library, "run", handle)
    assert Library.run is plain
    assert spans.only()["gen_ai.operation.name"] == "invoke_agent"


def test_threads_may_run_one_generator_in_turns(spans):
    reading = numbers(4)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        got = [pool.submit(next, reading).result() for pool in (one, other, one, other)]
        assert one.submit(innermost).result() is None
    reading.close()
    assert (got, tree(spans)[-1]) == ([0, 1, 2, 3], ("1", None))


def test_a_generator_that_a_function_has_given_runs_where_that_was(spans):
    section = begin("s", "step")
    begin_inside = in_place(section, (begin(f"{number}", "step") for number in (1, 2)))
    section.end()
    for each in begin_inside:
        assert innermost() is None
        each.end()
    assert tree(spans) == [("s", None), ("1", "s"), ("2", "s")]
    assert in_place(section, 7) == 7


def test_what_a_framework_raises_to_go_on_elsewhere_is_no_error(spans):
    for raised in (KeyError(), LookupError()):
        section = begin("s", "step")
        section.signals = ("KeyError",)
        section.end(raised)
    assert [dict(span.attributes).get("error.type") for span in spans] == [None, "LookupError"]
