"""Money, counts and times as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.requests import Ratio

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_MINUTE = 60
_WIDE = Context(prec=76, rounding=ROUND_HALF_EVEN)
_ROUGH = Context(prec=3, rounding=ROUND_HALF_EVEN)


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The exact sum, whatever the number of digits."""
    result = Decimal(0)
    for amount in amounts:
        result = _WIDE.add(result, amount)
    return result


def places(amount: Decimal) -> int:
    """Decimals worth showing beside a total of this size."""
    return 4 if abs(amount) >= Decimal("0.1") else 6


def money(amount: Decimal, currency: str, decimals: int) -> str:
    """An amount with its currency; what is not zero never reads as zero."""
    step = Decimal(1).scaleb(-decimals)
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    if amount and abs(amount) < step:
        return f"<{symbol}{step:f}" if amount > 0 else f">-{symbol}{step:f}"
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol}{abs(_WIDE.quantize(amount, step)):,f}"


def figure(amount: Decimal) -> str:
    """An amount of whatever its column says, to the hundredth; what is not zero never reads as zero."""
    step = Decimal("0.01")
    if amount and abs(amount) < step:
        return f"<{step}" if amount > 0 else f">-{step}"
    return f"{_WIDE.quantize(amount, step):,f}"


def rough(amount: Decimal) -> str:
    """An estimate: no more of its digits than anybody could believe."""
    return f"{_ROUGH.create_decimal(amount):,f}"


def rounded(parts: Sequence[Decimal], decimals: int) -> list[Decimal]:
    """The parts rounded so that they add up to their rounded sum, each by less than one step (largest remainder)."""
    step = Decimal(1).scaleb(-decimals)
    floors = [part.quantize(step, ROUND_FLOOR, _WIDE) for part in parts]
    missing = int((_WIDE.quantize(total(parts), step) - total(floors)) / step)
    by_remainder = sorted(range(len(parts)), key=lambda place: (floors[place] - parts[place], place))
    for place in by_remainder[:missing]:
        floors[place] += step
    return floors


def count(number: int) -> str:
    """A count with thousands set apart."""
    return f"{number:,}"


def whole(number: Decimal) -> str:
    """How many there are, where that is no whole number, to the next one."""
    return f"{number.to_integral_value(ROUND_HALF_EVEN, _WIDE):,f}"


def weights(sampled: Sequence[Ratio]) -> str:
    """For how many calls one stands: the least and the most, where they are not the same."""
    told = sorted({Decimal(each["numerator"]) / Decimal(each["denominator"]) for each in sampled})
    return " to ".join(f"{_ROUGH.plus(each).normalize():,f}" for each in (told[:1] + told[1:][-1:]))


def share(part: Decimal, whole: Decimal) -> str:
    """A percentage; empty where there is no whole."""
    if not whole:
        return ""
    percent = part / whole * 100
    if part and abs(percent) < Decimal("0.1"):
        return "<0.1 %" if percent > 0 else ">-0.1 %"
    return f"{percent:.1f} %"


def multiples(token: float | None, whole: float | None, currency: str, mark: str) -> str:
    """What comes with a unit of money that is spent on visible tokens; empty where nothing does.

    `mark` stands before what rests on an estimate.
    """
    if token is None or whole is None or whole <= 1:
        return ""
    one, tokens, everything = (money(Decimal(each), currency, 2) for each in (1, token, whole))
    return f"per {one} of visible tokens: {mark}{tokens} for tokens and tools, {mark}{everything} in all"


def use(ratio: float | None) -> str:
    """How far something is used; empty where nobody knows, and never none where there is some."""
    if ratio is None:
        return ""
    return "<0.1%" if 0 < ratio < 0.001 else f"{ratio:.1%}"  # noqa: PLR2004 - as it is written


def coverage(ratio: float) -> str:
    """A coverage; what is not complete never reads as complete."""
    percent = int(ratio * 1000) / 10
    return f"{percent:g} %"


def moment(written: str) -> str:
    """When a period begins, without the time where that is midnight (UTC)."""
    return written[:16].replace("T", " ").removesuffix(" 00:00")


def duration(seconds: float) -> str:
    """A time in the largest unit that keeps three figures."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
