"""Money, counts and times as a person reads them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis.strategies import decimals, integers, lists

from tokentrace_collector.cli import amounts

AMOUNTS = decimals(min_value=0, max_value=10**9, places=18)


@given(lists(AMOUNTS, min_size=1, max_size=8), integers(0, 6))
def test_rounded_parts_add_up_to_their_rounded_sum(parts, decimals):
    step = Decimal(1).scaleb(-decimals)
    assert amounts.total(amounts.rounded(parts, decimals)) == amounts.total(parts).quantize(step)


@given(lists(AMOUNTS, min_size=1, max_size=8), integers(0, 6))
def test_no_part_moves_by_more_than_a_step(parts, decimals):
    moved = [abs(new - old) for new, old in zip(amounts.rounded(parts, decimals), parts, strict=True)]
    assert max(moved) < Decimal(1).scaleb(-decimals)


@given(lists(decimals(min_value=0, max_value=Decimal(10) ** 19, places=18), max_size=8))
def test_a_total_keeps_every_digit(parts):
    in_quanta = [int(f"{part:.18f}".replace(".", "")) for part in (amounts.total(parts), *parts)]
    assert in_quanta[0] == sum(in_quanta[1:])


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1.125", "$1.1250"),
        ("0", "$0.0000"),
        ("0.00001", "<$0.0001"),
        ("-0.5", "-$0.5000"),
        ("12345.6", "$12,345.6000"),
    ],
)
def test_money_never_reads_as_zero_unless_it_is(amount, shown):
    assert amounts.money(Decimal(amount), "USD", 4) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234.5", "1,234.50"), ("0", "0.00"), ("0.004", "<0.01"), ("-0.004", ">-0.01"), ("0.01", "0.01")],
)
def test_a_figure_never_reads_as_zero_unless_it_is(amount, shown):
    assert amounts.figure(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"), [(None, ""), (0.0, "0.0%"), (0.0002, "<0.1%"), (0.037, "3.7%"), (1.0, "100.0%")]
)
def test_a_use_never_reads_as_none_unless_it_is(ratio, shown):
    assert amounts.use(ratio) == shown


def test_a_currency_without_a_sign_is_named():
    assert amounts.money(Decimal(2), "CHF", 2) == "CHF 2.00"


@pytest.mark.parametrize(("ratio", "shown"), [(1, "100 %"), (0.99999, "99.9 %"), (0.5, "50 %"), (0, "0 %")])
def test_what_is_not_complete_never_reads_as_complete(ratio, shown):
    assert amounts.coverage(ratio) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0421, "42 ms"), (2.44, "2.4 s"), (90, "1 min 30 s"), (7320, "2 h 2 min")]
)
def test_times_read_in_their_own_unit(seconds, shown):
    assert amounts.duration(seconds) == shown


@pytest.mark.parametrize(("part", "whole", "shown"), [("1", "3", "33.3 %"), ("0.0001", "3", "<0.1 %"), ("0", "0", "")])
def test_a_share_of_nothing_is_not_said(part, whole, shown):
    assert amounts.share(Decimal(part), Decimal(whole)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0"), ("0.00138665", "0.00139"), ("0.00000000412", "0.00000000412"), ("2", "2"), ("1234567.8", "1,230,000")],
)
def test_an_estimate_has_three_digits_whatever_its_size(amount, shown):
    assert amounts.rough(Decimal(amount)) == shown
