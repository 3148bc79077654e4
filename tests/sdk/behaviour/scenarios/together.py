"""Many calls at once."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
from shapes.provider import Answer
from shapes.shape import SYNC, current

from behaviour.door import Door
from behaviour.play import AWAITED, PLAIN, Play, Record, Scenario, record, streamed, whole
from behaviour.reading import rest


def _answer(door: Door) -> tuple[Answer, ...]:
    return (door.answer(),)


async def _threads(play: Play) -> Any:
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda _: play.door.ask(play.client), range(8)))


async def _threads_with_context(play: Play) -> Any:
    def work() -> Any:
        return [play.door.ask(play.client), current()]

    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(contextvars.copy_context().run, work) for _ in range(8)]
        return [each.result() for each in runs]


async def _executor(play: Play) -> Any:
    """A client that does not await, called by an application that does."""
    plain = play.again(mode=SYNC)
    loop = asyncio.get_running_loop()
    return await asyncio.gather(
        loop.run_in_executor(None, play.door.ask, plain), asyncio.to_thread(play.door.ask, plain)
    )


async def _gather(play: Play) -> Any:
    return await asyncio.gather(*(play.ask() for _ in range(8)))


async def _one_fails(play: Play) -> Any:
    """The others of a group are cancelled with the one that fails."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(play.ask())
    except ExceptionGroup as group:
        return [type(each) for each in group.exceptions]


async def _streams(play: Play) -> Any:
    async def read() -> Any:
        return await rest(await play.open())

    return await asyncio.gather(*(read() for _ in range(4)))


async def _anyio(play: Play) -> Any:
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(play.ask)


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""
    eight = lambda door: whole(door) * 8  # noqa: E731
    yield Scenario("threads", _threads, _answer, eight, modes=PLAIN)
    yield Scenario("threads with a copy of the context", _threads_with_context, _answer, eight, modes=PLAIN)
    plain = lambda door: SYNC in door.modes  # noqa: E731
    yield Scenario(
        "`run_in_executor`, `to_thread`", _executor, _answer, lambda door: whole(door) * 2, modes=AWAITED, only=plain
    )
    yield Scenario("`asyncio.gather`", _gather, _answer, eight, modes=AWAITED)
    four = lambda door: (streamed(door),) * 4  # noqa: E731
    yield Scenario("streams side by side", _streams, lambda door: (door.flow(),), four, modes=AWAITED)

    def refused(_: Door) -> tuple[Record, ...]:
        return (record({}, [400], source="missing", failed=True),)

    yield Scenario("a task group that fails", _one_fails, lambda door: (door.refusal(400),), refused, modes=AWAITED)
    yield Scenario("`anyio` task group", _anyio, _answer, lambda door: whole(door) * 4, modes=AWAITED)
