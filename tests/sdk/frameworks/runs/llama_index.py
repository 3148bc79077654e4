"""Agents of LlamaIndex, and their models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent
from llama_index.llms.openai import OpenAI

from frameworks.runs.run import Run
from frameworks.turn import fails, says, together, uses

TURNS = (
    fails(429),
    together(uses("multiply", 50, 9, 4, a=6, b=7), uses("multiply", 10, 1, a="x", b=[])),
    says("42", 80, 12, 0, 64),
)
HANDED_OVER = (
    fails(429),
    together(uses("multiply", 50, 9, a=6, b=7), uses("multiply", 10, 1, a="x", b=[])),
    uses("handoff", 60, 9, to_agent="writer", reason="It is to be written."),
    says("42", 80, 12),
)


def model(url: str, **options: Any) -> OpenAI:
    """A model that tells its usage when it streams, too."""
    asked = {"stream_options": {"include_usage": True}}
    return OpenAI("gpt-4.1", api_base=url, api_key="-", additional_kwargs=asked, **options)


def awaited(url: str, work: Callable[[OpenAI], Coroutine[Any, Any, Any]]) -> Any:
    """What the application awaits, of a model whose connections it closes."""

    async def main() -> Any:
        async with httpx.AsyncClient() as http:
            return await work(model(url, async_http_client=http))

    return asyncio.run(main())


def agent(llm: OpenAI, *tools: Any, **options: Any) -> FunctionAgent:
    """An agent that calculates."""
    options = {"name": "calculator", "description": "Calculates.", "streaming": False, **options}
    return FunctionAgent(tools=list(tools), llm=llm, **options)


def multiply(a: float, b: float) -> float:
    """Useful for multiplying two numbers."""
    return a * b


async def calculated(llm: OpenAI, **options: Any) -> str:
    """What an agent of the quick start says."""
    return str(await agent(llm, multiply, system_prompt="You multiply.", **options).run("What is 6 * 7?"))


async def handed_over(llm: OpenAI) -> tuple[str, str]:
    """What agents have streamed, of whom one hands over to the other, and what they say."""
    first = agent(llm, multiply, can_handoff_to=["writer"], streaming=True)
    second = agent(llm, name="writer", description="Writes.", streaming=True)
    handler = AgentWorkflow(agents=[first, second], root_agent="calculator").run(user_msg="What is it?")
    heard = [event.delta async for event in handler.stream_events() if isinstance(event, AgentStream)]
    return "".join(heard), str(await handler)


_ALONE = {"turns": TURNS, "said": "42", "agents": ("calculator",), "tools": ("multiply", "multiply")}
RUNS = (
    Run("agent", play=lambda url: str(awaited(url, calculated)), **_ALONE),
    Run("streamed", play=lambda url: str(awaited(url, lambda llm: calculated(llm, streaming=True))), **_ALONE),
    Run(
        "handoff",
        turns=HANDED_OVER,
        play=lambda url: str(awaited(url, handed_over)[1]),
        said="42",
        agents=("calculator", "writer"),
        tools=("multiply", "multiply"),
    ),
)
