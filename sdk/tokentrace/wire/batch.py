"""Batch jobs: one count for a whole job, or the answers of the job one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tokentrace.reading import NOTHING, Format, Reading, ask, dig, items, mapping, overlaid, text
from tokentrace.usage import Usage
from tokentrace.wire import chat, inclusive, shape
from tokentrace.wire.rules import fault


def read(part: Any, seen: Reading) -> None:
    """A job, or one line of its results."""
    part = mapping(part)
    seen.model = text(part.get("model")) or text(dig(part, "metadata", "model")) or seen.model
    seen.response_id = text(part.get("id")) or text(part.get("name")) or seen.response_id
    seen.error = fault(part) or seen.error
    seen.tier = "batch"
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    if answers := _answers(part):
        seen.facts["answers"] = answers
    seen.complete = True


def _answers(part: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The whole answers that a job or a line of its results carries, of OpenAI, Anthropic, Google and xAI."""
    line = dig(part, "response", "body") or dig(part, "result", "message")
    if line:
        return [mapping(line)]
    inlined = dig(part, "response", "inlinedResponses", "inlinedResponses") or ask(part.get("dest"), "inlinedResponses")
    if inlined:
        return [mapping(dig(one, "response")) for one in items(inlined)]
    results = [dig(one, "batch_result", "response") for one in items(part.get("results"))]
    return [mapping(dig(one, "chat_get_completion")) for one in results if one]


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """What the whole job is billed."""
    if not (answers := items(seen.facts.get("answers"))):
        counts = inclusive.tally(seen.usage)
        counts.flags["batch"] = True
        return counts.settle(seen, context)
    return _together([_counted(mapping(answer), provider) for answer in answers])


def _counted(answer: Mapping[str, Any], provider: str) -> Usage:
    spoken = shape.of(answer) or chat.FORMAT
    told = Reading()
    spoken.read(answer, told)
    return spoken.count(told, provider, NOTHING)


def _together(usages: Sequence[Usage]) -> Usage:
    buckets, meters = Counter[str](), Counter[str]()
    flags: dict[str, Any] = {}
    for usage in usages:
        buckets.update(usage.buckets)
        meters.update(usage.meters)
        flags.update(usage.flags)
    costs = [usage.flags["reported_cost_usd"] for usage in usages if "reported_cost_usd" in usage.flags]
    if costs:
        flags["reported_cost_usd"] = sum(costs)
    counted = [usage for usage in usages if usage.buckets or usage.meters]
    if counted:
        # An answer that failed is not billed, and does not make the others unknown.
        flags.pop("usage_source", None)
        flags.pop("billable", None)
    return Usage(
        buckets=dict(buckets),
        meters=dict(meters),
        flags={**flags, "batch": True},
        sub=tuple(part for usage in usages for part in usage.sub),
        zeros=frozenset[str]().union(*(usage.zeros for usage in usages)).difference(buckets),
    )


FORMAT = Format("batch", read, count, chat.FORMAT.marks)
