"""Money as text, what a unit comes to, and how much more than its visible part a sum is.

Sums are divided by sums, never means of ratios taken; where the divisor is nothing, the ratio is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tokentrace_collector.reports.documents.requests import Ratios

_WIDE = Context(prec=96, rounding=ROUND_HALF_EVEN)
_PLACES = 18
_DIGITS = Decimal(1).scaleb(-_PLACES)


def decimal(amount: Decimal) -> str:
    """An amount with every digit it has and no more."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def multiples(components: Mapping[str, Decimal]) -> Ratios:
    """What is spent on tokens, and in all, for each unit of money that is spent on visible tokens; and shares of it."""
    # Whole numbers of the smallest amount there is: Python divides them exactly, and far sooner than decimals.
    units = {name: int(_WIDE.scaleb(amount, _PLACES)) if amount else 0 for name, amount in components.items()}
    visible, hidden, agents, errors = (
        units.get(name, 0) for name in ("visible", "hidden_reasoning", "orchestration", "errors")
    )
    delivered = visible + hidden + agents
    tokens = delivered + errors
    return {
        "token_multiplier": _ratio(tokens, visible),
        "tco_multiplier": _ratio(sum(units.values()), visible),
        "retry_multiplier": _ratio(tokens, delivered),
        "hidden_reasoning_share": _ratio(hidden, visible + hidden),
        "orchestration_share": _ratio(agents, delivered),
        "error_share": _ratio(errors, tokens),
    }


def rate(amount: Decimal, units: Decimal, per: int = 1) -> str | None:
    """What so many units come to, to 18 digits; None where there are none."""
    if not units:
        return None
    return decimal(_WIDE.quantize(_WIDE.divide(_WIDE.multiply(amount, Decimal(per)), units), _DIGITS))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
