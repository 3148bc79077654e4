"""FOCUS of commitments: paid once as a purchase, used at no charge, each at its share; and the commitments themselves."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from focus_data_toolkit.model import validator

from tokentrace_collector.reports.focus import Export, ExportError, written
from tokentrace_collector.tenants import Books

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
BOOK = """
version: 1
rates: [{provider: openai, prices: {input_text: 2, output_text: 10}}]
commitments:
  - {id: ptu, kind: usage, settle: hour, quantity: 1000, price: 0.7, weights: {input: 1, output: 8}, match: {provider: openai, model: a},
     from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00}
  - {id: prepaid, kind: spend, settle: month, amount: 0.05, discount: 0.2, match: {provider: openai}, from: 2026-11-01, to: 2027-11-01}
"""


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """An hour that asks for more than was reserved, one that asks for nothing; a month of spending not over yet."""
    ledger = fresh_ledger().priced_by(BOOK)
    ledger.call("t1", "a", model="a", role="answer", tokens={"input_text": 701, "output_text": 103})
    ledger.call(
        "t2", "a", model="b", role="answer", tokens={"input_text": 999, "output_text": 97}, meters={"web_search": 2}
    )
    ledger.span("z", "x", at=2 * 3600)
    ledger.tick()
    return ledger.store


def rows(books, **wanted):
    return list(csv.DictReader(io.StringIO(written(Books(books), Export(BEGIN, END, **wanted)).decode())))


def added(found, column):
    return sum((Decimal(each[column]) for each in found), Decimal(0))


def test_what_was_used_is_billed_by_its_purchase(books):
    found = rows(books)
    kinds = {each["CommitmentDiscountStatus"] or each["ChargeCategory"] for each in found}
    billed = {
        kind: added(
            [each for each in found if kind == (each["CommitmentDiscountStatus"] or each["ChargeCategory"])],
            "BilledCost",
        )
        for kind in kinds
    }
    assert billed == {"Purchase": Decimal("1.45"), "Used": 0, "Unused": 0, "Usage": billed["Usage"]}


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_what_it_is_worth_adds_up_to_the_books(books, profile):
    (booked,) = books.query("SELECT sum(amount) AS amount FROM tcoai_by_hour FINAL")
    assert added(rows(books, profile=profile), "EffectiveCost") == round(booked["amount"], 12)


def test_list_costs_are_those_of_the_quantities(books):
    used = [each for each in rows(books) if each["CommitmentDiscountStatus"] == "Used"]
    assert {each["PricingCategory"] for each in used} == {"Committed"}
    assert {each["CommitmentDiscountId"] for each in used} == {"ptu", "prepaid"}


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_charges_are_valid(books, profile):
    report = validator.lint_focus_1_4_structure("cost and usage", rows(books, profile=profile))
    assert [(each.column, each.rule) for each in report.violations] == []


def test_commitments_are_valid(books):
    found = rows(books, dataset="contract-commitment")
    report = validator.lint_focus_1_4_structure("contract commitment", found)
    assert [(each.column, each.rule) for each in report.violations] == []
    assert [(each["ContractCommitmentId"], each["ContractCommitmentCategory"], len(each)) for each in found] == [
        ("prepaid", "Spend", 30),
        ("ptu", "Usage", 30),
    ]


def test_older_versions_have_no_such_commitments():
    with pytest.raises(ExportError, match=r"Write 1\.4"):
        Export(BEGIN, END, "1.2", dataset="contract-commitment")
