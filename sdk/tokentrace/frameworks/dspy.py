"""Programs as workflows, ReAct and its like as agents, modules as steps named as in a program, tools; rejected answers.

A second adapter that asks again, since the first could not parse an answer, is a second call of the same step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tokentrace.frameworks import _dspy_engine
from tokentrace.integration import Call, Integration, StepSeam, Work
from tokentrace.request import pools
from tokentrace.request.rejections import End, Rejected, judged
from tokentrace.request.section import innermost
from tokentrace.seams.putting import put

_AGENTS = frozenset({"Avatar", "CodeAct", "ReAct", "ReActV2", "RLM"})
"""Modules that choose themselves what they do next."""
_TRANSPARENT = frozenset({"ChainOfThought", "MultiChainComparison"})
"""Modules that are no more than the prediction inside of them."""


def _module(call: Call) -> Work | None:
    """A run of a module; a prediction without a name of its own is a call, and no step."""
    module, parent = call.instance, _parent()
    title = None if parent is None else _name_within(parent, module)
    is_outermost = innermost() is None
    if title is None and not is_outermost and _is_of_dspy(module, {"Predict"}):
        return None
    if parent is not None and _is_of_dspy(parent, _TRANSPARENT):
        return None
    if _is_of_dspy(module, _AGENTS):
        return Work("agent", title or type(module).__name__)
    return Work("workflow" if is_outermost else "step", title or type(module).__name__)


def _is_of_dspy(module: Any, names: frozenset[str] | set[str]) -> bool:
    """Whether it is one of DSPy's own modules with these names, or made of one."""
    return any(each.__name__ in names and each.__module__.startswith("dspy.") for each in type(module).__mro__)


def _parent() -> Any:
    """The module that is running now."""
    library: Any = sys.modules["dspy.dsp.utils.settings"]
    running: Sequence[Any] = library.settings.get("caller_modules") or ()
    return running[-1] if running else None


def _name_within(parent: Any, module: Any) -> str | None:
    held: Mapping[str, object] = parent.__dict__
    return next((name for name, value in held.items() if value is module), None)


def _tool(call: Call) -> Work:
    return Work("tool", call.instance.name)


def _retrieval(call: Call) -> Work:
    return Work("retrieval", type(call.instance).__name__)


def _unparsed(end: End) -> Rejected | None:
    """An answer that an adapter can make nothing of."""
    return Rejected("schema") if type(end.error).__name__ == "AdapterParseError" else None


INTEGRATION = Integration(
    library="dspy",
    steps=(
        *(StepSeam("dspy.primitives.module", f"Module.{each}", _module) for each in ("__call__", "acall")),
        *(StepSeam("dspy.adapters.types.tool", f"Tool.{each}", _tool) for each in ("__call__", "acall")),
        StepSeam("dspy.retrievers.retrieve", "Retrieve.__call__", _retrieval),
    ),
    seams=_dspy_engine.SEAMS,
    attach={
        "dspy.adapters.base": put(("Adapter._call_postprocess", judged(_unparsed))),
        "dspy.utils.parallelizer": pools.carry,
    },
)
