"""What goes wrong on the way: refusals, lost connections, cancellation, interrupts."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import anyio
from dirty_equals import IsStr
from shapes.provider import HANGS, Answer, lost
from shapes.shape import ASYNC

from behaviour.door import Door
from behaviour.play import AWAITED, PLAIN, Play, Record, Scenario, left, record
from behaviour.reading import begin, next_part, rest

BROKE = IsStr(min_length=3)
"""Every HTTP library names it in its own way."""


def _failed(*attempts: Any) -> tuple[Record, ...]:
    return (record({}, list(attempts), source="missing", failed=True),)


async def _ask(play: Play) -> Any:
    return await play.ask()


async def _drain(play: Play) -> Any:
    return await rest(await play.open())


async def _read_on(play: Play) -> Any:
    """The first part, and then what comes once the provider knows that it was read."""
    parts = begin(await play.open())
    seen = [await next_part(parts)]
    play.provider.go_on.set()
    try:
        seen += await rest(parts)
    except Exception as error:  # noqa: BLE001
        seen.append(error)
    return seen


async def _cancelled(play: Play) -> Any:
    task = asyncio.create_task(play.ask())
    return await _cancel(play, task)


async def _cancel(play: Play, task: asyncio.Task[Any]) -> Any:
    assert await asyncio.to_thread(play.provider.hangs.wait, 10)
    task.cancel()
    return (await asyncio.gather(task, return_exceptions=True))[0]


async def _cancelled_in_stream(play: Play) -> Any:
    begun = asyncio.Event()

    async def read() -> Any:
        async for _ in await play.open():
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    return await _cancel(play, task)


async def _timed_out(play: Play) -> Any:
    async with asyncio.timeout(None) as deadline:
        expiring = asyncio.create_task(_expire(play, lambda: deadline.reschedule(0)))
        await play.ask()
    return expiring


async def _moved_on(play: Play) -> Any:
    with anyio.move_on_after(60) as scope:
        expiring = asyncio.create_task(_expire(play, scope.cancel))
        await play.ask()
    await expiring
    return scope.cancelled_caught


async def _expire(play: Play, expire: Callable[[], Any]) -> None:
    """Let the time be over once the provider was asked."""
    assert await asyncio.to_thread(play.provider.hangs.wait, 10)
    expire()


def _interrupt(play: Play) -> None:
    """Ctrl-C, as soon as the application waits for the provider."""

    main = threading.main_thread().ident or 0

    def waits() -> bool:
        return sys._current_frames()[main].f_code.co_filename.endswith(("sync.py", "socket.py"))

    def press() -> None:
        play.provider.hangs.wait(10)
        # The provider has said what it had to say; the application may still be about to ask for more.
        while not waits():
            threading.Event().wait(0.001)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=press).start()


async def _interrupted(play: Play) -> Any:
    _interrupt(play)
    return await play.ask()


async def _interrupted_in_stream(play: Play) -> Any:
    parts = begin(await play.open())
    await next_part(parts)
    _interrupt(play)
    return await rest(parts)


async def _interrupted_between(play: Play) -> Any:
    async def work() -> Any:
        parts = begin(await play.open())
        await next_part(parts)
        raise KeyboardInterrupt

    return await work()


def _trio(steps: Any, _mode: str) -> Any:
    async def main() -> Any:
        return await steps

    return anyio.run(main, backend="trio")


async def _in_trio(play: Play) -> Any:
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(play.ask)
    with anyio.move_on_after(5):
        return await rest(await play.open())


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""
    yield Scenario("refused with 400", _ask, lambda door: (door.refusal(400),), lambda _: _failed(400))
    yield Scenario("stream refused with 400", _drain, lambda door: (door.refusal(400),), lambda _: _failed(400))
    gone, late = (lost("reset"),), (lost("timeout"),)
    yield Scenario(
        "connection lost before the answer", _ask, lambda _: gone, lambda _: _failed(BROKE), unless=("asks twice",)
    )
    yield Scenario("timeout before the answer", _ask, lambda _: late, lambda _: _failed(BROKE), timeout=0.5)
    yield from _in_streams()
    yield from _cancellations()


def _in_streams() -> Iterator[Scenario]:
    def begun(door: Door, **ends: Any) -> tuple[Answer, ...]:
        return (door.flow(door.events[:1], **ends),)

    def broken(door: Door) -> tuple[Record, ...]:
        return (left(door, "failed", failed=True),)

    def reported(door: Door) -> tuple[Record, ...]:
        return (record(door.tokens, end="failed", failed=True),)

    yield Scenario("connection lost in mid-stream", _read_on, lambda door: begun(door, lost="reset"), broken)
    yield Scenario("timeout in mid-stream", _read_on, lambda door: begun(door, lost="timeout"), broken, timeout=0.5)
    yield Scenario("stream that ends before its answer", _read_on, begun, broken, unless=("unnoticed",))
    error = lambda door: (door.flow((*door.events[:1], door.facts["error event"])),)  # noqa: E731
    yield Scenario("error event in mid-stream", _read_on, error, broken, needs=("error event",))
    told = lambda door: (door.flow((*door.events[:1], door.facts["error event with usage"])),)  # noqa: E731
    yield Scenario("error event that alone has the usage", _read_on, told, reported, needs=("error event with usage",))


def _cancellations() -> Iterator[Scenario]:
    hangs = lambda _: (HANGS,)  # noqa: E731
    half = lambda door: (door.flow(door.events[:1], hangs=True),)  # noqa: E731
    cut = lambda door: (left(door, "cancelled", failed=True),)  # noqa: E731
    gone = lambda _: _failed("CancelledError")  # noqa: E731
    yield Scenario("task cancelled in flight", _cancelled, hangs, gone, modes=AWAITED)
    yield Scenario("task cancelled in mid-stream", _cancelled_in_stream, half, cut, modes=AWAITED)
    yield Scenario("`asyncio.timeout`", _timed_out, hangs, gone, modes=AWAITED)
    yield Scenario("`anyio.move_on_after`", _moved_on, hangs, gone, modes=AWAITED)
    if sys.platform != "win32":
        stopped = lambda _: _failed("KeyboardInterrupt")  # noqa: E731
        yield Scenario("Ctrl-C in flight", _interrupted, hangs, stopped, modes=PLAIN)
        yield Scenario("Ctrl-C in mid-stream", _interrupted_in_stream, half, cut, modes=PLAIN)
    yield Scenario(
        "Ctrl-C between two parts", _interrupted_between, lambda door: (door.flow(),), lambda door: (left(door),)
    )
    if find_spec("trio"):
        answers = lambda door: (door.answer(), door.answer(), door.flow())  # noqa: E731
        once = lambda door: (record(door.tokens), record(door.tokens), record(door.tokens, end="complete"))  # noqa: E731
        speaks = lambda door: door.name in {"openai chat", "openai responses", "anthropic", "groq", "mistral"}  # noqa: E731
        yield Scenario("trio", _in_trio, answers, once, modes=(ASYNC,), run=_trio, only=speaks)
