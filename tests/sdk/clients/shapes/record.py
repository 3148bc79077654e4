"""What the span of a call says, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

INPUT = ("input_", "cache_", "tool_use_prompt")


def is_call(span: ReadableSpan) -> bool:
    """Whether it is one, and no step around calls."""
    return "tokentrace.usage.scope" in (span.attributes or {})


def said(span: ReadableSpan) -> dict[str, Any]:
    """What the span of a call says; what it leaves out is absent here too."""
    attributes = dict(span.attributes or {})
    prefix = "tokentrace.usage."
    told = {key.removeprefix(prefix): value for key, value in attributes.items() if key.startswith(prefix)}
    tokens = {name: value for name, value in told.items() if isinstance(value, int) and value}
    return {
        "scope": told["scope"],
        "source": told["source"],
        "tokens": tokens,
        "attempts": _attempts(span),
    } | _optional(attributes, _wrong(tokens, attributes))


def _attempts(span: ReadableSpan) -> list[Any]:
    """How each HTTP request ended: a status or an error. One that went well is not told apart."""
    noted: list[Mapping[str, Any]] = [event.attributes or {} for event in span.events]
    total = (span.attributes or {})["tokentrace.attempts"]
    assert total == len(noted) or (total == 1 and not noted)
    return [each.get("http.response.status_code") or each.get("error.type") for each in noted] or [200] * total


def _optional(attributes: Mapping[str, Any], wrong: Mapping[str, Any]) -> dict[str, Any]:
    meter = "tokentrace.meter."
    meters = {key.removeprefix(meter): value for key, value in attributes.items() if key.startswith(meter)}
    named = {
        "meters": meters or None,
        "end": attributes.get("tokentrace.stream.end"),
        "error": attributes.get("error.type"),
        "billable": attributes.get("tokentrace.usage.billable"),
    }
    return {key: value for key, value in named.items() if value is not None} | dict(wrong)


def _wrong(tokens: Mapping[str, int], attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The standard totals that are not the sums of the buckets."""
    inputs = sum(count for name, count in tokens.items() if name.startswith(INPUT))
    sums = {"input": inputs, "output": sum(tokens.values()) - inputs}
    totals = {side: attributes.get(f"gen_ai.usage.{side}_tokens") for side in sums}
    return {f"{side}_total": totals[side] for side in sums if (totals[side] or 0) != sums[side]}
