"""Agents of Haystack, alone and in a pipeline."""

from __future__ import annotations

import asyncio
from typing import Any

import haystack
from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import ComponentTool, tool
from haystack.utils import Secret

from frameworks.runs import places
from frameworks.runs.places import TURNS, delegated
from frameworks.runs.run import Run
from frameworks.turn import fails

IS_OLD = not hasattr(Pipeline, "run_async")
"""Before haystack 3, what could be awaited was a class of its own."""
ASKED = [ChatMessage.from_user("How is Rome?")]
DELEGATED = delegated(messages=[{"role": "user", "content": [{"text": "Rome?"}]}])
TOLD = {"generation_kwargs": {"stream_options": {"include_usage": True}}}
"""Streams say what they used only where they are asked to."""
search, weather = tool(places.search), tool(places.weather)


def model(url: str, **options: Any) -> OpenAIChatGenerator:
    """The model as Haystack asks it by default."""
    return OpenAIChatGenerator(api_key=Secret.from_token("-"), model="gpt-5", api_base_url=url, **options)


def written(url: str, **options: Any) -> Agent:
    """An agent as the documentation begins with."""
    return Agent(chat_generator=model(url, **options), tools=[search, weather], system_prompt="Be brief.")


def pipeline(way: str = "run", **parts: Any) -> Any:
    """A pipeline of parts that are not connected."""
    built: Any = (haystack.AsyncPipeline if IS_OLD and way == "run_async" else Pipeline)()
    for name, part in parts.items():
        built.add_component(name, part)
    return built


def desk(url: str, way: str = "run") -> Any:
    """A pipeline of an agent, one of whose tools is another."""
    expert = Agent(chat_generator=model(url), tools=[search])
    ask = ComponentTool(component=expert, name="ask_expert", description="Ask one who knows.")
    return pipeline(way, lead=Agent(chat_generator=model(url), tools=[ask]))


def run(way: str, runnable: Any, *given: Any, **named: Any) -> Any:
    """The result of a component or a pipeline, from whatever function."""
    if way == "run":
        return runnable.run(*given, **named)
    if way == "streamed":
        parts: list[Any] = []
        return runnable.run(*given, **named, streaming_callback=parts.append)
    return asyncio.run(runnable.run_async(*given, **named))


def said(result: Any) -> str:
    """What an agent has said in the end."""
    return str(result["messages"][-1].text)


_ALONE: dict[str, Any] = {
    "turns": (fails(429), *TURNS),
    "said": "It is warm.",
    "agents": ("Agent",),
    "tools": ("search", "weather"),
}
RUNS = (
    Run("agent", play=lambda url: said(run("run", written(url), ASKED)), **_ALONE),
    Run("streamed", play=lambda url: said(run("streamed", written(url, **TOLD), ASKED)), **_ALONE),
    Run(
        "agent as a tool",
        turns=DELEGATED,
        play=lambda url: said(run("run", desk(url), {"lead": {"messages": ASKED}})["lead"]),
        said="It is in Italy.",
        agents=("lead", "Agent"),
        tools=("ask_expert", "search"),
    ),
)
