"""What a year of something bought costs: what is written off, and the cost of the capital that is tied up in it."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

MOST_YEARS = 100
"""Beyond these no interest is compounded."""
_GIVEN = Context(prec=60, rounding=ROUND_HALF_EVEN)
_SPARE = Context(prec=90, rounding=ROUND_HALF_EVEN)


def yearly(paid: Fraction, residual: Fraction, years: Fraction, wacc: Fraction) -> Fraction:
    """The same amount for every year of use: without cost of capital a straight line, else an annuity.

    The annuity is the equivalent annual cost of engineering economics: what is lost, by the capital recovery factor
    w (1 + w)^n / ((1 + w)^n - 1), and interest on the residual, which stays tied up until the end.
    """
    kept = paid * residual
    if not wacc:
        return (paid - kept) / years
    grown = _grown(wacc, years)
    return (paid - kept) * wacc * grown / (grown - 1) + kept * wacc


def _grown(wacc: Fraction, years: Fraction) -> Fraction:
    """(1 + wacc)^years: exactly for whole years, else to 60 significant digits, half to even."""
    if years.denominator == 1:
        return (1 + wacc) ** years.numerator
    rate, time = (_SPARE.divide(Decimal(one.numerator), Decimal(one.denominator)) for one in (1 + wacc, years))
    return Fraction(_GIVEN.plus(_SPARE.exp(_SPARE.multiply(_SPARE.ln(rate), time))))
