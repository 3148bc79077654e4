"""`tokentrace rollup verify`: the tables of cost, held against what the spans give."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.rollup.stages import TABLES
from tokentrace_collector.rollup.verify import Verification

HOUSE = """
version: 1
rates: [{provider: mine, prices: {input_text: 0.000001, output_text: 0.00001}}]
gpu_pools: [{id: h, hourly_cost: 2, match: {provider: vllm}}]
commitments:
  - {id: c, kind: usage, settle: month, price: 7, quantity: 900, weights: {input: 1}, match: {provider: due}, from: 2026-11-01, to: 2026-12-01}
"""


@pytest.fixture
def books(ledger):
    ledger.priced_by(HOUSE)
    ledger.call("a", "1", provider="mine", model="m", tokens={"input_text": 1_000, "output_text": 100})
    ledger.call("a", "2", provider="mine", model="m", tokens={"input_text": 10}, at=30)
    ledger.call("a", "3", provider="due", model="d", tokens={"input_text": 100}, at=40)
    ledger.call("b", "1", provider="vllm", model="v", tokens={"input_text": 500}, at=60)
    ledger.tick()
    return ledger


def keys(found):
    return [(each["table"], json.loads(each["key"])) for each in found["differences"]]


def test_tables_that_are_right_are_equal_in_every_row(books):
    before = books.everything()
    report = books.rollup.verify()
    rows = sum(books.store.query(f"SELECT count() AS rows FROM {table} FINAL")[0]["rows"] for table in TABLES)
    assert (report.traces, report.verified) == (
        2,
        {"rows": rows, "closed": 0, "differences": [], "is_disturbed": False},
    )
    assert books.everything() == before
    assert books.store.query("SELECT count() AS kept FROM rollup_verified") == [{"kept": 0}]


def test_costs_of_before_the_keys_of_price_lists_are_equal(books):
    books.store.run("INSERT INTO call_costs SELECT * REPLACE (0 AS rate_key) FROM call_costs FINAL")
    assert books.rollup.verify().verified["differences"] == []
    assert books.store.query("SELECT count() AS keyless FROM call_costs FINAL WHERE rate_key = 0 AND bearing") == [
        {"keyless": 0}
    ]


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_is_wrong_is_named_and_put_right(books, table):
    before, amount = books.everything(), TABLES[table]
    one = f"SELECT * FROM {table} FINAL WHERE {amount} > 0 ORDER BY {amount} LIMIT 1"
    right = books.store.query(one)[0][amount]
    # One unit of the eighteenth place: whoever compares floats does not see it.
    least = f"toDecimal128({amount}, 18) + toDecimal128('0.000000000000000001', 18) AS {amount}"
    elsewhere = "'c' AS trace_id" if table == "tcoai_by_trace" else "toDateTime('2026-11-01 00:00:00') AS hour"
    changes = [(least, True, True), ("1 AS is_deleted", False, True), (elsewhere, True, False)]
    # Hours of capacity stay as they were booked where nobody used them.
    for change, was, comes in changes[:2] if table.startswith(("capacity", "commitment")) else changes:
        books.store.run(f"INSERT INTO {table} SELECT * REPLACE ({change}) FROM ({one})")
        told = books.rollup.verify().verified["differences"]
        [found] = [each for each in told if each["table"] == table]
        assert (found["stored"] is not None, found["recomputed"] is not None) == (was, comes)
        assert found["stored"] != found["recomputed"]
        assert not comes or Decimal(found["recomputed"]) == right
        assert books.everything() == before


def test_what_came_while_it_compared_is_compared_again(books, monkeypatch):
    note, came = Verification.note, []

    def noted(verification):
        rows = note(verification)
        if not came:
            came.append(books.call("a", "3", provider="mine", model="m", tokens={"input_text": 7}, at=90))
            books.arrive()
        return rows

    monkeypatch.setattr(Verification, "note", noted)
    report = books.rollup.verify()
    assert (len(came), report.verified["differences"], report.verified["is_disturbed"]) == (1, [], False)


def test_a_store_that_never_rests_is_said_to_be_disturbed(books, monkeypatch):
    note, came = Verification.note, []

    def noted(verification):
        rows = note(verification)
        came.append(books.call("a", f"n{len(came)}", provider="mine", model="m", tokens={"input_text": 7}, at=90))
        books.arrive()
        return rows

    monkeypatch.setattr(Verification, "note", noted)
    verified = books.rollup.verify().verified
    assert (len(came), verified["is_disturbed"]) == (3, True)
    assert ("call_costs", "n2") in [(table, key.get("span_id", "")[-2:]) for table, key in keys(verified)]


def test_a_new_price_book_is_adopted_before_it_compares(books):
    dearer = Rollup(books.store.sibling(), books.book.__class__())
    assert dearer.verify().verified["differences"] == []
