"""Streams, read to their end and left in every way."""

from __future__ import annotations

import asyncio
import gc
import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from shapes.api import LEFT
from shapes.provider import Answer
from shapes.shape import ASYNC, current, entered, settle

from behaviour.door import Door
from behaviour.play import AWAITED, PLAIN, Play, Record, Scenario, left, record, streamed
from behaviour.reading import awaits, begin, first, next_part, rest


def _flow(door: Door) -> tuple[Answer, ...]:
    return (door.flow(),)


def _once(door: Door) -> tuple[Record, ...]:
    return (streamed(door),)


def _twice(door: Door) -> tuple[Record, ...]:
    return (streamed(door), streamed(door))


def _left(door: Door) -> tuple[Record, ...]:
    return (left(door),)


def _unread(door: Door) -> tuple[Record, ...]:
    # Some clients ask only once somebody reads.
    return () if "asks late" in door.facts else (record({}, source="missing", end="unread"),)


async def _drained(play: Play) -> Any:
    events = await play.open()
    # What a stream says of itself, which is what `isinstance` asks.
    return [events.__class__, await rest(events), current()]


async def _silent(play: Play) -> Any:
    return await rest(await play.do("silent"))


async def _helper(play: Play) -> Any:
    async with in_mode(play, play.manager("helper")) as events:
        return await rest(events)


async def _helper_left(play: Play) -> Any:
    async with in_mode(play, play.manager("helper")) as events:
        return await first(events)


async def _in_with(play: Play) -> Any:
    async with in_mode(play, await play.open()) as events:
        return await rest(events)


async def _broken(play: Play) -> Any:
    seen = await first(await play.open())
    gc.collect()
    return [seen, current()]


async def _never(play: Play) -> Any:
    kind = (await play.open()).__class__
    gc.collect()
    return kind


async def _exited(play: Play) -> Any:
    async with in_mode(play, await play.open()) as events:
        return await first(events)


async def _closed(play: Play) -> Any:
    events = await play.open()
    seen = await first(events)
    await settle(events.aclose() if play.settings.mode == ASYNC and hasattr(events, "aclose") else events.close())
    return [seen, current()]


async def _raised(play: Play) -> Any:
    events = await play.open()
    async with in_mode(play, events) if _enters(events) else _held(events) as parts:
        raise LookupError(type(await first(parts)).__name__)


def _enters(events: Any) -> bool:
    return hasattr(events.__class__, "__enter__") or hasattr(events.__class__, "__aenter__")


def in_mode(play: Play, manager: Any) -> Any:
    """`async with` or `with`, as the application does."""
    return entered(manager) if play.settings.mode == ASYNC else _plainly(manager)


@asynccontextmanager
async def _plainly(manager: Any) -> Any:
    with manager as value:
        yield value


class _held:  # noqa: N801
    def __init__(self, value: Any) -> None:
        self._value = value

    async def __aenter__(self) -> Any:
        return self._value

    async def __aexit__(self, *_: object) -> None: ...


async def _passed_on(play: Play) -> Any:
    """Through a generator of the application, which is closed in the middle."""
    events = await play.open()
    if awaits(events):

        async def later() -> Any:
            async for part in events:
                yield part

        parts = later()
        seen = await anext(parts)
        await parts.aclose()
        return seen

    def through() -> Any:
        yield from events

    plain = through()
    seen = next(plain)
    plain.close()
    return seen


async def _interleaved(play: Play) -> Any:
    one, other = await play.open(), await play.open()
    one, other = begin(one), begin(other)
    seen = [await next_part(one), await next_part(other), current()]
    return [seen, await rest(one), await rest(other)]


async def _asking_inside(play: Play) -> Any:
    parts = begin(await play.open())
    seen = [await next_part(parts), current()]
    seen.append(await rest(await play.open()))
    return [seen, current(), await rest(parts)]


def _elsewhere(work: Callable[[], Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


async def _read_elsewhere(play: Play) -> Any:
    events = await play.open()
    return _elsewhere(lambda: [type(part) for part in events])


async def _dropped_elsewhere(play: Play) -> Any:
    held = [await play.open()]
    seen = await first(held[0])
    _elsewhere(lambda: [held.clear(), gc.collect()])
    return seen


async def _another_task(play: Play) -> Any:
    events = await asyncio.create_task(play.open())
    return await asyncio.create_task(rest(events))


async def _abandoned_by_a_task(play: Play) -> Any:
    async def task() -> Any:
        return await first(await play.open())

    seen = await asyncio.create_task(task())
    gc.collect()
    return seen


async def _left_to_the_loop(play: Play) -> Any:
    """Still open when the loop ends."""
    play.meanwhile["held"] = held = await play.open()
    parts = begin(held)
    play.meanwhile["parts"] = parts
    return await next_part(parts)


async def _uninstrumented(play: Play) -> Any:
    parts = begin(await play.open())
    seen = [await next_part(parts)]
    play.meanwhile.get("uninstrument", lambda: None)()
    return [seen, await rest(parts), current()]


def _packed(door: Door) -> tuple[Answer, ...]:
    answer = door.flow()
    packed = gzip.compress(b"".join(answer.parts))
    pieces = tuple(packed[at : at + 23] for at in range(0, len(packed), 23))
    return (replace(answer, parts=pieces, headers=answer.headers | {"content-encoding": "gzip"}),)


def _slow(door: Door) -> tuple[Answer, ...]:
    """Bytes that arrive one by one."""
    body = b"".join(door.events)
    return (door.flow(tuple(body[at : at + 1] for at in range(len(body)))),)


def _long(door: Door) -> tuple[Answer, ...]:
    head, talk, *rest = door.events
    return (door.flow((head, *[talk] * 300, *rest)),)


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""
    yield Scenario("streamed", _drained, _flow, _once)
    quiet = lambda door: (door.flow(door.facts["silent events"]),)  # noqa: E731
    untold = lambda _: (record({}, source="missing", end="complete"),)  # noqa: E731
    yield Scenario("streamed, usage not asked for", _silent, quiet, untold, needs=("silent",))
    yield Scenario("stream helper", _helper, _flow, _once, needs=("helper",))
    yield Scenario(
        "stream helper, left early", _helper_left, _flow, lambda door: (left(door, LEFT),), needs=("helper",)
    )
    enters = lambda door: door.name in {"openai chat", "openai responses", "anthropic", "groq", "mistral"}  # noqa: E731
    yield Scenario("streamed in a `with`", _in_with, _flow, _once, only=enters)
    yield Scenario("stream compressed", _drained, _packed, _once, only=lambda door: door.name != "boto3")
    yield Scenario("stream that comes byte by byte", _drained, _slow, _once)
    yield Scenario("stream of hundreds of parts", _drained, _long, _once, only=lambda door: len(door.events) > 3)
    yield Scenario("`break`, then collected", _broken, _flow, _left)
    yield Scenario("never read", _never, _flow, _unread)
    yield Scenario("left by the end of a `with`", _exited, _flow, _left, only=enters)
    closes = lambda door: not door.name.startswith(("mistral", "litellm"))  # noqa: E731
    yield Scenario("`close()` or `aclose()`", _closed, _flow, _left, only=closes)
    yield Scenario("left by an error of the application", _raised, _flow, _left)
    yield Scenario("passed on by a generator that is closed", _passed_on, _flow, _left)
    yield Scenario("two streams read in turns", _interleaved, _flow, _twice)
    yield Scenario("a stream asked for inside of another", _asking_inside, _flow, _twice)
    yield Scenario("read by another thread", _read_elsewhere, _flow, _once, modes=PLAIN)
    yield Scenario("dropped by another thread", _dropped_elsewhere, _flow, _left, modes=PLAIN)
    yield Scenario("read by another task", _another_task, _flow, _once, modes=AWAITED)
    yield Scenario("dropped by a task", _abandoned_by_a_task, _flow, _left, modes=AWAITED)
    yield Scenario("left open when the loop ends", _left_to_the_loop, _flow, _left, modes=AWAITED)
    yield Scenario("uninstrumented in mid-stream", _uninstrumented, _flow, _once)
