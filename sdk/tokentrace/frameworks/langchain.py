"""Tools, retrievals, handoffs; chains, retries, fallbacks with a name or without a step around; rejected answers.

What is made of models alone stays out of the way: inside of a step, a chain without a name is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace import attributes as name
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.request.section import innermost
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig

_SIGNALS = ("GraphBubbleUp",)
"""What a tool raises in order to have a graph of langgraph go on elsewhere, or later."""
_HANDOFF = "__handoff_destination"
"""By this, langgraph-supervisor and langgraph-swarm mark the tools that hand over to another agent."""
_SELECTION = "tool_selection"
"""By this, LangChain's middleware says that it asks which tools a model is to be offered."""
_CHAINS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "langchain_core.runnables.base": {
        "RunnableSequence": ("invoke", "ainvoke", "batch", "abatch", "transform", "atransform"),
        "RunnableParallel": ("invoke", "ainvoke", "transform", "atransform"),
    },
    "langchain_core.runnables.retry": {"RunnableRetry": ("invoke", "ainvoke", "batch", "abatch")},
    "langchain_core.runnables.fallbacks": {
        "RunnableWithFallbacks": ("invoke", "ainvoke", "batch", "abatch", "stream", "astream"),
    },
}
"""What is composed of others, and the functions that run it."""


def _chain(call: Call) -> Work | None:
    """Something composed of others, where it is of use to know."""
    config = _config(call)
    is_outermost = innermost() is None
    metadata: Mapping[str, Any] = config.get("metadata") or {}
    if metadata.get("lc_source") == _SELECTION:
        return Work("step", _SELECTION, "tool_select")
    title: str | None = config.get("run_name") or getattr(call.instance, "name", None)
    if title is None and not is_outermost:
        return None
    return Work("workflow" if is_outermost else "step", title or call.instance.get_name())


def _config(call: Call) -> Mapping[str, Any]:
    found: Any = call.arg(1, "config")
    # A batch may have a configuration for each of its inputs.
    several: Any = found or ({},)
    return several if hasattr(several, "keys") else several[0] or {}


def _tool(call: Call) -> Work:
    tool = call.instance
    id_of_call = call.kwargs.get("tool_call_id")
    told = {} if id_of_call is None else {name.TOOL_CALL: id_of_call}
    is_handoff = _HANDOFF in (tool.metadata or {})
    return Work("handoff" if is_handoff else "tool", tool.name, attributes=told)


def _unfit(end: End) -> Rejected | None:
    """The error that says what an agent's answer lacks begins: it is asked for again, or the agent ends with that."""
    answer = end.call.arg(2, "ai_message") or end.call.arg(1, "ai_message")
    named = dig(end.call.instance, "tool_names")
    # What else it has called is called.
    wanted = 1 if named is None else len(named)
    return Rejected("schema") if len(answer.tool_calls) <= wanted else None


def _unparsed(end: End) -> Rejected | None:
    """An answer that the parser at the end of a chain takes for none; a parser by itself may have one that will do."""
    if end.error is None or not _is_unparsed(end):
        return None
    models = (dig(step, "bound") or step for step in end.call.instance.steps)
    asks = any(each.__name__ == "BaseLanguageModel" for model in models for each in type(model).__mro__)
    return Rejected("schema") if asks else None


def _is_unparsed(end: End) -> bool:
    kind = type(end.error).__name__
    if kind == "ValidationError":
        schemas = dig(end.call.instance.last, "tools") or ()
        return dig(end.error, "title") in [dig(schema, "__name__") for schema in schemas]
    return kind == "OutputParserException"


def _retrieval(call: Call) -> Work:
    return Work("retrieval", _config(call).get("run_name") or call.instance.get_name())


INTEGRATION = Integration(
    library="langchain-core",
    steps=(
        *(StepSeam("langchain_core.tools.base", f"BaseTool.{each}", _tool, _SIGNALS) for each in ("run", "arun")),
        *(StepSeam("langchain_core.retrievers", f"BaseRetriever.{each}", _retrieval) for each in ("invoke", "ainvoke")),
        *(
            StepSeam(module, f"{kind}.{each}", _chain, _SIGNALS)
            for module, kinds in _CHAINS.items()
            for kind, functions in kinds.items()
            for each in functions
        ),
    ),
    attach={
        # Put on after the seams: told in what has the chain run, which asks again.
        "langchain_core.runnables.base": put(
            ("RunnableSequence.invoke", judged(_unparsed)), ("RunnableSequence.ainvoke", judged(_unparsed))
        ),
        "langchain.agents.structured_output": put(
            ("StructuredOutputValidationError.__init__", judged(_unfit)),
            ("MultipleStructuredOutputsError.__init__", judged(_unfit)),
        ),
    },
)
