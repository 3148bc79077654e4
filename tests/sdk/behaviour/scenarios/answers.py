"""Answers in one body, and what is not chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry import trace
from shapes.provider import Answer, reply
from shapes.shape import current, settle

from behaviour.door import Door
from behaviour.play import Play, Scenario, record, streamed, whole
from behaviour.reading import rest
from behaviour.scenarios.streams import in_mode


def _answer(door: Door) -> tuple[Answer, ...]:
    return (door.answer(x_mark="seen"),)


def _flow(door: Door) -> tuple[Answer, ...]:
    return (door.flow(),)


async def _complete(play: Play) -> Any:
    return [await play.ask(), current()]


async def _parse(play: Play) -> Any:
    return await play.do("parse")


async def _raw(play: Play) -> Any:
    response = await play.do("raw")
    return [type(response), response.status_code, response.headers["x-mark"], await settle(response.parse())]


async def _raw_stream(play: Play) -> Any:
    response = await play.do("raw stream")
    return [type(response), dict(response.headers)["content-type"], await rest(await settle(response.parse()))]


async def _streaming(play: Play) -> Any:
    async with in_mode(play, play.manager("streaming response")) as response:
        return [type(response), response.headers["x-mark"], await settle(response.read())]


async def _streaming_lines(play: Play) -> Any:
    async with in_mode(play, play.manager("streaming response stream")) as response:
        return await rest(response.iter_lines())


async def _turns(play: Play) -> Any:
    return [await play.ask() for _ in range(3)]


async def _tools(play: Play) -> Any:
    asked = await play.ask()
    with trace.get_tracer("application").start_as_current_span("tool"):
        # A tool that is an agent itself.
        found = [await play.ask(), current()]
    return [asked, found, await play.ask(), current()]


async def _left_client(play: Play) -> Any:
    """A client that is thrown away before its answer is looked at."""
    answer, play.client = await play.ask(), None
    return answer


def _uncounted(door: Door) -> tuple[Answer, ...]:
    return (reply({key: value for key, value in door.whole.items() if key not in {"usage", "usageMetadata"}}),)


def _missing(door: Door) -> tuple[dict[str, Any], ...]:
    return (record({}, source="missing"),)


def _verb(name: str, verb: str, **more: Any) -> Scenario:
    async def act(play: Play) -> Any:
        return await play.do(verb)

    return Scenario(
        name,
        act,
        lambda door: (door.facts[verb][0],),
        lambda door: (record(door.facts[verb][1]),),
        needs=(verb,),
        only=lambda door: verb in door.facts,
        **more,
    )


async def _speak(play: Play) -> Any:
    return (await play.do("speak")).content


def scenarios() -> Iterator[Scenario]:
    """Every scenario of this kind."""
    yield Scenario("complete", _complete, _answer, whole)
    yield Scenario("`parse`", _parse, _answer, whole, needs=("parse",))
    yield Scenario("raw response", _raw, _answer, whole, needs=("raw",))
    once = lambda door: (streamed(door),)  # noqa: E731
    yield Scenario("raw response, streamed", _raw_stream, _flow, once, needs=("raw stream",))
    body = lambda door: (record(door.tokens, end="complete"),)  # noqa: E731
    yield Scenario("`with_streaming_response`, read", _streaming, _answer, body, needs=("streaming response",))
    yield Scenario(
        "`with_streaming_response`, streamed as lines",
        _streaming_lines, _flow, once, needs=("streaming response stream",),
    )  # fmt: skip
    yield Scenario("answer without usage", _complete, _uncounted, _missing, unless=("counts itself",))
    yield Scenario("conversation of three turns", _turns, _answer, lambda door: whole(door) * 3)
    yield Scenario("tool loop, a tool is an agent", _tools, _answer, lambda door: whole(door) * 3)
    yield Scenario("client dropped after its answer", _left_client, _answer, whole)
    yield _verb("embeddings, a batch", "embed")
    yield _verb("images", "draw")
    yield _verb("transcription", "hear")
    spoken = Answer(200, {"content-type": "audio/mpeg"}, (b"ID3",))
    said = record({}, meters={"characters": 3})
    yield Scenario("speech", _speak, lambda _: (spoken,), lambda _: (said,), needs=("speak",))
