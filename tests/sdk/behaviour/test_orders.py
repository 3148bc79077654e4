"""Instrumentations come and go in any order, and nothing of ours is left or lost."""

from __future__ import annotations

import gc
import importlib
from contextlib import suppress

import pytest
import wrapt
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from shapes import openai_chat
from shapes.provider import Provider, refused, reply, stream
from shapes.shape import SYNC

import tokentrace

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("openai"), reason="needs openai")

ASK = openai_chat.ASK


class Kept(SpanExporter):
    """Counts what it is given, and keeps none of it."""

    def __init__(self) -> None:
        self.spans = 0

    def export(self, spans):
        self.spans += len(spans)
        return SpanExportResult.SUCCESS


class Orders(RuleBasedStateMachine):
    """An application that switches instrumentations on and off."""

    @initialize()
    def begin(self) -> None:
        import openai

        self.base = importlib.import_module("openai._base_client").SyncAPIClient
        self.kind, self.whole = openai.OpenAI, self.base.__dict__["request"]
        self.exporter, self.on, self.others = Kept(), False, []
        self.client = openai_chat.SURFACE.client(SYNC, Provider((reply(openai_chat.body()),)), 0)

    @rule()
    def instrument(self) -> None:
        tokentrace.instrument(exporter=self.exporter)
        self.on = True

    @rule()
    def uninstrument(self) -> None:
        tokentrace.uninstrument()
        self.on = False

    @rule(below=strategies.booleans())
    def another_comes(self, below: bool) -> None:
        """One that wraps the class itself, or one below it that inherits."""
        seen: list[int] = []

        def counted(wrapped, instance, args, kwargs):
            seen.append(1)
            return wrapped(*args, **kwargs)

        holder = self.kind if below else self.base
        self.others.append((holder, wrapt.wrap_function_wrapper(holder, "request", counted), seen))

    @rule()
    def another_goes(self) -> None:
        """Where nobody has wrapped it since; else it stays."""
        if self.others:
            holder, handle, _ = self.others[-1]
            with suppress(wrapt.WrapperNotOutermostError):
                wrapt.unwrap_object(holder, "request", handle)
                self.others.pop()

    @invariant()
    def a_call_counts_once_where_we_are_on_and_never_else(self) -> None:
        before, seen = self.exporter.spans, [len(each) for _, _, each in self.others]
        self.client.chat.completions.create(**ASK)
        tokentrace.flush(10)
        assert self.exporter.spans - before == self.on
        assert all(len(each) <= count + 1 for (_, _, each), count in zip(self.others, seen, strict=True))

    def teardown(self) -> None:
        tokentrace.uninstrument()
        for holder, handle, _ in reversed(self.others):
            with suppress(wrapt.WrapperNotOutermostError):
                wrapt.unwrap_object(holder, "request", handle)
        still = self.base.__dict__["request"]
        self.base.request = self.whole
        if "request" in vars(self.kind):
            del self.kind.request
        assert still is self.whole or self.others


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)


def test_ten_thousand_calls_leave_nothing_behind():
    whole, events = reply(openai_chat.body()), stream(openai_chat.EVENTS)
    refusal = refused(400)
    exporter = Kept()
    clients = [openai_chat.SURFACE.client(SYNC, Provider((answer,)), 0) for answer in (whole, events, events, refusal)]

    def call() -> None:
        one, two, three, four = (client.chat.completions for client in clients)
        one.create(**ASK)
        for _ in two.create(**ASK, **openai_chat.WITH_USAGE):
            pass
        next(iter(three.create(**ASK, **openai_chat.WITH_USAGE)))
        with suppress(Exception):
            four.create(**ASK)
        for client in clients:
            client._client._transport.asked_of.asked.clear()

    def objects() -> int:
        gc.collect()
        assert tokentrace.flush(30)
        return len(gc.get_objects())

    tokentrace.instrument(exporter=exporter)
    try:
        for _ in range(250):
            call()
        before = objects()
        for _ in range(2250):
            call()
        grown = objects() - before
    finally:
        tokentrace.uninstrument()

    assert exporter.spans == 10_000
    assert grown < 250
