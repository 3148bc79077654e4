"""What LlamaIndex tells its span handlers: query engines, retrievers, tools and what else has a base class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

from tokentrace import attributes as name
from tokentrace.frameworks import _llama_index_runs as runs
from tokentrace.guard import quietly
from tokentrace.integration import Work
from tokentrace.request.running import in_place
from tokentrace.request.section import Entry, Section, begin, innermost

Tell = Callable[[Any, Mapping[str, Any]], Work]


def _step(role: str | None = None) -> Tell:
    return lambda instance, _: Work("step", type(instance).__name__, role)


def _engine(instance: Any, _: Mapping[str, Any]) -> Work:
    """An engine is the whole of a request, or a step of what asks it."""
    return Work("workflow" if innermost() is None else "step", type(instance).__name__)


def _retrieval(instance: Any, _: Mapping[str, Any]) -> Work:
    return Work("retrieval", type(instance).__name__)


def _tool(instance: Any, arguments: Mapping[str, Any]) -> Work:
    call = runs.tool_call.get()
    told = {name.TOOL_CALL: call} if call else {}
    function = getattr(instance, "real_fn", None)
    if getattr(function, "__module__", None) == runs.AGENTS and getattr(function, "__name__", None) == "handoff":
        return Work("handoff", str(arguments.get("kwargs", {}).get("to_agent", "handoff")), attributes=told)
    return Work("tool", instance.metadata.get_name(), attributes=told)


class Rule(NamedTuple):
    """What the methods of a class do, and of all classes below it."""

    module: str
    kind: str
    methods: tuple[str, ...]
    tell: Tell

    def is_of(self, instance: Any) -> bool:
        """Whether an object is of that class, without importing it."""
        kind = getattr(sys.modules.get(self.module), self.kind, None)
        return kind is not None and isinstance(instance, kind)


RULES = (
    Rule("llama_index.core.base.base_query_engine", "BaseQueryEngine", ("query", "aquery"), _engine),
    Rule(
        "llama_index.core.chat_engine.types",
        "BaseChatEngine",
        ("chat", "achat", "stream_chat", "astream_chat"),
        _engine,
    ),
    Rule("llama_index.core.base.base_retriever", "BaseRetriever", ("retrieve", "aretrieve"), _retrieval),
    Rule("llama_index.core.response_synthesizers.base", "BaseSynthesizer", ("synthesize", "asynthesize"), _step()),
    Rule(
        "llama_index.core.postprocessor.types",
        "BaseNodePostprocessor",
        ("_postprocess_nodes", "_apostprocess_nodes"),
        _step(),
    ),
    Rule("llama_index.core.base.base_selector", "BaseSelector", ("_select", "_aselect"), _step("route")),
    Rule("llama_index.core.question_gen.types", "BaseQuestionGenerator", ("generate", "agenerate"), _step("plan")),
    Rule("llama_index.core.tools.types", "BaseTool", ("__call__", "call", "acall"), _tool),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Stay:
    """An object at work."""

    section: Section
    entry: Entry | None
    instance: Any
    around: _Stay | None

    def is_of(self, instance: Any) -> bool:
        """Whether a method of the object calls another one of it, or of what it stands for."""
        own = self.instance
        return innermost() is self.section and (instance is own or instance is getattr(own, "base_tool", None))


_stay: ContextVar[_Stay | None] = ContextVar("tokentrace_llama_index", default=None)


_STREAMS = frozenset({"StreamingResponse", "AsyncStreamingResponse"})


class Listener:
    """A span handler, as the framework takes it."""

    def __init__(self) -> None:
        self.open_spans: dict[str, _Stay] = {}

    def span_enter(self, id_: str, bound_args: Any, instance: Any = None, **_: Any) -> None:
        """A method begins, in the context that it runs in."""
        with quietly("beginning a section"):
            method = id_.partition("-")[0].rpartition(".")[2]
            rules = (rule for rule in RULES if method in rule.methods and rule.is_of(instance))
            if (rule := next(rules, None)) is None:
                return
            around = _stay.get()
            if around is not None and around.is_of(instance):
                return
            work = rule.tell(instance, bound_args.arguments)
            section = begin(work.name, work.kind, role=work.role, attributes=work.attributes)
            if section is not None:
                self.open_spans[id_] = stay = _Stay(section, section.enter(), instance, around)
                _stay.set(stay)

    def span_exit(self, id_: str, result: Any = None, **_: Any) -> None:
        """It has returned."""
        with quietly("following a stream"):
            stay = self.open_spans.get(id_)
            if stay is not None and type(result).__name__ in _STREAMS:
                # A streamed answer is asked for when it is read, by whoever reads it.
                result.response_gen = in_place(stay.section, result.response_gen)
        self._end(id_, None)

    def span_drop(self, id_: str, err: BaseException | None = None, **_: Any) -> None:
        """It has raised."""
        self._end(id_, err)

    def _end(self, id_: str, error: BaseException | None) -> None:
        with quietly("ending a section"):
            if (stay := self.open_spans.pop(id_, None)) is None:
                return
            if _stay.get() is stay:
                _stay.set(stay.around)
            if stay.entry is not None:
                stay.entry.leave()
            stay.section.end(error)

    def capture_propagation_context(self) -> dict[str, Any]:
        """Nothing that another process would need."""
        return {}

    def restore_propagation_context(self, context: dict[str, Any]) -> None:
        """Nothing that another process has left."""

    def close(self) -> None:
        """Nothing is held back."""
