"""Agents of AutoGen, and how they are asked."""

from __future__ import annotations

import asyncio
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient

from frameworks.forecast import weather_of

ABLE = {
    "vision": False, "function_calling": True, "json_output": True, "structured_output": True, "family": "unknown",
    "multiple_system_messages": True,
}  # fmt: skip
"""What a model can, which AutoGen knows of those it has heard of alone."""


async def weather(place: str) -> str:
    """The weather of a place."""
    return weather_of(place)


def model(url: str, able: Any = ABLE, **options: Any) -> Any:
    """A model as its client of OpenAI asks it."""
    return OpenAIChatCompletionClient(model="gpt-5", base_url=url, api_key="-", model_info=able, **options)


def agent(url: str, name: str = "forecaster", **options: Any) -> Any:
    """An agent of the quick start."""
    return AssistantAgent(name, model_client=options.pop("client", None) or model(url), **options)


def said(result: Any) -> list[str]:
    """What everybody has said."""
    return [message.to_text() for message in result.messages]


async def run(made: Any, task: str, is_streamed: bool) -> Any:
    """The result of an agent or a team."""
    if not is_streamed:
        return await made.run(task=task)
    return [part async for part in made.run_stream(task=task)][-1]


def ask(made: Any, task: str = "How is Rome?", is_streamed: bool = False) -> list[str]:
    """What everybody has said about a task."""
    return said(asyncio.run(run(made, task, is_streamed)))
