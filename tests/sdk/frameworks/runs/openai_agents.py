"""Agents of the OpenAI Agents SDK, and the ways to run them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    handoff,
)
from openai import AsyncOpenAI

from frameworks.runs.run import Run
from frameworks.turn import fails, says, together, uses

TURNS = (
    fails(429),
    together(uses("weather", 100, 20, 5, city="Rome"), uses("lodging", 10, 4, 1, city="Rome")),
    says("Go to Rome.", 180, 12, 0, 64),
)
HANDED_OVER = (uses("transfer_to_spanish", 50, 8), uses("weather", 80, 9, city="Rome"), says("Sol.", 120, 6))
TOLD = ModelSettings(include_usage=True)
"""Streamed chats say what they used only where they are asked to."""


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city} is sunny."


@function_tool
async def lodging(city: str) -> str:
    """Where to stay."""
    return f"{city} has a hotel."


def responses(client: AsyncOpenAI) -> OpenAIResponsesModel:
    """The model as the SDK asks it by default."""
    return OpenAIResponsesModel("gpt-5", client)


def chat(client: AsyncOpenAI) -> OpenAIChatCompletionsModel:
    """The model as other providers have it."""
    return OpenAIChatCompletionsModel("gpt-5", client)


def planner(client: AsyncOpenAI, model: Callable[[AsyncOpenAI], Any] = responses) -> Any:
    """An agent with two tools."""
    return Agent("Planner", tools=[weather, lodging], model=model(client), model_settings=TOLD)


def triage(client: AsyncOpenAI) -> Any:
    """An agent that hands over to another."""
    spanish = Agent("Spanish", model=responses(client), tools=[weather])
    return Agent("Triage", model=responses(client), handoffs=[handoff(spanish)])


def synchronously(url: str, build: Callable[[AsyncOpenAI], Any], asked: Any = "Where to?", **options: Any) -> Any:
    """What the agent says to those who wait for it."""
    # The loop that the SDK would leave open behind it is ours to close.
    with asyncio.Runner() as running:
        asyncio.set_event_loop(running.get_loop())
        client = AsyncOpenAI(base_url=url, api_key="-")
        try:
            return Runner.run_sync(build(client), asked, **options).final_output
        finally:
            running.run(client.close())
            asyncio.set_event_loop(None)


def asynchronously(url: str, build: Callable[[AsyncOpenAI], Any], asked: Any = "Where to?", **options: Any) -> Any:
    """What the agent says to those who await it."""

    async def read() -> Any:
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            return (await Runner.run(build(client), asked, **options)).final_output

    return asyncio.run(read())


def streamed(url: str, build: Callable[[AsyncOpenAI], Any], asked: Any = "Where to?", **options: Any) -> Any:
    """What the agent says to those who read along."""

    async def read() -> Any:
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            running = Runner.run_streamed(build(client), asked, **options)
            async for _ in running.stream_events():
                pass
            return running.final_output

    return asyncio.run(read())


_ALONE = {"turns": TURNS, "said": "Go to Rome.", "agents": ("Planner",), "tools": ("weather", "lodging")}
RUNS = (
    Run("agent", play=lambda url: str(asynchronously(url, planner)), **_ALONE),
    Run("streamed", play=lambda url: str(streamed(url, planner)), **_ALONE),
    Run("through Chat", play=lambda url: str(asynchronously(url, lambda client: planner(client, chat))), **_ALONE),
    Run(
        "handoff",
        turns=HANDED_OVER,
        play=lambda url: str(asynchronously(url, triage)),
        said="Sol.",
        agents=("Triage", "Spanish"),
        tools=("weather",),
    ),
)
