"""Agents and the agents that they manage, their tools, also those that their code calls; plans and rejected answers."""

from __future__ import annotations

import functools
from contextvars import copy_context
from typing import Any

from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig

_ANSWER = "final_answer"
"""The tool by which an agent answers does nothing else."""


def _running(call: Call) -> Work:
    return Work("agent", call.instance.name or type(call.instance).__name__)


def _calling(call: Call) -> Work | None:
    tool: str = call.instance.name
    return None if tool == _ANSWER else Work("tool", tool)


def _planning(_: Call) -> Work:
    return Work("step", "planning", "plan")


def _stepped(end: End) -> Rejected | None:
    """An answer that is no step, or whose final answer a check has not let through."""
    step = end.call.arg(0, "memory_step")
    error = type(dig(step, "error")).__name__
    if error == "AgentParsingError":
        return Rejected("schema")
    # What it has called may have asked models since: only by its name is it known.
    answer = dig(step, "model_output_message", "raw", "id") if error == "AgentError" else None
    return None if answer is None else Rejected("guardrail", answer)


def _timed(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    """Code that has a limit of time runs in a thread of its own, which belongs to who has it run."""
    decorate = wrapped(*args, **kwargs)

    def decorated(function: Any) -> Any:
        here = copy_context()

        @functools.wraps(function)
        def run(*given: Any, **named: Any) -> Any:
            return here.copy().run(function, *given, **named)

        return decorate(run)

    return decorated


INTEGRATION = Integration(
    library="smolagents",
    steps=(
        StepSeam("smolagents.agents", "MultiStepAgent.run", _running),
        StepSeam("smolagents.agents", "MultiStepAgent._generate_planning_step", _planning),
        StepSeam("smolagents.tools", "Tool.__call__", _calling),
    ),
    attach={
        "smolagents.agents": put(("MultiStepAgent._finalize_step", judged(_stepped))),
        "smolagents.local_python_executor": put(("timeout", _timed)),
    },
)
