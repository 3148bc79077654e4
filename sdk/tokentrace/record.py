"""What a call is recorded as: the attributes of its span."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tokentrace import attributes as name
from tokentrace.reading import Reading
from tokentrace.usage import Usage

_STATED = {
    "usage_source": name.USAGE_SOURCE,
    "reasoning_source": name.REASONING_SOURCE,
    "reasoning_visibility": name.REASONING_VISIBILITY,
}
"""Flags that have an attribute of their own."""

_FLAG_NAMES = {"main_is_sum_of_sub": "main_is_sum_of_parts"}
"""Flags that are called otherwise on a span."""


def attributes(seen: Reading, usage: Usage) -> dict[str, Any]:
    """Everything that a response said, under the names of the registry."""
    found: dict[str, Any] = {f"{name.USAGE}{bucket}": count for bucket, count in usage.buckets.items()}
    found.update((f"{name.USAGE}{bucket}", 0) for bucket in usage.zeros)
    found.update((f"{name.METER}{meter}", count) for meter, count in usage.meters.items())
    if usage.sub:
        found[name.USAGE_PARTS] = json.dumps(usage.sub, separators=(",", ":"), default=dict)
    found.update(_flagged(usage.flags))
    if usage.flags.get("usage_source") != "estimated":
        found.update(_totals(usage))
    said = {
        name.RESPONSE_MODEL: seen.model,
        name.RESPONSE_ID: seen.response_id,
        name.FINISH_REASONS: list(seen.finish.values()) or None,
        name.SERVICE_TIER: seen.tier,
        name.REASONING_VISIBILITY: seen.visibility,
    }
    found.update((key, value) for key, value in said.items() if value is not None)
    return found


def _totals(usage: Usage) -> dict[str, int]:
    """The standard totals, for any tool that reads the GenAI conventions."""
    totals = {
        name.INPUT_TOKENS: usage.input,
        name.OUTPUT_TOKENS: usage.output,
        name.CACHE_READ_TOKENS: usage.cache_read,
        name.CACHE_WRITE_TOKENS: usage.cache_write,
        name.REASONING_TOKENS: usage.reasoning if usage.flags.get("reasoning_source") in {None, "reported"} else None,
    }
    return {key: count for key, count in totals.items() if count is not None}


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
        found[name.USAGE_FLAGS] = marks
    return found
