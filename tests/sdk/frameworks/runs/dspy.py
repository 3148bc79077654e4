"""Agents of DSPy, over the engine of its own and over litellm."""

from __future__ import annotations

import asyncio
import os
from typing import Any

# It would fetch its prices otherwise, from wherever the tests run.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import dspy

from frameworks.runs import places
from frameworks.runs.run import Run
from frameworks.turn import fails, says

ENGINES = ("lm15", "litellm") if hasattr(dspy, "lm15") else ("litellm",)
"""Releases before 3.3 have none of their own."""
CHOICE = "[[ ## next_thought ## ]]\nt\n\n[[ ## next_tool_name ## ]]\n{}\n\n[[ ## next_tool_args ## ]]\n{}\n\n[[ ## completed ## ]]"
REASONED = "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nwarm\n\n[[ ## completed ## ]]"
ASKED = {"question": "How is Rome?"}
TURNS = (
    says(CHOICE.format("search", '{"place": "Rome"}'), 100, 20, 5),
    says(CHOICE.format("finish", "{}"), 110, 21),
    says(REASONED, 180, 12, 0, 64),
)
search = places.search


def model(url: str, engine: str = ENGINES[0], name: str = "openai/gpt-5", **options: Any) -> Any:
    """A model that is asked through an engine."""
    if len(ENGINES) > 1:
        options["engine"] = engine
    return dspy.LM(name, api_base=url, api_key="-", cache=False, temperature=1.0, max_tokens=16000, **options)


def react() -> Any:
    """An agent with a tool."""
    return dspy.ReAct("question -> answer", tools=[search])


def run(program: Any, lm: Any, is_async: bool = False, **given: Any) -> Any:
    """What a program answers."""
    with dspy.context(lm=lm):
        if is_async:
            return asyncio.run(program.acall(**given))
        return program(**given)


def _answered(url: str, engine: str) -> str:
    return str(run(react(), model(url, engine), **ASKED).answer)


def _through(engine: str, name: str) -> Run:
    return Run(
        name,
        turns=(fails(429), *TURNS),
        play=lambda url: _answered(url, engine),
        said="warm",
        agents=("ReAct",),
        tools=("search",),
    )


RUNS = (_through(ENGINES[0], "agent"), _through("litellm", "through litellm"))
