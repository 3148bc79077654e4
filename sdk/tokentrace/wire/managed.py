"""What Bedrock does with models by itself (agents, flows, knowledge bases): only the trace of an agent tells of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, dig, items, mapping, number, text
from tokentrace.wire import converse
from tokentrace.wire.tally import Tally

_ANSWERS = ("chunk", "returnControl", "output", "flowCompletionEvent", "optimizedPromptEvent", "result")
"""Events without which a stream is not over."""


def read(part: Any, seen: Reading) -> None:
    """An event of an agent's stream, with its trace; of everything else nothing but that it was answered."""
    part = mapping(part)
    seen.complete = seen.complete or any(name in part for name in _ANSWERS)
    for step in mapping(dig(part, "trace", "trace")).values():
        asked, answered = dig(step, "modelInvocationInput"), dig(step, "modelInvocationOutput")
        if model := text(dig(asked, "foundationModel")):
            seen.facts.setdefault("models", {})[dig(asked, "traceId")] = seen.model = converse.model_of(model)
        if usage := mapping(dig(answered, "metadata", "usage")):
            model = mapping(seen.facts.get("models")).get(dig(answered, "traceId")) or seen.model
            seen.facts.setdefault("steps", []).append((model, usage))


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """All that the models did for one answer, and by model where there were several."""
    whole, by_model = Tally(), dict[str | None, Tally]()
    for model, usage in items(seen.facts.get("steps")):
        for counts in (whole, by_model.setdefault(model, Tally())):
            if (asked := number(usage.get("inputTokens"))) is not None:
                counts.place_input(asked)
            if (answered := number(usage.get("outputTokens"))) is not None:
                counts.place_output(answered)
    if len(by_model) > 1:
        whole.sub = [counts.part("model", model) for model, counts in by_model.items()]
        whole.flags["main_is_sum_of_sub"] = True
    return whole.settle(seen, context)


FORMAT = Format("managed", read, count, re.compile(rb'"(?:trace|chunk|returnControl|output)"'))
