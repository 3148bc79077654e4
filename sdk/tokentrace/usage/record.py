"""What a call is recorded as: the attributes of its span."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
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


def _totals(bucket: str) -> Iterator[str]:
    """The standard totals that a bucket counts into."""
    yield name.INPUT_TOKENS if bucket in name.INPUT_BUCKETS else name.OUTPUT_TOKENS
    if bucket.startswith("cache_read"):
        yield name.CACHE_READ_TOKENS
    elif bucket.startswith("cache_write"):
        yield name.CACHE_WRITE_TOKENS
    elif bucket == "output_reasoning":
        yield name.REASONING_TOKENS


_BUCKETS = {bucket: (name.USAGE + bucket, *_totals(bucket)) for bucket in name.BUCKETS}
"""By bucket: its attribute, and the standard totals it counts into."""


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
    found: dict[str, Any] = {}
    for bucket, count in usage.buckets.items():
        found[_BUCKETS[bucket][0]] = count
    for bucket in usage.zeros:
        found[_BUCKETS[bucket][0]] = 0
    if usage.meters:
        found.update((name.METER + meter, count) for meter, count in usage.meters.items())
    if usage.sub:
        found[name.USAGE_PARTS] = json.dumps(usage.sub, separators=(",", ":"), default=dict)
    found[name.USAGE_SOURCE] = "reported"
    if name.USAGE + "output_reasoning" in found:
        found[name.REASONING_SOURCE] = "reported"
    if usage.flags:
        found.update(_flagged(usage.flags))
    # The standard totals, for any tool that reads the GenAI conventions; an estimate has no place in them.
    _add_totals(found, usage)
    return found


def _add_totals(found: dict[str, Any], usage: Usage) -> None:
    for bucket, count in usage.buckets.items():
        for total in _BUCKETS[bucket][1:]:
            found[total] = found.get(total, 0) + count
    for bucket in usage.zeros:
        for total in _BUCKETS[bucket][1:]:
            found.setdefault(total, 0)
    if usage.flags.get("reasoning_source", "reported") != "reported":
        found.pop(name.REASONING_TOKENS, None)


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
