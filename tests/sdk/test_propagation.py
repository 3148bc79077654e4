"""A request that goes on in another thread, process or service, and never in a neighbour's."""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import tokentrace
from tokentrace import context


@pytest.fixture
def anyio_backend():
    return "asyncio"


def noted(name):
    with tokentrace.step(name):
        return tokentrace.trace_id()


def found(spans):
    """Name, name of the parent, team and role of every span."""
    names = {s.context.span_id: s.name for s in spans}
    return [
        (
            s.name,
            names.get(s.parent and s.parent.span_id),
            s.attributes.get("tokentrace.attribution.team"),
        )
        for s in spans
    ]


def test_a_carried_function_runs_where_it_was_taken_from_and_leaves_the_thread_as_it_was(spans):
    with ThreadPoolExecutor(1) as pool:
        with tokentrace.tags(team="a"), tokentrace.step("outer"):
            pool.submit(tokentrace.carry(noted), "carried").result()
        pool.submit(noted, "after").result()
    assert found(spans) == [("carried", "outer", "a"), ("outer", None, "a"), ("after", None, None)]


@pytest.mark.anyio
async def test_a_carried_generator_and_a_carried_coroutine_run_there_too(spans):
    def numbers():
        noted("generator")
        yield 1

    async def fetch():
        await asyncio.sleep(0)
        return noted("coroutine")

    with tokentrace.tags(team="a"), tokentrace.step("outer"):
        reading, fetching = tokentrace.carry(numbers), tokentrace.carry(fetch)
    assert list(reading()) == [1]
    noted("between")
    await fetching()
    assert found(spans) == [
        ("outer", None, "a"), ("generator", "outer", "a"), ("between", None, None), ("coroutine", "outer", "a"),
    ]  # fmt: skip


def test_a_carried_function_can_be_pickled(spans):
    with tokentrace.tags(team="a"), tokentrace.step("outer"):
        carried = pickle.dumps(tokentrace.carry(noted))
    pickle.loads(carried)("there")
    assert found(spans) == [("outer", None, "a"), ("there", "outer", "a")]


def test_a_carried_function_runs_in_the_processes_of_a_pool(spans):
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool, tokentrace.tags(team="a"):
        assert pool.submit(tokentrace.carry(context.tags)).result() == {"tokentrace.attribution.team": "a"}


def test_a_request_goes_to_another_service_and_comes_in_there(spans):
    with tokentrace.tags(team="a", customer="Müller, Söhne", beta="x=1;y"), tokentrace.step("client"):
        headers = tokentrace.outgoing({"accept": "text/plain", "baggage": "other=1"}, tags=True)
        bare = tokentrace.outgoing()
    assert sorted(bare) == ["traceparent"]
    with tokentrace.incoming({key.title(): value for key, value in headers.items()}, tags=True):
        noted("server")
    noted("after")
    server = next(s for s in spans if s.name == "server")
    assert found(spans) == [("client", None, "a"), ("server", "client", "a"), ("after", None, None)]
    assert server.attributes["tokentrace.attribution.customer.id"] == "Müller, Söhne"
    assert server.attributes["tokentrace.attribution.tag.beta"] == "x=1;y"
    assert "other" not in server.attributes


def test_the_tags_of_another_service_are_taken_only_where_that_is_wanted(spans):
    with tokentrace.tags(team="a"), tokentrace.step("client"):
        headers = tokentrace.outgoing(tags=True)
    with tokentrace.incoming(headers):
        noted("server")
    assert found(spans)[1] == ("server", "client", None)


@pytest.mark.parametrize("sent", ["", "nonsense", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"])
def test_headers_that_say_nothing_begin_a_request(spans, sent):
    with tokentrace.incoming({"traceparent": sent}):
        noted("server")
    assert found(spans) == [("server", None, None)]


def test_a_span_that_the_application_has_made_for_the_request_stays_its_parent(spans):
    with (
        spans.tracer.start_as_current_span("http"),
        tokentrace.incoming({"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}),
    ):
        noted("server")
    assert found(spans)[0] == ("server", "http", None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_requests_side_by_side_keep_their_tags_and_parents(spans, seed):
    """Tasks, threads, generators and callbacks of theirs, in an order that a seed decides."""
    chance = random.Random(seed)
    pauses = [[chance.randrange(3) for _ in range(4)] for _ in range(1_000)]
    pool = ThreadPoolExecutor(8)

    async def pause(number, place):
        for _ in range(pauses[number][place]):
            await asyncio.sleep(0)

    @tokentrace.tool
    async def search(number):
        for part in range(2):
            await pause(number, part)
            with tokentrace.step(f"{number} part"):
                yield part

    async def request(number):
        loop = asyncio.get_running_loop()
        with tokentrace.tags(team=str(number)), tokentrace.workflow(f"{number} root"):
            async for _ in search(number):
                with tokentrace.step(f"{number} reader"):
                    await pause(number, 2)
            await loop.run_in_executor(pool, tokentrace.carry(noted), f"{number} thread")
            with tokentrace.step(f"{number} inner", role="plan"):
                await asyncio.gather(*(asyncio.to_thread(noted, f"{number} task") for _ in range(2)))
            await pause(number, 3)

    async def all_of_them():
        await asyncio.gather(*(request(number) for number in chance.sample(range(1_000), 1_000)))

    with pool:
        asyncio.run(all_of_them())
    names = {s.context.span_id: s.name for s in spans}
    wrong = []
    for span in spans:
        team = span.attributes["tokentrace.attribution.team"]
        above = names.get(span.parent and span.parent.span_id)
        kind = span.name.partition(" ")[2]
        expected = {
            "part": "search", "reader": f"{team} root", "thread": f"{team} root", "inner": f"{team} root",
            "task": f"{team} inner", "root": None, "": f"{team} root",
        }[kind]  # fmt: skip
        if above != expected or (kind and span.name != f"{team} {kind}"):
            wrong.append((span.name, above, team))
    assert (wrong, len(spans)) == ([], 1_000 * 10)
