"""Agents of AutoGen's core: what they send and publish belongs to the request that it was sent in."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from textwrap import indent
from typing import Any

import pytest

pytest.importorskip("autogen_agentchat", reason="runs in an environment of its own")

from autogen_core import (
    AgentId,
    DefaultTopicId,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    default_subscription,
    message_handler,
)
from autogen_core.models import UserMessage

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.autogen_agents import model
from frameworks.script import playing
from frameworks.tree import counted, drawn
from frameworks.turn import says

# Clients that nobody closes, whose sockets outlive the event loops that they were opened in.
pytestmark = [pytest.mark.usefixtures("swept"), pytest.mark.filterwarnings("ignore")]


@dataclass
class Question:
    """What agents of the core ask each other."""

    text: str


@dataclass
class Finding:
    """What one of them tells everybody."""

    text: str


@default_subscription
class Expert(RoutedAgent):
    """Answers who asks, and tells everybody."""

    def __init__(self, client: Any) -> None:
        super().__init__("Knows.")
        self.client = client

    @message_handler
    async def answer(self, message: Question, ctx: MessageContext) -> str:
        result = await self.client.create([UserMessage(content=message.text, source="user")])
        await self.publish_message(Finding(result.content), DefaultTopicId())
        return result.content


class Desk(RoutedAgent):
    """Asks an expert, and then a model, once everything is written down."""

    def __init__(self, client: Any, written: asyncio.Event) -> None:
        super().__init__("Asks.")
        self.client = client
        self.written = written

    @message_handler
    async def ask(self, message: Question, ctx: MessageContext) -> str:
        found = await self.send_message(message, AgentId("expert", self.id.key))
        await self.written.wait()
        self.written.clear()
        return (await self.client.create([UserMessage(content=found, source="user")])).content


@default_subscription
class Scribe(RoutedAgent):
    """Has a model write down what is found."""

    def __init__(self, client: Any, written: asyncio.Event) -> None:
        super().__init__("Writes.")
        self.client = client
        self.written = written

    @message_handler
    async def write(self, message: Finding, ctx: MessageContext) -> None:
        await self.client.create([UserMessage(content="Write: " + message.text, source="user")])
        self.written.set()


DESK = """\
desk
  expert
    chat gpt-5  10 → 2
  scribe
    chat gpt-5  30 → 6
  chat gpt-5  20 → 4"""


def chosen(asked: Any) -> Any:
    answers = {"How": says("warm", 10, 2), "Write:": says("Written.", 30, 6), "warm": says("It is warm.", 20, 4)}
    return answers[asked["messages"][-1]["content"].split()[0]]


@pytest.mark.parametrize("is_around", [True, False])
def test_agents_of_the_core_belong_to_the_request_that_has_sent_their_message(spans, is_around):
    """Whoever has started the runtime; and what is published is beside who has published it."""

    async def main(url: str) -> list[Any]:
        runtime, client, written = SingleThreadedAgentRuntime(), model(url), asyncio.Event()
        await Expert.register(runtime, "expert", lambda: Expert(client))
        await Desk.register(runtime, "desk", lambda: Desk(client, written))
        await Scribe.register(runtime, "scribe", lambda: Scribe(client, written))
        with tokentrace.step("startup") if is_around else nullcontext():
            runtime.start()
        answers: list[Any] = []
        for place in ("Rome", "Oslo"):
            with tokentrace.workflow(place) if is_around else nullcontext():
                answers.append(await runtime.send_message(Question(f"How is {place}?"), AgentId("desk", "default")))
        await runtime.stop_when_idle()
        return answers

    with playing(choose=chosen) as (script, url):
        assert asyncio.run(main(url)) == ["It is warm."] * 2
    inside = indent(DESK, "  ")
    assert drawn(spans.ours()) == (f"startup\nRome\n{inside}\nOslo\n{inside}" if is_around else f"{DESK}\n{DESK}")
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()


def test_what_is_published_outside_of_any_request_is_one_with_all_that_follows(spans):
    async def main(url: str) -> None:
        runtime, client = SingleThreadedAgentRuntime(), model(url)
        await Expert.register(runtime, "expert", lambda: Expert(client))
        # Hears the question, too, and does nothing about it.
        await Scribe.register(runtime, "scribe", lambda: Scribe(client, asyncio.Event()))
        runtime.start()
        await runtime.publish_message(Question("How is Rome?"), DefaultTopicId())
        await runtime.stop_when_idle()

    with playing(choose=chosen) as (script, url):
        asyncio.run(main(url))
    assert drawn(spans.ours()) == "expert\n  chat gpt-5  10 → 2\n  scribe\n    chat gpt-5  30 → 6"
    assert counted(spans.ours()) == script.billed
    assert nothing_is_left()
