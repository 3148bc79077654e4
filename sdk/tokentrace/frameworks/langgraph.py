"""Graphs as workflows or agents, attempts at nodes as steps, memory, conversations, and waits for a person to answer.

A node that is tried again by its retry policy is a step per attempt: what failed stands beside what replaced it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, cast

import wrapt

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import approvals, pools

SIGNALS = ("GraphBubbleUp",)
"""What a graph raises in order to go on elsewhere, or later: a command to its parent, an interrupt."""
_AGENTS = frozenset({"langchain.agents.factory", "langgraph.prebuilt.chat_agent_executor"})
"""Where the nodes of ready-made agents come from."""
_ROLES = {"SummarizationMiddleware": "compact", "ModelRouterMiddleware": "route"}
"""What the nodes of LangChain's middleware ask models for, by the class that they are methods of."""
_HIDDEN = "langsmith:hidden"
_DECISIONS = {"approve": "approved", "edit": "edited", "reject": "rejected"}


def _graph(call: Call) -> Work:
    """A run of a graph."""
    config = _config(call, 1)
    given: Mapping[str, Any] = getattr(call.instance, "config", None) or {}
    thread = _thread(config) or _thread(given)
    title: str = config.get("run_name") or given.get("run_name") or call.instance.get_name()
    told = {} if thread is None else {name.CONVERSATION: thread}
    return Work("agent" if _is_agent(call.instance) else "workflow", title, attributes=told)


def _is_agent(graph: Any) -> bool:
    functions = (getattr(getattr(node, "bound", None), "func", None) for node in graph.nodes.values())
    return any(getattr(function, "__module__", None) in _AGENTS for function in functions)


def _node(call: Call) -> Work | None:
    """One attempt at a node; a sequence that is run inside of it has no name, or another one."""
    config = _config(call, 1)
    metadata: Mapping[str, Any] = config.get("metadata") or {}
    title: str | None = metadata.get("langgraph_node")
    if title is None or title != config.get("run_name") or _HIDDEN in (config.get("tags") or ()):
        return None
    first = next(iter(call.instance.steps), None)
    owner: object = getattr(getattr(first, "func", None), "__self__", None)
    kinds = (each.__name__ for each in type(owner).__mro__)
    role = next((_ROLES[kind] for kind in kinds if kind in _ROLES), None)
    return Work("step", title, role)


def _memory(operation: str) -> Callable[[Call], Work]:
    work = Work("memory", operation.partition("_")[0], attributes={name.OPERATION: operation})
    return lambda _: work


def _config(call: Call, position: int) -> Mapping[str, Any]:
    return call.arg(position, "config") or {}


def _thread(config: Mapping[str, Any]) -> str | None:
    configurable: Mapping[str, Any] = config.get("configurable") or {}
    thread = configurable.get("thread_id")
    return None if thread is None else str(thread)


def _await_approvals(module: ModuleType) -> Callable[[], object]:
    """Note when a graph is left for a person to answer, and when it goes on with the answer."""

    def left(wrapped: Any, loop: Any, args: Any, kwargs: Any) -> Any:
        with quietly("noting an interrupt"):
            error: Any = args[1] if len(args) > 1 else None
            interrupt: Any = module.GraphInterrupt
            asked = isinstance(error, interrupt) and any(error.args)
            if asked and not loop.is_nested and (thread := _thread(loop.config)) is not None:
                approvals.ask_anew(thread)
        return wrapped(*args, **kwargs)

    def resumed(wrapped: Any, loop: Any, args: Any, kwargs: Any) -> Any:
        with quietly("telling an approval"):
            answer = getattr(loop.input, "resume", None)
            if answer is not None and not loop.is_nested and (thread := _thread(loop.config)) is not None:
                approvals.answer({thread: _decision(answer)})
        return wrapped(*args, **kwargs)

    ends = ("SyncPregelLoop.__exit__", "AsyncPregelLoop.__aexit__")
    put = {
        each: wrapt.wrap_function_wrapper(module, each, wrapper)
        for each, wrapper in (("PregelLoop._first", resumed), *((end, left) for end in ends))
    }
    return lambda: [wrapt.unwrap_object(module, each, ours, missing_ok=True) for each, ours in put.items()]


def _keep_context(module: Any) -> Callable[[], object]:
    """Have the threads in which a store embeds what it is asked belong to who asks."""

    class Futures(wrapt.ObjectProxy[Any]):
        ThreadPoolExecutor = pools.Pool

    futures = module.cf
    module.cf = ours = Futures(futures)

    def undo() -> None:
        if module.cf is ours:
            module.cf = futures

    return undo


def _decision(answer: Any) -> str | None:
    """What was decided, where the answer is one of LangChain's, and decides all alike."""
    told: Any = cast("Mapping[str, Any]", answer).get("decisions") if isinstance(answer, Mapping) else None
    decisions = [cast("Mapping[str, Any]", each) for each in told or () if isinstance(each, Mapping)]
    kinds = {str(each.get("type")) for each in decisions}
    return _DECISIONS.get(kinds.pop()) if len(kinds) == 1 else None


INTEGRATION = Integration(
    library="langgraph",
    steps=(
        *(StepSeam("langgraph.pregel.main", f"Pregel.{each}", _graph, SIGNALS) for each in ("stream", "astream")),
        *(
            StepSeam("langgraph._internal._runnable", f"RunnableSeq.{each}", _node, SIGNALS)
            for each in ("invoke", "ainvoke", "astream")
        ),
        *(
            StepSeam("langgraph.store.base", f"BaseStore.{each}", _memory(operation))
            for each, operation in (
                ("search", "search_memory"),
                ("asearch", "search_memory"),
                ("put", "upsert_memory"),
                ("aput", "upsert_memory"),
            )
        ),
    ),
    attach={"langgraph.pregel._loop": _await_approvals, "langgraph.store.memory": _keep_context},
)
