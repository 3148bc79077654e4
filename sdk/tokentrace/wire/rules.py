"""The rules that all providers share: what a field of a response means, whoever sends it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from tokentrace.usage.reading import mapping, number, text


class Lives(NamedTuple):
    """How a provider splits written tokens by the life of their cache entry."""

    usual: str
    """The bucket of what the split leaves open."""
    named: tuple[tuple[str, str], ...]
    """Bucket and reported name of each life."""


OPENAI = Lives("cache_write_30m", (("cache_write_12h", "ttl_12h_tokens"), ("cache_write_30m", "ttl_30m_tokens")))
ANTHROPIC = Lives(
    "cache_write_5m",
    (("cache_write_1h", "ephemeral_1h_input_tokens"), ("cache_write_5m", "ephemeral_5m_input_tokens")),
)


def lasting(flags: dict[str, Any], written: int, split: Mapping[str, Any], lives: Lives) -> dict[str, int]:
    """Written tokens by the life of the entry; what the split leaves open lives as long as is usual."""
    stored: dict[str, int] = {}
    left = written
    for bucket, name in lives.named:
        if count := number(split.get(name)):
            stored[bucket] = min(count, left)
            left -= stored[bucket]
    if left:
        flags["cache_ttl_assumed"] = True
    if left or not stored:
        stored[lives.usual] = stored.get(lives.usual, 0) + left
    return stored


def first(source: Mapping[str, Any], *names: str) -> int | None:
    """The first count that `source` states under one of its names."""
    for name in names:
        if (value := source.get(name)) is not None and (count := number(value)) is not None:
            return count
    return None


def stands_apart(total: int | None, whole: int, reasoning: int, known: int, *, usually: bool) -> bool:
    """Whether reasoning is reported beside the output: `known` is the input and the output together."""
    if not reasoning or total == known:
        return False
    return total == known + reasoning or reasoning > whole or (total is None and usually)


def reported_cost(usage: Mapping[str, Any]) -> Decimal | None:
    """What the provider says the call cost, in US dollars."""
    if (ticks := number(usage.get("cost_in_usd_ticks"))) is not None:
        return Decimal(ticks).scaleb(-10)
    cost = usage.get("cost")
    if cost is None:
        return None
    charged = money(mapping(cost).get("total_cost") if isinstance(cost, Mapping) else cost)
    if usage.get("is_byok") is not True or charged is None:
        return charged
    # OpenRouter charges its fee where the caller brings the key; the upstream provider charges the rest.
    upstream = money(mapping(usage.get("cost_details")).get("upstream_inference_cost"))
    return None if upstream is None else charged + upstream


def money(value: Any) -> Decimal | None:
    """The amount that `value` states, or None where it states none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def amount(value: Any) -> float | None:
    """The measured quantity that `value` states, or None where it states none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf:
        return value
    return None


def tier(value: Any) -> str | None:
    """A service tier by the one name that all providers' names for it have here: `standard` changes no price."""
    name = (text(value) or "").lower().removeprefix("on_demand_")
    if name in _STANDARD:
        return "standard"
    return None if name in _UNDECIDED else name


_STANDARD = frozenset({"default", "standard", "on_demand"})
_UNDECIDED = frozenset({"", "auto", "traffic_type_unspecified"})


def fault(part: Mapping[str, Any]) -> str | None:
    """The name of the error that a body or an event carries, if it carries one."""
    error = part.get("error")
    if not error:
        return None
    told = mapping(error)
    code = told.get("code")
    return text(told.get("type")) or text(code) or text(told.get("status")) or (str(code) if number(code) else "error")
