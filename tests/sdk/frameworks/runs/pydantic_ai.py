"""Agents of Pydantic AI, and the ways to run them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from openai import AsyncOpenAI
from pydantic_ai import Agent, RunContext
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.toolsets import FunctionToolset

from frameworks.runs.run import Run
from frameworks.turn import fails, says, together, uses

Ask = Callable[[str], tuple[Any, Any]]
"""A model, and its client, given the address of the provider."""
TURNS = (
    fails(429),
    together(uses("weather", 100, 20, 5, city="Rome"), uses("lodging", 10, 4, 1, city="Rome")),
    says("Go to Rome.", 180, 12, 0, 64),
)
DELEGATED = (uses("translate", 40, 7, text="Hi"), says("Hola", 20, 3), says("It is Hola.", 70, 5))


def weather(city: str) -> str:
    """The weather of a city."""
    return f"{city} is sunny."


async def lodging(city: str) -> str:
    """Where to stay."""
    return f"{city} has a hotel."


def chat(url: str) -> tuple[Any, Any]:
    """The model as other providers have it."""
    client = AsyncOpenAI(base_url=url, api_key="-")
    return OpenAIChatModel("gpt-5", provider=OpenAIProvider(openai_client=client)), client


def responses(url: str) -> tuple[Any, Any]:
    """The model as OpenAI has it."""
    client = AsyncOpenAI(base_url=url, api_key="-")
    return OpenAIResponsesModel("gpt-5", provider=OpenAIProvider(openai_client=client)), client


def planner(model: Any) -> Any:
    """An agent with two tools."""
    return Agent(model, name="Planner", tools=[weather], toolsets=[FunctionToolset([lodging])])


def orchestrator(model: Any) -> Any:
    """An agent, one of whose tools asks another."""
    translator = Agent(model, name="Translator")
    built = Agent(model, name="Orchestrator")

    @built.tool
    async def translate(ctx: RunContext, text: str) -> str:
        return str((await translator.run(text, usage=ctx.usage)).output)

    return built


def within(work: Callable[[Any], Coroutine[Any, Any, Any]], url: str, ask: Ask = responses) -> Any:
    """What a coroutine function makes of a model; its client is closed."""

    async def run() -> Any:
        model, client = ask(url)
        async with client:
            return await work(model)

    return asyncio.run(run())


def whole(url: str, build: Callable[[Any], Any], ask: Ask = responses) -> Any:
    """What the agent says to those who await it."""

    async def work(model: Any) -> Any:
        return (await build(model).run("Where to?")).output

    return within(work, url, ask)


def streamed(url: str, build: Callable[[Any], Any], ask: Ask = responses) -> Any:
    """What the agent says to those who read along."""

    async def work(model: Any) -> Any:
        async with build(model).run_stream("Where to?") as running:
            async for _ in running.stream_output(debounce_by=None):
                pass
            return await running.get_output()

    return within(work, url, ask)


_ALONE: dict[str, Any] = {
    "turns": TURNS,
    "said": "Go to Rome.",
    "agents": ("Planner",),
    "tools": ("weather", "lodging"),
}
RUNS = (
    Run("agent", play=lambda url: str(whole(url, planner)), **_ALONE),
    Run("streamed", play=lambda url: str(streamed(url, planner)), **_ALONE),
    Run("through Chat", play=lambda url: str(whole(url, planner, chat)), **_ALONE),
    Run(
        "agent as a tool",
        turns=DELEGATED,
        play=lambda url: str(whole(url, orchestrator)),
        said="It is Hola.",
        agents=("Orchestrator", "Translator"),
        tools=("translate",),
    ),
)
