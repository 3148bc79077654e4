"""Money as text, what a unit comes to, and how much more than its visible part a sum is.

Sums are divided by sums, never means of ratios taken; where the divisor is nothing, the ratio is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tokentrace_collector.reports.documents.requests import Ratios

_WIDE = Context(prec=96, rounding=ROUND_HALF_EVEN)
_DIGITS = Decimal("1e-18")


def decimal(amount: Decimal) -> str:
    """An amount with every digit it has and no more."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def multiples(components: Mapping[str, Decimal]) -> Ratios:
    """What is spent on tokens, and in all, for each unit of money that is spent on visible tokens; and shares of it."""
    visible, hidden, agents, errors = (
        components.get(name, Decimal(0)) for name in ("visible", "hidden_reasoning", "orchestration", "errors")
    )
    delivered = _sum(visible, hidden, agents)
    tokens = _sum(delivered, errors)
    return {
        "token_multiplier": _ratio(tokens, visible),
        "tco_multiplier": _ratio(_sum(*components.values()), visible),
        "retry_multiplier": _ratio(tokens, delivered),
        "hidden_reasoning_share": _ratio(hidden, _sum(visible, hidden)),
        "orchestration_share": _ratio(agents, delivered),
        "error_share": _ratio(errors, tokens),
    }


def rate(amount: Decimal, units: Decimal, per: int = 1) -> str | None:
    """What so many units come to, to 18 digits; None where there are none."""
    if not units:
        return None
    return decimal(_WIDE.quantize(_WIDE.divide(_WIDE.multiply(amount, Decimal(per)), units), _DIGITS))


def _sum(*amounts: Decimal) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _WIDE.add(total, amount)
    return total


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(_WIDE.divide(part, whole)) if whole else None
