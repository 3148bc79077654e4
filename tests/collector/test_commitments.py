"""Commitments: the worked numbers of the method, through the real tables."""

from decimal import Decimal

import pytest

BOOK = """
version: 1
rates: [{{provider: mine, prices: {{input_text: 2, output_text: 2, cache_read: 2}}}}]
commitments: [{0}]
"""
TERM = "from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00, match: {provider: mine}"
CAPACITY = "{id: c, kind: usage, settle: term, price: 7200, quantity: 6000000000, weights: {input: 1}, " + TERM + "%s}"
SPENDING = "{id: s, kind: spend, settle: term, amount: 10000, discount: 0.2, " + TERM + "}"
MILLION = 1_000_000


def used(ledger, millions, *commitments, traces=1):
    """A term in which so much was asked for, over."""
    ledger.priced_by(BOOK.format(", ".join(commitments)))
    for number in range(traces):
        ledger.call(f"t{number}", "a", provider="mine", model="m", role="answer", tokens={"input_text": millions * MILLION // traces}, at=number)
    ledger.span("later", "x", at=2 * 3600)
    ledger.tick()
    (row,) = ledger.store.query("SELECT * FROM commitment_periods FINAL")
    return row


def money(row, *names):
    return [str(row[name].normalize().__format__("f")) for name in names]


@pytest.mark.parametrize(("millions", "figures"), [
    (4800, ["5760", "1440", "0", "9600"]),
    (1800, ["2160", "5040", "0", "3600"]),
    (7500, ["7200", "0", "3000", "12000"]),
])
def test_t3(ledger, millions, figures):
    row = used(ledger, millions, CAPACITY % "")
    assert money(row, "used", "unused", "overflow", "covered_cost") == figures
    assert row["break_even"] == pytest.approx(0.6)
    assert ledger.trace("t0")["total"] == sum(row[name] for name in ("used", "unused", "overflow"))
    assert ledger.trace("t0")["infrastructure"] == row["unused"]


@pytest.mark.parametrize(("millions", "figures"), [(10_000, ["10000", "0", "6000"]), (6250, ["10000", "0", "0"]), (4000, ["6400", "3600", "0"])])
def test_t4(ledger, millions, figures):
    row = used(ledger, millions, SPENDING)
    assert money(row, "used", "unused", "overflow") == figures
    assert ledger.trace("t0")["total"] == sum(row[name] for name in ("used", "unused", "overflow"))
    assert row["break_even"] == pytest.approx(.8)


@pytest.mark.parametrize(("millions", "figures"), [(6000, ["7200", "0"]), (3000, ["3600", "1800"])])
def test_linear(ledger, millions, figures):
    assert money(used(ledger, millions, CAPACITY % ", scheme: linear"), "used", "unused") == figures
