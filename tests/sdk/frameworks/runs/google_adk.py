"""Agents of Google's ADK, and what runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.genai import Client, types

from frameworks.runs.run import Run
from frameworks.turn import fails, says, together, uses

TURNS = (
    fails(429),
    together(uses("weather", 50, 9, 4, place="Rome"), uses("weather", 10, 3, 1, place="Oslo")),
    says("It is warm.", 80, 12, 0, 64),
)
TRANSFERRED = (
    uses("transfer_to_agent", 50, 9, agent_name="writer"),
    uses("helper", 60, 4, request="Rome?"),
    says("warm", 20, 2),
    says("It is warm.", 80, 12),
)
MESSAGE = types.Content(role="user", parts=[types.Part(text="How is Rome?")])
STREAMED = {"run_config": RunConfig(streaming_mode=StreamingMode.SSE)}


def weather(place: str) -> dict[str, str]:
    """The weather of a place."""
    if place == "Atlantis":
        raise LookupError(place)
    return {"weather": f"{place} is warm."}


def agent(llm: Gemini, title: str = "forecaster", **options: Any) -> LlmAgent:
    """An agent that forecasts."""
    return LlmAgent(name=title, model=llm, instruction="Forecast.", **options)


def equipped(llm: Gemini) -> LlmAgent:
    """An agent with a tool."""
    return agent(llm, tools=[weather])


def transferring(llm: Gemini) -> LlmAgent:
    """An agent that transfers to another, which has an agent for a tool."""
    helper = AgentTool(agent(llm, "helper", description="Helps."))
    return agent(llm, sub_agents=[agent(llm, "writer", description="Writes.", tools=[helper])])


@contextmanager
def modelled(url: str) -> Iterator[Gemini]:
    """A model whose connections are closed in the end."""
    retries = {"attempts": 2, "initial_delay": 0}
    client = Client(api_key="-", http_options={"base_url": url, "retry_options": retries})
    llm = Gemini(model="gemini-3.8-flash")
    # Where it would keep a client that it has made by itself.
    llm.__dict__["api_client"] = client
    with client:
        yield llm


async def runner_of(root: Any) -> InMemoryRunner:
    """What runs an agent, with a session for it."""
    runner = InMemoryRunner(agent=root, app_name="forecasts")
    await runner.session_service.create_session(app_name="forecasts", user_id="u", session_id="s")
    return runner


def texts(events: Iterable[Any]) -> list[str]:
    """What was said in events."""
    contents = [event.content for event in events if event.content]
    return [part.text for content in contents for part in content.parts if part.text]


def asked(url: str, build: Callable[[Gemini], Any], **options: Any) -> list[str]:
    """The texts that a runner gives of one question to what is built of a model."""

    async def main(llm: Gemini) -> list[str]:
        async with llm.api_client.aio:
            runner = await runner_of(build(llm))
            events = runner.run_async(user_id="u", session_id="s", new_message=MESSAGE, **options)
            return texts([event async for event in events])

    with modelled(url) as llm:
        return asyncio.run(main(llm))


_ALONE: dict[str, Any] = {
    "turns": TURNS,
    "said": "It is warm.",
    "agents": ("forecaster",),
    "tools": ("weather", "weather"),
}
RUNS = (
    Run("agent", play=lambda url: asked(url, equipped)[-1], **_ALONE),
    Run("streamed", play=lambda url: asked(url, equipped, **STREAMED)[-1], **_ALONE),
    Run(
        "transfer",
        turns=TRANSFERRED,
        play=lambda url: asked(url, transferring, **STREAMED)[-1],
        said="It is warm.",
        agents=("forecaster", "writer", "helper"),
        tools=("helper",),
    ),
)
