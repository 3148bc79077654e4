"""Calls side by side, in threads and tasks, and loops that die."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from shapes import anthropic_messages, google_generate, openai_chat, openai_responses
from shapes.provider import AT_ONCE, HANGS, Provider, refused
from shapes.shape import ASYNC, ask, drain, settle
from shapes.surfaces import every_surface


@every_surface
def test_calls_of_many_threads_keep_their_own_attempts(spans, surface):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: ask(surface), range(16)))

    assert [span.attributes["tokentrace.attempts"] for span in spans.ours()] == [1] * 16


@every_surface
def test_calls_side_by_side_keep_their_own_attempts(spans, surface):
    refusals = [refused(429, **AT_ONCE)] * 8
    provider = Provider([*refusals, *surface["complete"].answers])

    async def work() -> None:
        await asyncio.gather(*(ask(surface, provider, ASYNC) for _ in range(8)))

    asyncio.run(work())
    assert sum(span.attributes["tokentrace.attempts"] for span in spans.ours()) == len(provider.asked) == 16


@every_surface
def test_streams_that_are_read_in_turns_are_counted_each(spans, surface):
    shape = surface["streamed"]
    provider = Provider(shape.answers)

    async def work() -> None:
        await asyncio.gather(*(shape.act(surface.client(ASYNC, provider, 0)) for _ in range(4)))

    asyncio.run(work())
    ends = [
        (span.attributes["tokentrace.stream.end"], span.attributes["gen_ai.usage.input_tokens"])
        for span in spans.ours()
    ]
    assert ends == [("complete", 100)] * 4


@every_surface
def test_a_stream_may_be_read_by_another_task_than_asked(spans, surface, caplog):
    resource = {
        "openai chat": lambda c: c.chat.completions.create(**openai_chat.ASK, **openai_chat.WITH_USAGE),
        "openai responses": lambda c: c.responses.create(**openai_responses.ASK, stream=True),
        "anthropic messages": lambda c: c.messages.create(**anthropic_messages.ASK, stream=True),
        "google-genai": lambda c: c.models.generate_content_stream(**google_generate.ASK),
    }[surface.name]
    client = surface.client(ASYNC, Provider(surface["streamed"].answers), 0)

    async def work() -> None:
        opened = await asyncio.create_task(settle(resource(client)))
        await asyncio.create_task(drain(opened))

    asyncio.run(work())
    (span,) = spans.ours()
    assert (span.attributes["tokentrace.stream.end"], caplog.messages) == ("complete", [])


@every_surface
def test_a_loop_that_dies_with_a_call_in_flight_says_nothing_of_ours(spans, surface):
    provider = Provider((HANGS,))
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # The loop complains of the task, as it should.
    task = loop.create_task(ask(surface, provider, ASYNC))
    loop.run_until_complete(provider.reached.wait())
    loop.close()
    del task
    gc.collect()

    (span,) = spans.ours()
    assert "gen_ai.usage.input_tokens" not in span.attributes
