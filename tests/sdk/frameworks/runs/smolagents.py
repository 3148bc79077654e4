"""Agents of smolagents, which call tools or write code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from smolagents import CodeAgent, LogLevel, OpenAIServerModel, ToolCallingAgent, tool

from frameworks.runs.run import Run
from frameworks.turn import Turn, fails, says, together, uses

QUIET = {"verbosity_level": LogLevel.OFF}


def code(written: str, *tokens: int) -> Turn:
    """The model writes what an agent is to run."""
    return says(f"Thought: so.\n<code>\n{written}\n</code>", *tokens)


TURNS = (
    fails(429),
    together(uses("weather", 100, 20, 5, city="Rome"), uses("lodging", 10, 4, 1, city="Rome")),
    uses("final_answer", 180, 12, 0, 64, answer="Go to Rome."),
)
MANAGED = (
    code('print(weather("Rome"))\nprint(guide(task="Find a bed."))', 100, 20),
    code('final_answer(lodging("Rome"))', 50, 9),
    code('final_answer("Stay.")', 140, 11),
)


@tool
def weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: Which.
    """
    return f"{city} is sunny."


@tool
def lodging(city: str) -> str:
    """Where to stay.

    Args:
        city: Where.
    """
    if city == "Atlantis":
        raise ConnectionError(city)
    return f"{city} has a hotel."


@contextmanager
def modelled(url: str) -> Iterator[OpenAIServerModel]:
    """A model whose connections are closed in the end."""
    model = OpenAIServerModel("gpt-5", api_base=url, api_key="-", client_kwargs={"max_retries": 2})
    yield model
    model.client.close()


def planner(model: OpenAIServerModel) -> ToolCallingAgent:
    """An agent with two tools."""
    return ToolCallingAgent([weather, lodging], model, name="planner", **QUIET)


def manager(model: OpenAIServerModel, **options: Any) -> CodeAgent:
    """An agent that has another to ask."""
    guide = CodeAgent([lodging], model, name="guide", description="Finds a bed.", **QUIET)
    return CodeAgent([weather], model, managed_agents=[guide], **QUIET, **options)


def answered(agent: Any, *, is_streamed: bool = False) -> Any:
    """What an agent says in the end."""
    return list(agent.run("Where to?", stream=True))[-1].output if is_streamed else agent.run("Where to?")


def _planned(url: str, *, is_streamed: bool = False) -> str:
    with modelled(url) as model:
        return str(answered(planner(model), is_streamed=is_streamed))


def _managed(url: str) -> str:
    with modelled(url) as model:
        return str(answered(manager(model, name="manager")))


_ALONE: dict[str, Any] = {
    "turns": TURNS,
    "said": "Go to Rome.",
    "agents": ("planner",),
    "tools": ("weather", "lodging"),
}
RUNS = (
    Run("agent", play=_planned, **_ALONE),
    Run("streamed", play=lambda url: _planned(url, is_streamed=True), **_ALONE),
    Run(
        "managed agent",
        turns=MANAGED,
        play=_managed,
        said="Stay.",
        agents=("manager", "guide"),
        tools=("weather", "lodging"),
    ),
)
