"""What a year of something bought costs, with the cost of the capital that is tied up in it."""

from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies as some

from tokentrace_collector.prices.capital import yearly

MICRO = Fraction(1, 10**6)


def shares(least, most):
    return some.integers(least, most).map(lambda one: one * MICRO)


@given(some.integers(0, 10**9), shares(0, 10**6), some.integers(1, 100), shares(1, 10**6))
def test_what_is_paid_is_what_all_years_and_the_residual_are_worth_when_it_is_bought(paid, residual, years, wacc):
    """The meaning of an annuity, added up payment by payment, exactly."""
    cost = yearly(Fraction(paid), residual, Fraction(years), wacc)
    worth = sum((cost / (1 + wacc) ** year for year in range(1, years + 1)), paid * residual / (1 + wacc) ** years)
    assert worth == paid


@pytest.mark.parametrize(("years", "percent", "factor"), [(4, 8, "0.30192"), (2, "4.5", "0.53400"), (10, 6, "0.13587")])
def test_the_factors_of_the_tables(years, percent, factor):
    """As engineers look up the capital recovery factor."""
    cost = yearly(Fraction(1), Fraction(), Fraction(years), Fraction(percent) / 100)
    assert round(cost, 5) == Fraction(factor)


@given(some.integers(0, 99), shares(1, 10**6))
def test_half_a_year_grows_by_a_square_root(years, wacc):
    """Which is not exact, but to sixty digits: far beyond the eighteen that are kept."""
    wide = Context(prec=120)
    rate = wide.divide(Decimal((1 + wacc).numerator), Decimal((1 + wacc).denominator))
    grown = Fraction(wide.multiply(wide.power(rate, years), wide.sqrt(rate)))
    exact = wacc * grown / (grown - 1)
    assert abs(yearly(Fraction(1), Fraction(), years + Fraction(1, 2), wacc) - exact) < Fraction(1, 10**45)


@given(shares(0, 10**6), shares(1, 50 * 10**6), shares(1, 10**5), shares(1, 10**5))
def test_dearer_capital_makes_a_dearer_year(residual, years, wacc, more):
    """And none at all is a straight line."""
    costs = [yearly(Fraction(10**6), residual, years, each) for each in (Fraction(), wacc, wacc + more)]
    assert costs[0] == 10**6 * (1 - residual) / years
    assert costs[0] < costs[1] < costs[2]
