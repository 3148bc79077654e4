"""Calls that take several requests: by the client, by the application around it, by both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapes.provider import AT_ONCE, Answer, lost

from behaviour.door import Door
from behaviour.play import Play, Record, Scenario, record, streamed
from behaviour.reading import rest
from behaviour.scenarios.failures import BROKE


async def _ask(play: Play) -> Any:
    return await play.ask()


async def _drain(play: Play) -> Any:
    return await rest(await play.open())


async def _nested(play: Play) -> Any:
    """Tries again around a client that tries again, as with tenacity."""
    for _ in range(2):
        try:
            return await play.ask()
        except Exception:  # noqa: BLE001
            continue
    raise AssertionError


async def _fallen_back(play: Play) -> Any:
    """Another client is asked where the first one fails."""
    try:
        return await play.ask()
    except Exception:  # noqa: BLE001
        play.client = play.again()
        return await play.ask()


def _busy(door: Door, status: int) -> Answer:
    return door.refusal(status, **AT_ONCE)


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""

    def retried(name: str, *statuses: Any, **more: Any) -> Scenario:
        def script(door: Door) -> tuple[Answer, ...]:
            failures = (_busy(door, each) if isinstance(each, int) else lost(each) for each in statuses)
            return (*failures, door.answer())

        tried = [each if isinstance(each, int) else BROKE for each in statuses]
        told = lambda door: (record(door.tokens, [*tried, 200]),)  # noqa: E731
        return Scenario(name, _ask, script, told, retries=2, **more)

    yield retried("429, 429, 200, with `Retry-After`", 429, 429)
    yield retried("500 twice, then 200", 500, 500)
    # google-genai asks again in neither case.
    tries = lambda door: door.name != "google-genai"  # noqa: E731
    yield retried("connection lost, then 200", "reset", only=tries)
    yield retried("timeout, then 200", "timeout", timeout=0.5, only=tries)
    refused = lambda door: (_busy(door, 429),)  # noqa: E731
    never = lambda _: (record({}, [429] * 3, source="missing", failed=True),)  # noqa: E731
    yield Scenario("every attempt refused", _ask, refused, never, retries=2, unless=("endless retries",))
    late = lambda door: (_busy(door, 429), door.flow())  # noqa: E731
    once = lambda door: (streamed(door) | {"attempts": [429, 200]},)  # noqa: E731
    yield Scenario("streamed, asked again after 429", _drain, late, once, retries=1)
    four = lambda door: (*[_busy(door, 500)] * 3, door.answer())  # noqa: E731

    def layers(door: Door) -> tuple[Record, ...]:
        return record({}, [500, 500], source="missing", failed=True), record(door.tokens, [500, 200])

    yield Scenario(
        "retries around the retries of a client", _nested, four, layers, retries=1, unless=("endless retries",)
    )

    def fallback(door: Door) -> tuple[Record, ...]:
        return record({}, [400], source="missing", failed=True), record(door.tokens)

    two = lambda door: (door.refusal(400), door.answer())  # noqa: E731
    yield Scenario("fallback to another client", _fallen_back, two, fallback)
