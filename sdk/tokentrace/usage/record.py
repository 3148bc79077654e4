"""What a call is recorded as: the attributes of its span."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tokentrace import attributes as name
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Reading

_STATED = {
    "usage_source": name.USAGE_SOURCE,
    "reasoning_source": name.REASONING_SOURCE,
    "reasoning_visibility": name.REASONING_VISIBILITY,
    "cost_reporter": name.COST_REPORTER,
}
"""Flags that have an attribute of their own."""

_FLAG_NAMES = {"main_is_sum_of_sub": "main_is_sum_of_parts"}
"""Flags that are called otherwise on a span."""


def _parts(bucket: str) -> tuple[str, ...]:
    if bucket.startswith("cache_read"):
        return (name.CACHE_READ_TOKENS,)
    if bucket.startswith("cache_write"):
        return (name.CACHE_WRITE_TOKENS,)
    return (name.REASONING_TOKENS,) if bucket == "output_reasoning" else ()


_BUCKETS = {
    bucket: (
        name.USAGE + bucket,
        name.INPUT_TOKENS if bucket in name.INPUT_BUCKETS else name.OUTPUT_TOKENS,
        *_parts(bucket),
    )
    for bucket in name.BUCKETS
}
"""By bucket: its attribute, the standard total it counts into, and the part of that which is told as well."""

_REASONED = name.USAGE + "output_reasoning"


def attributes(seen: Reading, usage: Usage, provider: str, facts: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """Everything that a response of `provider` said, under the names of the registry, and where it was asked for."""
    found = _counted(usage)
    if name.REPORTED_COST in found:
        found.setdefault(name.COST_REPORTER, provider)
    if seen.model is not None:
        found[name.RESPONSE_MODEL] = seen.model
    if seen.response_id is not None:
        found[name.RESPONSE_ID] = seen.response_id
    if seen.finish:
        found[name.FINISH_REASONS] = tuple(seen.finish.values())
    if seen.calls:
        found[name.OUTPUT_TOOL_CALLS] = seen.calls
    if seen.tier is not None and seen.tier != "standard":
        found[name.SERVICE_TIER] = seen.tier
    if "output_reasoning" in usage.buckets:
        found[name.REASONING_VISIBILITY] = seen.visibility or "hidden"
    if (queued := seen.usage.get("queue_time")) is not None and isinstance(queued, int | float):
        found[name.QUEUE_WAIT] = queued
    if region := seen.facts.get("region") or facts.get("region"):
        found[name.REGION] = region
    return found


def _counted(usage: Usage) -> dict[str, Any]:
    # With the standard totals, for any tool that reads the GenAI conventions.
    found: dict[str, Any] = {}
    buckets, meters, flags, sub, zeros = usage
    for bucket, count in buckets.items():
        for key in _BUCKETS[bucket]:
            found[key] = found.get(key, 0) + count
    for bucket in zeros:
        for key in _BUCKETS[bucket]:
            found.setdefault(key, 0)
    if meters:
        found.update((name.METER + meter, count) for meter, count in meters.items())
    if sub:
        found[name.USAGE_PARTS] = json.dumps(sub, separators=(",", ":"), default=dict)
    found[name.USAGE_SOURCE] = "reported"
    if _REASONED in found:
        found[name.REASONING_SOURCE] = "reported"
    if flags:
        found.update(_flagged(flags))
        # An estimate has no place in a standard total.
        if flags.get("reasoning_source", "reported") != "reported":
            found.pop(name.REASONING_TOKENS, None)
    return found


def withdraw(found: dict[str, Any], sides: Iterable[str]) -> None:
    """Take back the standard totals of what was estimated: the input, the output, or the reasoning in it."""
    for side in sides:
        for total in _STANDARD[side]:
            found.pop(total, None)


_STANDARD = {
    "input": (name.INPUT_TOKENS, name.CACHE_READ_TOKENS, name.CACHE_WRITE_TOKENS),
    "output": (name.OUTPUT_TOKENS, name.REASONING_TOKENS),
    "reasoning": (name.REASONING_TOKENS,),
}


def _flagged(flags: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    marks: list[str] = []
    for flag, value in flags.items():
        if flag in _STATED:
            found[_STATED[flag]] = value
        elif flag == "billable":
            found[name.BILLABLE] = str(value).lower()
        elif flag == "reported_cost_usd":
            found[name.REPORTED_COST] = f"{Decimal(str(value)):f}"
            found[name.REPORTED_COST_CURRENCY] = "USD"
        elif flag == "tool_use_prompt_billable":
            marks.append("tool_use_prompt_free")
        elif value is True:
            marks.append(_FLAG_NAMES.get(flag, flag))
    if marks:
        found[name.USAGE_FLAGS] = tuple(marks)
    return found
