"""Commitments: the worked numbers of the method, through the real tables; what several of them do; what is refused."""

from decimal import Decimal

import pytest

TERM = "from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00, match: {{provider: {0}}}"
CAPACITY = "{{id: {0}, kind: usage, settle: term, price: 7200, quantity: 6000000, weights: {{input: 1}}, " + TERM + "}}"
SPENDING = "{{id: {0}, kind: spend, settle: term, amount: 10000, discount: 0.2, " + TERM + "}}"
LINEAR = "{{id: {0}, scheme: linear, kind: usage, settle: term, price: 7200, quantity: 6000000, weights: {{input: 1}}, " + TERM + "}}"
THOUSAND = 1_000
WORKED = [
    ("t3", CAPACITY, 6000, ["7200", "0", "0"], 0.6),
    ("t3", CAPACITY, 4800, ["5760", "1440", "0"], 0.6),
    ("t3", CAPACITY, 3600, ["4320", "2880", "0"], 0.6),
    ("t3", CAPACITY, 1800, ["2160", "5040", "0"], 0.6),
    ("t3", CAPACITY, 7500, ["7200", "0", "3000"], 0.6),
    ("t4", SPENDING, 10_000, ["10000", "0", "6000"], 0.8),
    ("t4", SPENDING, 6_250, ["10000", "0", "0"], 0.8),
    ("t4", SPENDING, 4_000, ["6400", "3600", "0"], 0.8),
    ("linear", LINEAR, 6000, ["7200", "0", "0"], 0.6),
    ("linear", LINEAR, 3000, ["3600", "1800", "0"], 0.6),
]
"""Thousands of tokens at a list price of $2 each, asked for over one term; what is used, unused and beyond of the fee."""
NAMES = [f"{name}-{amount}" for name, _, amount, _, _ in WORKED]


@pytest.fixture(scope="module")
def worked(fresh_ledger):
    ledger = fresh_ledger()
    promised = ", ".join(each.format(name) for name, (_, each, *_) in zip(NAMES, WORKED, strict=True))
    ledger.priced_by(
        "version: 1\nrates: [{provider: '*', model: m, prices: {input_text: 2000}}]\n" + f"commitments: [{promised}]"
    )
    for name, (_, _, amount, _, _) in zip(NAMES, WORKED, strict=True):
        ledger.call(name, "a", provider=name, model="m", role="answer", tokens={"input_text": amount * THOUSAND})
    ledger.span("later", "x", at=2 * 3600)
    ledger.tick()
    return ledger


def plain(amount):
    return f"{amount.normalize():f}"


def period(ledger, name):
    asked = "SELECT * FROM commitment_periods FINAL WHERE commitment = {name:String}"
    (row,) = ledger.store.query(asked, name=name)
    return row


@pytest.mark.parametrize(("name", "worked_out"), [*zip(NAMES, WORKED, strict=True)], ids=NAMES)
def test_the_worked_numbers_of_the_method(worked, name, worked_out):
    _, _, _, figures, break_even = worked_out
    row = period(worked, name)
    assert [plain(row[each]) for each in ("used", "unused", "overflow")] == figures
    assert row["break_even"] == pytest.approx(break_even)


@pytest.mark.parametrize("name", NAMES)
def test_what_stood_idle_is_infrastructure_and_the_rest_is_the_answer(worked, name):
    row, trace = period(worked, name), worked.trace(name)
    assert (trace["infrastructure"], trace["visible"]) == (row["unused"], row["used"] + row["overflow"])
    assert (trace["direct"], trace["allocated"]) == (0, trace["total"])
