"""The Claude Agent SDK's results: totals by model since the client connected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, number, text
from tokentrace.wire.rules import money
from tokentrace.wire.tally import Tally

_COUNTS = frozenset({"inputTokens", "outputTokens"})
_INPUT = {"cacheReadInputTokens": "cache_read", "cacheCreationInputTokens": "cache_write_unknown"}


def read(part: Any, seen: Reading) -> None:
    """A message of the agent, or its usage by model: a result tells the totals, the others which model answers."""
    part = mapping(part)
    told = mapping(part.get("modelUsage") or part.get("model_usage") or part.get("usage"))
    if models := {model: counted for model, usage in told.items() if not _COUNTS.isdisjoint(counted := mapping(usage))}:
        seen.usage = models
        seen.complete = True
    seen.response_id = text(part.get("session_id")) or seen.response_id
    seen.model = seen.model or text(mapping(part.get("message")).get("model"))
    if part.get("type") == "result":
        _read_result(part, seen)


def _read_result(result: Mapping[str, Any], seen: Reading) -> None:
    seen.complete = True
    subtype = text(result.get("subtype")) or "result"
    seen.finish[0] = text(result.get("stop_reason")) or subtype
    if result.get("is_error"):
        status = number(result.get("api_error_status"))
        seen.error = str(status) if status else "error" if subtype == "success" else subtype


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """What was added since the result before, which is known as `previous_model_usage`."""
    before = mapping(context.get("previous_model_usage") or seen.facts.get("previous_model_usage"))
    whole, costs = Tally(), list[Decimal | int]()
    for model, usage in seen.usage.items():
        earlier = mapping(before.get(model))
        counts = _added(mapping(usage), earlier)
        whole.sub.append(counts.part("model", model))
        for bucket, tokens in counts.buckets.items():
            whole.add(bucket, tokens)
        whole.input = (whole.input or 0) + (counts.input or 0)
        whole.output = (whole.output or 0) + (counts.output or 0)
        whole.meter("web_search", _more(mapping(usage), earlier, "webSearchRequests"))
        # A model that is new since the result before had cost nothing.
        costs.append((money(mapping(usage).get("costUSD")) or 0) - (money(earlier.get("costUSD")) or 0))
    if seen.usage:
        whole.flags.update(main_is_sum_of_sub=True, reasoning_source="unknown")
    if cost := sum(costs):
        # The agent multiplies by a list of prices that it carries; nobody bills by it.
        whole.flags.update(reported_cost_usd=cost, cost_reporter="claude_code")
    return whole.settle(seen, context)


def _added(usage: Mapping[str, Any], earlier: Mapping[str, Any]) -> Tally:
    counts = Tally()
    cached = {bucket: _more(usage, earlier, name) or 0 for name, bucket in _INPUT.items()}
    fresh = _more(usage, earlier, "inputTokens") or 0
    counts.place_input(fresh + sum(cached.values()), written=cached)
    counts.place_output(_more(usage, earlier, "outputTokens") or 0)
    return counts


def _more(usage: Mapping[str, Any], earlier: Mapping[str, Any], name: str) -> int | None:
    now = number(usage.get(name))
    return None if now is None else max(0, now - (number(earlier.get(name)) or 0))


FORMAT = Format("agent", read, count, re.compile(rb'"(?:modelUsage|model_usage)"'))
