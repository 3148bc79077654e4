"""What comes with the visible part of a request: the multiples of the method, from calls to the report."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from tokentrace_collector.reports import answers
from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.figures import multiples
from tokentrace_collector.tenants import Books

PRICES = "version: 1\nrates: [{provider: p, model: m, prices: {input_text: 1000}}]"
TENTH = 100
"""Thousands of requests of which a tenth fails, and of what is tried again a tenth, and so on: no remainder."""


def told(ledger, trace, *attempts):
    """One request: calls that failed after three fifths of what a whole one is billed, and whether the last one did not."""
    for number, is_whole in enumerate(attempts):
        tokens = {"input_text": 1_000 if is_whole else 600}
        ledger.call(
            trace, f"{number}", provider="p", model="m", role="answer", tokens=tokens, failed=not is_whole, at=number
        )


def test_what_failures_make_of_a_success(ledger):
    """T1 of the method: a tenth of attempts fails, three fifths of them are billed, nobody tries more than three times."""
    ledger.priced_by(PRICES)
    for number in range(10 * TENTH):
        failed = (number % 10 == 0) + (number % 100 == 0) + (number % 1000 == 0)
        told(ledger, f"{number:032x}", *[False] * min(failed, 3), *[True] * (failed < 3))
    ledger.tick()
    (spent,) = shares(Books(ledger.store), Breakdown())
    (made,) = ledger.store.query(
        "SELECT sum(calls) AS attempts, countIf(visible > 0) AS whole FROM tcoai_by_trace FINAL"
    )
    assert (made["attempts"], made["whole"], spent["total"]) == (1_110, 999, "1065.6")
    assert spent["ratios"]["retry_multiplier"] == pytest.approx(1.066667, abs=5e-7)
    assert spent["ratios"]["error_share"] == pytest.approx(66.6 / 1065.6)


def test_ratios_are_of_sums_and_unknown_where_nothing_is_visible(ledger):
    ledger.priced_by(PRICES)
    told(ledger, "a", True)
    ledger.call("b", "1", provider="p", model="m", role="plan", tokens={"input_text": 3_000})
    ledger.tick()
    books = Books(ledger.store)
    assert answers.request(books, "b")["ratios"]["token_multiplier"] is None
    assert answers.request(books, "a")["ratios"]["token_multiplier"] == 1
    (spent,) = shares(books, Breakdown())
    assert (spent["ratios"]["token_multiplier"], spent["ratios"]["orchestration_share"]) == (4, 0.75)
    assert spent["components"]["visible"] == str(Decimal(1))


AMOUNTS = st.decimals(min_value=0, max_value=10**20, places=18) | st.just(Decimal("0E-18"))


@given(visible=AMOUNTS, errors=AMOUNTS, other=AMOUNTS)
def test_a_ratio_is_the_nearest_to_what_it_is(visible, errors, other):
    found = multiples({"visible": visible, "errors": errors, "infrastructure": other})
    seen, lost = Fraction(visible), Fraction(errors)
    assert found["tco_multiplier"] == (float((seen + lost + Fraction(other)) / seen) if seen else None)
    assert found["error_share"] == (float(lost / (seen + lost)) if seen + lost else None)
