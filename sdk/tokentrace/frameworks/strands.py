"""Agents and what they have agents for tools do, tools, interrupts, graphs, swarms, handoffs; compaction, re-asks.

Its own spans are left as they are: they tell the same tokens, and none of ours is made of them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import approvals
from tokentrace.request.rejections import Rejected, reject_around
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig


def _agent(call: Call) -> Work:
    return Work("agent", call.instance.name)


def _team(call: Call) -> Work:
    return Work("workflow", call.instance.id)


def _node(call: Call) -> Work:
    return Work("step", call.arg(0, "node").node_id)


def _tool(call: Call) -> Work:
    use = call.arg(1, "tool_use")
    told = {name.TOOL_CALL: use["toolUseId"]}
    if use["name"] == "handoff_to_agent":
        return Work("handoff", str(use["input"].get("agent_name", use["name"])), attributes=told)
    return Work("tool", use["name"], attributes=told)


def _summary(call: Call) -> Work:
    return Work("step", type(call.instance).__name__, role="compact")


def _interrupted(wrapped: Any, state: Any, args: Any, kwargs: Any) -> Any:
    with quietly("noting an interrupt"):
        approvals.ask(*(each.id for each in state.interrupts.values() if each.response is None))
    return wrapped(*args, **kwargs)


def _resumed(wrapped: Any, state: Any, args: Any, kwargs: Any) -> Any:
    result = wrapped(*args, **kwargs)
    with quietly("telling an approval"):
        # What a response means is the application's affair.
        approvals.answer({each.id: None for each in state.interrupts.values() if each.response is not None})
    return result


async def _validated(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> AsyncGenerator[Any]:
    """An answer that is written as the call of a tool, which tells the model what is wrong with it."""
    call = Call(instance, args, kwargs)
    async with aclosing(wrapped(*args, **kwargs)) as events:
        async for event in events:
            with quietly("judging an answer"):
                if dig(event, "tool_result", "status") == "error" and _is_alone(call):
                    reject_around(Rejected("schema"))
            yield event


def _is_alone(call: Call) -> bool:
    """Whether the answer has called no tool beside it."""
    said = call.arg(1, "invocation_state")["agent"].messages[-1]
    return said["role"] == "assistant" and sum("toolUse" in part for part in said["content"]) == 1


INTEGRATION = Integration(
    library="strands-agents",
    steps=(
        StepSeam("strands.agent.agent", "Agent.stream_async", _agent),
        # Inside of the span that it begins for a tool, which would stand in for ours.
        StepSeam("strands.tools.executors._executor", "ToolExecutor._stream", _tool),
        StepSeam("strands.multiagent.graph", "Graph.stream_async", _team),
        StepSeam("strands.multiagent.graph", "Graph._execute_node", _node),
        StepSeam("strands.multiagent.swarm", "Swarm.stream_async", _team),
        StepSeam(
            "strands.agent.conversation_manager.summarizing_conversation_manager",
            "SummarizingConversationManager._generate_summary",
            _summary,
        ),
    ),
    attach={
        "strands.interrupt": put(("_InterruptState.activate", _interrupted), ("_InterruptState.resume", _resumed)),
        "strands.tools.structured_output.structured_output_tool": put(("StructuredOutputTool.stream", _validated)),
    },
)
