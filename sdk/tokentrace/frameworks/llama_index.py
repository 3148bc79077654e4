"""Workflows, steps, agents, handoffs, engines, retrieval, synthesis, tools, memory; routes, plans, compaction, re-asks.

What a ready-made agent does in steps of its own is told as one stay of that agent, not as those steps.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import wrapt

from tokentrace import attributes as name
from tokentrace.frameworks import _llama_index_runs as runs
from tokentrace.frameworks._llama_index_spans import Listener
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig


def _memory(operation: str) -> Callable[[Call], Work]:
    return lambda call: Work("memory", call.instance.name, attributes={name.OPERATION: operation})


def _summary(call: Call) -> Work:
    return Work("step", type(call.instance).__name__, role="compact")


def _unparsed(end: End) -> Rejected | None:
    """An answer in which an agent finds neither a tool nor a result."""
    return Rejected("schema") if dig(end.result, "retry_messages") else None


def _listen(module: ModuleType) -> Callable[[], object]:
    """Hear of everything that the framework tells those who trace it."""
    handlers = module.get_dispatcher().span_handlers
    listener = Listener()
    handlers.append(listener)
    return lambda: listener in handlers and handlers.remove(listener)


def _wrap(place: str, wrapper: Callable[..., object]) -> Callable[[ModuleType], Callable[[], object]]:
    def attach(module: ModuleType) -> Callable[[], object]:
        ours = wrapt.wrap_function_wrapper(module, place, wrapper)
        return lambda: wrapt.unwrap_object(module, place, ours, missing_ok=True)

    return attach


INTEGRATION = Integration(
    library="llama-index-core",
    steps=(
        StepSeam("llama_index.core.memory.memory", "BaseMemoryBlock.aget", _memory("search_memory")),
        StepSeam("llama_index.core.memory.memory", "BaseMemoryBlock.aput", _memory("update_memory")),
        StepSeam(
            "llama_index.core.memory.chat_summary_memory_buffer",
            "ChatSummaryMemoryBuffer._summarize_oldest_chat_history",
            _summary,
        ),
    ),
    attach={
        "llama_index.core.agent.workflow.react_agent": put(("ReActAgent.take_step", judged(_unparsed))),
        "llama_index_instrumentation": _listen,
        "workflows.context.context": _wrap("Context._workflow_run", runs.run),
        "workflows.runtime.types.step_function": _wrap("partial", runs.step),
    },
)
