"""Responses that the provider keeps: created once, read again, by whoever knows their id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapes.api import Tokens
from shapes.provider import Answer, reply

from behaviour.door import Door
from behaviour.play import Play, Record, Scenario, left, record, streamed, whole
from behaviour.reading import begin, next_part, rest


async def _read_twice(play: Play) -> Any:
    return [await play.ask(), await play.do("retrieve"), await play.do("retrieve")]


async def _polled(play: Play) -> Any:
    return [await play.do("in background"), *[await play.do("retrieve") for _ in range(3)]]


async def _resumed(play: Play) -> Any:
    """The connection breaks, and the application reads on where it was."""
    parts = begin(await play.open())
    seen = [await next_part(parts)]
    play.provider.go_on.set()
    try:
        seen += await rest(parts)
    except Exception as error:  # noqa: BLE001
        seen.append(type(error).__name__)
    return [seen, await rest(await play.do("resume"))]


def _again(tokens: Tokens, **more: Any) -> Record:
    return record(tokens, scope="retrieve", **more)


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""
    needs = ("retrieve",)
    twice = lambda door: (*whole(door), *[_again(door.tokens)] * 2)  # noqa: E731
    yield Scenario("created, retrieved twice", _read_twice, lambda door: (door.answer(),), twice, needs=needs)

    def background(door: Door) -> tuple[Answer, ...]:
        return tuple(reply(door.facts[state]) for state in ("queued", "working", "done"))

    def polled(door: Door) -> tuple[Record, ...]:
        pending = record({}, source="missing"), _again({}, source="missing")
        return (*pending, *[_again(door.tokens)] * 2)

    yield Scenario("background, polled", _polled, background, polled, needs=needs)

    def broken(door: Door) -> tuple[Answer, ...]:
        return door.flow(door.events[:1], lost="reset"), door.flow(door.events[3:])

    def resumed(door: Door) -> tuple[Record, ...]:
        return left(door, "failed", failed=True), streamed(door) | {"scope": "retrieve"}

    yield Scenario("stream broken and resumed", _resumed, broken, resumed, needs=needs)
