"""What the spans of a run tell beside what is true of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from behaviour.peers.meaning import Usage
from opentelemetry.sdk.trace import ReadableSpan

from frameworks.runs.run import Run
from frameworks.turn import Tokens

Told = dict[str, tuple[int, int]]
"""How much is told of something, and how much of it there was."""
SIDES = {"input": "input", "output": "output", "reasoning": "reasoning", "cached": "cache read"}
"""What a provider bills, and what that is called where others tell it."""
KINDS = ("tokentrace.step.kind", "openinference.span.kind", "traceloop.span.kind", "gen_ai.operation.name")
"""Attributes that say what a span is of."""
NAMES = ("gen_ai.agent.name", "gen_ai.tool.name", "agent.name", "tool.name", "traceloop.entity.name")
"""Attributes that name what it is of, where its own name does not."""
AGENT, TOOL = {"agent", "invoke_agent"}, {"tool", "execute_tool"}
REFUSED, REFUSALS = 429, ("Error code: 429", "RateLimitError")
RESENT = "http.request.resend_count"


def told(run: Run, billed: Sequence[Tokens], usages: Sequence[Usage], spans: Sequence[ReadableSpan]) -> Told:
    """Calls, tokens, refusals, agents and tools."""
    refusals = sum(map(_tells_of_a_refusal, spans))
    return {
        "calls": (len(usages), len(billed)),
        **{name: (_sum(usages, side), sum(getattr(each, name) for each in billed)) for name, side in SIDES.items()},
        "refusals": (min(refusals, run.refusals), run.refusals),
        "agents": (_named(AGENT, run.agents, spans), len(run.agents)),
        "tools": (_named(TOOL, run.tools, spans), len(run.tools)),
    }


def _sum(usages: Iterable[Usage], side: str) -> int:
    return sum(usage.get(side, 0) for usage in usages)


def _named(kinds: set[str], names: Sequence[str], spans: Iterable[ReadableSpan]) -> int:
    """How many of those that work have a span that says what they are, and names them."""
    left = list(names)
    for span in spans:
        said = dict(span.attributes or {})
        if kinds & {str(said.get(key)).lower() for key in KINDS}:
            told_as = [said.get(key) for key in NAMES]
            named = [name for name in left if name in span.name] or [name for name in left if name in told_as]
            for name in named[:1]:
                left.remove(name)
    return len(names) - len(left)


def _tells_of_a_refusal(span: ReadableSpan) -> bool:
    """Whether anything in it says that the provider has refused, or was asked again."""
    if (span.attributes or {}).get(RESENT):
        return True
    values = list(_values(span))
    return REFUSED in values or any(words in str(value) for value in values for words in REFUSALS)


def _values(span: ReadableSpan) -> Iterator[Any]:
    yield from (span.attributes or {}).values()
    yield span.status.description
    for event in span.events:
        yield from (event.attributes or {}).values()
