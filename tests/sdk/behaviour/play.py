"""Plays a scenario through a door, and tells what the application saw and what the provider bills."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dirty_equals import IsOneOf
from opentelemetry import trace
from quickstarts.loopback import http
from quickstarts.quickstart import _anywhere
from shapes.api import LEFT, Tokens
from shapes.provider import Answer, Provider
from shapes.shape import ASYNC, SYNC, Taken, looks, run, settle

from behaviour.door import Door, Settings

Record = dict[str, Any]
"""What one span that bears cost must say."""


@dataclass(slots=True)
class Play:
    """A door, a provider behind it, and an application in front."""

    door: Door
    provider: Provider
    settings: Settings
    client: Any = None
    meanwhile: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """What the scenario may do to the instrumentation while it runs."""

    def again(self, **changed: Any) -> Any:
        """Another client of the same provider."""
        return self.door.client(replace(self.settings, **changed))

    async def ask(self) -> Any:
        """An answer."""
        return await settle(self.door.ask(self.client))

    async def open(self) -> Any:
        """A stream."""
        return await settle(self.door.open(self.client))

    async def do(self, verb: str) -> Any:
        """An answer that is asked for in a way of its own."""
        return await settle(self.door.verbs[verb](self.client))

    def manager(self, verb: str) -> Any:
        """A context manager that asks."""
        return self.door.verbs[verb](self.client)


Act = Callable[[Play], Coroutine[Any, Any, Any]]
"""What the application does. Written once: on a client that does not await, nothing ever suspends."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that happens to applications."""

    name: str
    act: Act
    script: Callable[[Door], tuple[Answer, ...]]
    records: Callable[[Door], tuple[Record, ...]]
    """What the spans say that bear cost; no more than the provider has said to the application, and no less."""

    modes: tuple[str, ...] = (SYNC, ASYNC)
    retries: int = 0
    timeout: float = 30.0
    needs: tuple[str, ...] = ()
    """Verbs and facts of the doors that have it."""

    unless: tuple[str, ...] = ()
    """Facts of the doors that do not."""

    only: Callable[[Door], bool] = lambda _: True
    run: Callable[[Coroutine[Any, Any, Any], str], Any] = run
    """Runs what the application does."""

    def is_of(self, door: Door) -> bool:
        """Whether a door has it."""
        has = {*door.verbs, *door.facts}
        modes = set(self.modes) & set(door.modes)
        return (
            bool(modes)
            and self.name not in door.lacks
            and has.issuperset(self.needs)
            and has.isdisjoint(self.unless)
            and self.only(door)
        )


def record(
    tokens: Tokens,
    attempts: list[Any] | None = None,
    *,
    source: str = "reported",
    end: Any = None,
    failed: bool = False,
    scope: str = "call",
    meters: Mapping[str, Any] | None = None,
) -> Record:
    """What one span that bears cost must say."""
    return {
        "tokens": dict(tokens),
        "attempts": [200] if attempts is None else attempts,
        "source": source,
        "end": end,
        "failed": failed,
        "scope": scope,
        "meters": meters,
    }


def whole(door: Door) -> tuple[Record, ...]:
    """One answer in one body."""
    return (record(door.tokens),)


def streamed(door: Door) -> Record:
    """One answer as a stream."""
    return record(door.facts.get("streamed tokens", door.tokens), end="complete")


def left(door: Door, end: Any = LEFT, *, failed: bool = False, attempts: list[Any] | None = None) -> Record:
    """A stream of which the application has read the first part."""
    known = bool(door.begun)
    return record(door.begun, attempts, source="partial_stream" if known else "missing", end=end, failed=failed)


ANY_END = IsOneOf("closed", "dropped", "unread")


def play(
    door: Door,
    scenario: Scenario,
    mode: str,
    start: Callable[[], Any] = lambda: None,
    meanwhile: Mapping[str, Callable[[], Any]] | None = None,
) -> Taken:
    """Play a scenario; `start` is called when the client exists and nothing was asked yet."""
    provider = Provider(scenario.script(door))
    with http(provider) as url:
        settings = Settings(url, mode, scenario.retries, scenario.timeout)
        stage = Play(door, provider, settings, door.client(settings), dict(meanwhile or {}))
        start()
        with trace.get_tracer("application").start_as_current_span("request") as request:
            try:
                result = scenario.run(scenario.act(stage), mode)
            except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:  # noqa: BLE001
                result = error
            back = trace.get_current_span() is request
        stage.client = None
        seen = _anywhere([looks(result), f"span restored: {back}"], url)
        return Taken(_at_any_time(_anywhere(seen, url.rpartition(":")[2])), provider.asked)


_DRAWN = re.compile(r"chatcmpl-[0-9a-f]{8}-[0-9a-f-]{27}")
"""An id that a client has drawn by lot."""


def _at_any_time(value: Any) -> Any:
    """A value without what a client makes up anew each time."""
    if isinstance(value, str):
        return _DRAWN.sub("…", value)
    if isinstance(value, dict):
        return {key: 0 if key == "created" else _at_any_time(item) for key, item in value.items()}
    return [_at_any_time(item) for item in value] if isinstance(value, list) else value


BOTH, AWAITED, PLAIN = (SYNC, ASYNC), (ASYNC,), (SYNC,)
