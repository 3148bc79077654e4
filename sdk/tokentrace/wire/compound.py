"""Groq's compound systems: several models and tools behind one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.reading import Reading, dig, items, mapping, text
from tokentrace.wire import inclusive
from tokentrace.wire.tally import Tally

_METERS = {
    "search": "web_search",
    "browser.search": "web_search",
    "visit": "web_fetch",
    "browser.open": "web_fetch",
    "python": "code_execution",
}
"""What a tool is billed by; other tools are free, or their price is not known."""


def read_models(breakdown: Any, seen: Reading) -> None:
    """The counts of every model that had a part in the answer."""
    if models := [mapping(one) for one in items(mapping(breakdown).get("models"))]:
        seen.facts["models"] = models


def read_tools(executed: Any, seen: Reading) -> None:
    """The tools that were run; a stream tells of each several times."""
    told = {dig(tool, "index"): text(dig(tool, "type")) or "" for tool in items(executed)}
    seen.facts.setdefault("executed_tools", {}).update(told)


def add(counts: Tally, seen: Reading) -> None:
    """Bill the answer by its models, each at its own price, and by its tools."""
    ran = Counter(meter for tool in mapping(seen.facts.get("executed_tools")).values() if (meter := _METERS.get(tool)))
    for meter, calls in ran.items():
        counts.meter(meter, calls)
    models = items(seen.facts.get("models"))
    if not models:
        return
    counts.flags["main_is_sum_of_sub"] = True
    summed = Tally()
    for model in models:
        one = inclusive.tally(mapping(model.get("usage")))
        counts.sub.append(one.part("model", text(model.get("model"))))
        _merge(summed, one)
    if ran:
        counts.sub.append(_priced(ran, seen.model))
    if (summed.input, summed.output) != (counts.input, counts.output):
        counts.flags["top_level_disagrees"] = True
        counts.buckets, counts.input, counts.output = summed.buckets, summed.input, summed.output


def _merge(summed: Tally, one: Tally) -> None:
    for bucket, count in one.buckets.items():
        summed.add(bucket, count)
    summed.input = (summed.input or 0) + (one.input or 0)
    summed.output = (summed.output or 0) + (one.output or 0)


def _priced(ran: Mapping[str, int], model: str | None) -> Mapping[str, Any]:
    tools = Tally()
    for meter, calls in ran.items():
        tools.meter(meter, calls)
    return tools.part("tools", model)
