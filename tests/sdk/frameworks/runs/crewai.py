"""Crews of CrewAI, and who is in them."""

from __future__ import annotations

from typing import Any

from crewai import LLM, Agent, Crew, Process, Task
from crewai.tools import tool

from frameworks.runs.run import Run
from frameworks.turn import fails, says, together, uses

TURNS = (
    fails(429),
    together(uses("weather", 50, 9, 4, place="Rome"), uses("weather", 10, 3, 1, place="Atlantis")),
    says("It is warm.", 80, 12, 0, 64),
)
DELEGATED = (
    uses("delegate_work_to_coworker", 90, 20, task="Forecast.", context="Rome.", coworker="Forecaster"),
    says("It is warm.", 80, 12),
    says("Warm it is.", 120, 8),
)


def model(url: str, **options: Any) -> LLM:
    """The model as CrewAI asks it by default."""
    return LLM("openai/gpt-4.1", base_url=url, api_key="-", **options)


@tool
def weather(place: str) -> str:
    """The weather of a place."""
    if place == "Atlantis":
        raise LookupError(place)
    return f"{place} is warm."


def agent(llm: LLM, role: str = "Forecaster", **options: Any) -> Agent:
    """An agent that forecasts."""
    return Agent(role=role, goal="Forecast.", backstory="Has windows.", llm=llm, **options)


def task(worker: Agent, **options: Any) -> Task:
    """What it is asked to do."""
    return Task(description="Forecast Rome.", expected_output="A sentence.", agent=worker, **options)


def crew(worker: Agent, **options: Any) -> Crew:
    """A crew of one."""
    return Crew(agents=[worker], tasks=[task(worker, name="forecast", **options)], name="weather service")


def led(url: str) -> Crew:
    """A crew whose manager delegates."""
    work = [Task(description="Forecast Rome.", expected_output="A sentence.", name="forecast")]
    return Crew(agents=[agent(model(url))], tasks=work, process=Process.hierarchical, manager_llm=model(url))


def _forecast(url: str, **options: Any) -> str:
    return str(crew(agent(model(url, **options), tools=[weather])).kickoff().raw)


_ALONE = {"turns": TURNS, "said": "It is warm.", "agents": ("Forecaster",), "tools": ("weather", "weather")}
RUNS = (
    Run("agent", play=_forecast, **_ALONE),
    Run("streamed", play=lambda url: _forecast(url, stream=True), **_ALONE),
    Run(
        "manager",
        turns=DELEGATED,
        play=lambda url: str(led(url).kickoff().raw),
        said="Warm it is.",
        agents=("Crew Manager", "Forecaster"),
        tools=("Delegate work to coworker",),
    ),
)
