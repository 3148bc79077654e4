"""The shapes that every client of the Stainless family has: openai and anthropic."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from typing import Any

from shapes.api import LEFT, Api, call, failed
from shapes.provider import AT_ONCE, HANGS, Answer, lost, refused, reply, stream
from shapes.shape import ASYNC, Shape, drain, entered, first, settle


def shapes(api: Api) -> tuple[Shape, ...]:
    """Every shape of a call of `api`."""
    return (*_complete(api), *_raw(api), *_streamed(api), *_left(api), *_failing(api))


def _complete(api: Api) -> Iterable[Shape]:
    async def complete(client: Any) -> Any:
        return await settle(api.resource(client).create(**api.ask))

    async def copied(client: Any) -> Any:
        return await complete(client.with_options(timeout=5))

    async def own_send(client: Any) -> Any:
        return await complete(client.with_options(http_client=around(client._client)))

    answers, counted = (reply(api.whole),), (api.counted,)
    yield Shape("complete", complete, answers, counted)
    silent = (call({}, source="missing"),)
    yield Shape("answer without usage", complete, (reply(api.whole | {"usage": None}),), silent)
    page = Answer(200, {"content-type": "text/html"}, (b"<html>Sign in to the network</html>",))
    yield Shape("answer of a proxy, in HTML", complete, (page,), silent)
    unseen = (api.counted | {"attempts": [], "billable": "unknown"},)
    yield Shape("HTTP client that overrides `send`", own_send, answers, unseen)
    yield Shape("copy of the client, `with_options`", copied, answers, counted)


def _raw(api: Api) -> Iterable[Shape]:
    async def raw(client: Any) -> Any:
        return await touched(api.resource(client).with_raw_response.create)

    async def touched(create: Any) -> Any:
        response = await settle(create(**api.ask))
        return [type(response), response.status_code, await settle(response.parse())]

    async def unparsed(client: Any) -> Any:
        return (await settle(api.resource(client).with_raw_response.create(**api.ask))).http_response.content

    async def raw_stream(client: Any) -> Any:
        response = await settle(api.resource(client).with_raw_response.create(**api.ask, **api.streaming))
        return [type(response), await drain(await settle(response.parse()))]

    answers, counted = (reply(api.whole),), (api.counted,)
    yield Shape("`with_raw_response`", raw, answers, counted)
    early = lambda client: api.resource(client).with_raw_response.create  # noqa: E731
    yield Shape("`with_raw_response` bound before instrumentation", touched, answers, counted, early=early)
    yield Shape("`with_raw_response`, never parsed", unparsed, answers, counted)
    yield Shape("`with_raw_response` and streamed", raw_stream, (stream(api.events),), (api.streamed,))
    yield from _streaming_response(api)


def _streaming_response(api: Api) -> Iterable[Shape]:
    def asked(client: Any, **more: Any) -> Any:
        return entered(api.resource(client).with_streaming_response.create(**api.ask, **more))

    async def read(client: Any) -> Any:
        async with asked(client) as response:
            return [type(response), await settle(response.read())]

    async def parsed(client: Any) -> Any:
        async with asked(client) as response:
            return await settle(response.parse())

    async def lines(client: Any) -> Any:
        async with asked(client, **api.streaming) as response:
            return await drain(response.iter_lines())

    async def chunks(client: Any) -> Any:
        async with asked(client, **api.streaming) as response:
            return await drain(await settle(response.parse()))

    async def ignored(client: Any) -> Any:
        async with asked(client) as response:
            return response.status_code

    whole, events = (reply(api.whole),), (stream(api.events),)
    yield Shape("`with_streaming_response`, read", read, whole, (api.streamed,))
    yield Shape("`with_streaming_response`, parsed", parsed, whole, (api.streamed,))
    yield Shape("`with_streaming_response`, streamed and parsed", chunks, events, (api.streamed,))
    yield Shape("`with_streaming_response`, streamed as lines", lines, events, (api.streamed,))
    unread = call({}, source="missing", end="unread")
    yield Shape("`with_streaming_response`, never read", ignored, whole, (unread,))


def _streamed(api: Api) -> Iterable[Shape]:
    async def streamed(client: Any) -> Any:
        return await drain(await settle(api.resource(client).create(**api.ask, **api.streaming)))

    async def entered_and_drained(client: Any) -> Any:
        async with entered(await settle(api.resource(client).create(**api.ask, **api.streaming))) as events:
            return await drain(events)

    answers, counted = (stream(api.events),), (api.streamed,)
    yield Shape("streamed", streamed, answers, counted)
    yield Shape("streamed, in a `with`", entered_and_drained, answers, counted)
    yield Shape("streamed, asked again after 429", streamed, (refused(429, **AT_ONCE), *answers), (
        call(api.tokens, [429, 200], end="complete"),
    ), retries=1)  # fmt: skip


def _left(api: Api) -> Iterable[Shape]:
    async def opened(client: Any) -> Any:
        return await settle(api.resource(client).create(**api.ask, **api.streaming))

    async def dropped(client: Any) -> Any:
        seen = await first(await opened(client))
        gc.collect()
        return seen

    async def closed(client: Any) -> Any:
        events = await opened(client)
        seen = await first(events)
        await settle(events.close())
        return seen

    async def exited(client: Any) -> Any:
        async with entered(await opened(client)) as events:
            return await first(events)

    async def raised(client: Any) -> Any:
        async with entered(await opened(client)) as events:
            raise LookupError(await first(events))

    async def never_started(client: Any) -> Any:
        kind = type(await opened(client))
        gc.collect()
        return kind

    answers = (stream(api.events),)
    yield Shape("stream left by `break`", dropped, answers, (api.left(LEFT),))
    yield Shape("stream left by `close()`", closed, answers, (api.left("closed"),))
    yield Shape("stream left by the end of a `with`", exited, answers, (api.left("closed"),))
    yield Shape("stream left by an error of the application", raised, answers, (api.left("closed"),))
    yield Shape("stream never started", never_started, answers, (call({}, source="missing", end="unread"),))


def _failing(api: Api) -> Iterable[Shape]:
    async def complete(client: Any) -> Any:
        return await settle(api.resource(client).create(**api.ask))

    async def streamed(client: Any) -> Any:
        return await drain(await settle(api.resource(client).create(**api.ask, **api.streaming)))

    yes, soon = reply(api.whole), AT_ONCE

    def retried(name: str, *before: Answer, statuses: list[Any]) -> Shape:
        return Shape(name, complete, (*before, yes), (call(api.tokens, [*statuses, 200]),), retries=2)

    yield retried("retried after 429", refused(429, **soon), statuses=[429])
    yield retried("retried after 500 and 500", refused(500, **soon), refused(500, **soon), statuses=[500, 500])
    yield retried("retried after a `Retry-After`", refused(503, retry_after="0.001"), statuses=[503])
    yield retried("retried after a timeout", lost("timeout"), statuses=["ReadTimeout"])
    yield retried("retried after a lost connection", lost("reset"), statuses=["ReadError"])
    refusals = (refused(429, **soon),)
    yield Shape("every attempt refused", complete, refusals, (failed([429] * 3, "RateLimitError"),), retries=2)
    yield Shape("refused with 400", complete, (refused(400),), (failed([400], "BadRequestError"),), retries=2)
    yield Shape("timeout", complete, (lost("timeout"),), (failed(["ReadTimeout"], "APITimeoutError"),))
    yield Shape("connection lost", complete, (lost("reset"),), (failed(["ReadError"], "APIConnectionError"),))
    broken = (stream(api.events[:1], lost="reset"),)
    yield Shape("stream broken by the connection", streamed, broken, (api.left("failed", error="ReadError"),))
    cut = (stream(api.events[:1]),)
    yield Shape("stream that ends before its answer", streamed, cut, (api.left("failed", error="incomplete_stream"),))
    yield Shape("stream refused with 400", streamed, (refused(400),), (failed([400], "BadRequestError"),))
    in_flight = (failed(["CancelledError"], "CancelledError"),)
    yield Shape("task cancelled in flight", complete, (HANGS,), in_flight, modes=(ASYNC,))
    waiting = (stream(api.events[:1], hangs=True),)
    left = (api.left("cancelled", error="CancelledError"),)
    yield Shape("task cancelled in mid-stream", streamed, waiting, left, modes=(ASYNC,))


def around(inner: Any) -> Any:
    """An HTTP client of the application's own making, that sends past the method of its library."""
    kind, transport = type(inner), inner._transport

    class Sync(kind):
        def send(self, request: Any, **_: Any) -> Any:
            response = transport.handle_request(request)
            response.request = request
            response.read()
            return response

    class Async(kind):
        async def send(self, request: Any, **_: Any) -> Any:
            response = await transport.handle_async_request(request)
            response.request = request
            await response.aread()
            return response

    return (Async if hasattr(inner, "aclose") else Sync)()
