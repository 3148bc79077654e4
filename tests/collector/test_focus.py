"""FOCUS files: they add up to the books to the last digit."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from charged import charges, said

from tokentrace_collector.prices.book import parse
from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.focus import Export, ExportError, written
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.tenants import Books

BEGIN, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DAY = 86_400
OCTOBER = -30 * DAY
BOOK = """
version: 1
human_review: {rate_per_hour: 45}
rates:
  - {provider: openai, model: "gpt-5*", prices: {input_text: 1, output_text: 3}}
gpu_pools:
  - id: h200
    hourly_cost: 11.27
    match: {provider: vllm}
    weights: {input: 0.08, cached: 0.008, output: 1}
    capacity: 18000
    from: 2026-11-20T10:00:00
    to: 2026-11-20T12:00:00
  - id: a100
    hourly_cost: 5
    match: {provider: self_hosted}
    from: 2026-10-21T10:00:00
    to: 2026-10-21T12:00:00
"""
# Everything of a month that is closed costs something else now, and what had no price has one.
DEARER = (
    BOOK.replace("rate_per_hour: 45", "rate_per_hour: 50").replace("input_text: 1,", "input_text: 1.25,")
    .replace("hourly_cost: 5", "hourly_cost: 6").replace("rates:", "rates:\n  - {model: none-such, prices: {input_text: 2}}\n  - {provider: openai, prices: {web_search: 0.02}}")
)  # fmt: skip


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Every kind of charge in two months, and in one that was closed before it came to cost something else."""
    ledger = fresh_ledger().priced_by(BOOK)
    charges(ledger, at=OCTOBER)
    ledger.call("o", "s1", at=OCTOBER, seconds=900, provider="self_hosted", model="qwen3", tokens={"input_text": 9})
    ledger.tick()
    ledger.rollup.close(Closing(date(2026, 10, 1), END))
    charges(ledger)
    charges(ledger, at=11 * DAY)
    for number in range(3):
        ledger.call(
            f"b{number}", "s1", provider="vllm", model="qwen3", tokens={"input_text": 100 + number, "output_text": 7}
        )
    ledger.call("late", "s1", at=OCTOBER + 5, tokens={"input_text": 77}, said=said(team="shop"))
    ledger.tick()
    ledger.rollup.reprice(Repricing(parse(DEARER), adopt=True))
    return ledger.store


def rows(books, **wanted):
    return list(csv.DictReader(io.StringIO(written(Books(books), Export(BEGIN, END, **wanted)).decode())))


def added(amounts):
    with localcontext(prec=76):
        return sum(amounts, Decimal(0))


def in_books(books, *left_out):
    """What the books have of each month, without some parts of it, at twelve digits."""
    found = {}
    for each in shares(Books(books), Breakdown(per="month")):
        parts = {**each["components"], "allocated": each["allocated"]}
        amount = added([Decimal(each["total"]), *(-Decimal(parts[name]) for name in left_out)])
        found[each["period"]] = amount.quantize(Decimal("1e-12"), ROUND_HALF_EVEN)
    return found


def by_month(found, column):
    months = {each["BillingPeriodStart"][:7] for each in found}
    return {
        month: added(Decimal(each[column]) for each in found if each["BillingPeriodStart"][:7] == month)
        for month in months
    }


def test_every_kind_of_charge_is_in_the_data(books):
    found = rows(books, profile="chargeback")
    assert {each["x_ChargeKind"] for each in found} == {"token", "meter", "review", "used", "idle"}
    statuses = {"priced", "fallback", "free", "unpriced", "reported", "allocated"}
    assert {each["x_PriceStatus"] for each in found} == statuses
    assert {each["x_ChargeKind"] for each in found if each["ChargeClass"]} == {
        "token",
        "meter",
        "review",
        "used",
        "idle",
    }
    assert {each["x_IsEstimated"] for each in found} == {"true", "false"}
    assert {each["x_Component"] for each in found} >= {
        "visible",
        "hidden_reasoning",
        "orchestration",
        "errors",
        "human_review",
    }
    assert {each["x_Unit"] for each in found} >= {
        "input_text",
        "cache_read",
        "cache_write_5m",
        "input_image",
        "output_reasoning",
    }


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_what_a_closed_month_costs_now_is_corrected_in_an_open_one(books, profile):
    """Taken back as it was booked, added as it is now; and so is what came late, which takes nothing back."""
    found = rows(books, profile=profile)
    assert {
        (each["BillingPeriodStart"][:7], each["ChargePeriodStart"][:7]) for each in found if each["ChargeClass"]
    } == {("2026-11", "2026-10")}
    assert {each["ChargeClass"] for each in found} == {"", "Correction"}
    sides = [
        (each["ConsumedQuantity"], each["ListUnitPrice"], each["ContractedUnitPrice"], each["PricingQuantity"])
        for each in found
        if each["ChargeClass"] and each["x_Component"] == "orchestration" and each["x_Unit"] == "input_text"
        and each["SkuId"] == "openai/gpt-5/input_text" and each["x_Role"] == "plan"
    ]  # fmt: skip
    assert [(quantity[:5], contracted[:4]) for quantity, _, contracted, _ in sides] == [
        ("-1001", "1.00"),
        ("1001.", "1.25"),
    ]
    (late,) = [each for each in found if each["ChargeClass"] and each["x_Quantity"].startswith("77.")]
    assert Decimal(late["BilledCost"]) > 0


def test_each_price_times_its_quantity_is_its_cost(books):
    """Of corrections, too."""
    for each in rows(books, profile="chargeback"):
        for kind in ("List", "Contracted"):
            if each[f"{kind}UnitPrice"] and each["x_PriceStatus"] != "reported":
                price = Decimal(each[f"{kind}UnitPrice"])
                # Seconds in hours have been rounded.
                most = (price + 2) * Decimal("1e-12")
                assert abs(price * Decimal(each["PricingQuantity"]) - Decimal(each[f"{kind}Cost"])) <= most


def test_the_file_of_a_closed_month_is_what_was_booked(books):
    october = Export(BEGIN, datetime(2026, 11, 1, tzinfo=UTC), profile="chargeback")
    found = list(csv.DictReader(io.StringIO(written(Books(books), october).decode())))
    assert {each["ChargeClass"] for each in found} == {""}
    assert by_month(found, "BilledCost") == {"2026-10": in_books(books)["2026-10"]}


def test_chargeback_adds_up_to_the_books(books):
    found = rows(books, profile="chargeback")
    assert by_month(found, "EffectiveCost") == by_month(found, "BilledCost") == in_books(books)


def test_the_provider_profile_adds_up_to_what_providers_bill(books):
    found = rows(books)
    assert by_month(found, "BilledCost") == in_books(books, "allocated", "human_review")
    assert {each["x_ChargeKind"] for each in found} == {"token", "meter"}


def test_the_file_of_an_hour_has_that_hour_alone(books):
    (since, until) = (datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in (10, 11))
    found = csv.DictReader(io.StringIO(written(Books(books), Export(since, until)).decode()))
    assert {each["ChargePeriodStart"] for each in found} == {"2026-11-20T10:00:00Z"}


def test_parquet_has_the_rows_of_the_csv(books, tmp_path):
    path = tmp_path / "focus.parquet"
    path.write_bytes(written(Books(books), Export(BEGIN, END, profile="chargeback", format="parquet")))
    (found,) = books.query(
        "SELECT count() AS rows, sum(BilledCost) AS cost, any(toTypeName(BilledCost)) AS type "
        f"FROM file('{path}', 'Parquet')"
    )
    listed = rows(books, profile="chargeback")
    assert (found["rows"], found["cost"]) == (len(listed), added(Decimal(each["BilledCost"]) for each in listed))
    assert found["type"] == "Decimal(38, 12)"


def test_1_2_names_providers_as_it_did(books):
    newer, older = (set(rows(books, version=version)[0]) for version in ("1.4", "1.2"))
    assert (newer - older, older - newer) == (
        {"ServiceProviderName", "HostProviderName"},
        {"ProviderName", "PublisherName"},
    )


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"version": "0.9"}, "0.9"),
        ({"profile": "mine"}, "mine"),
        ({"format": "xml"}, "xml"),
        ({"since": END}, "ends before"),
        ({"since": BEGIN.replace(minute=30)}, "whole hours"),
        ({"issuer": " "}, "issuer"),
    ],
)
def test_an_export_that_makes_no_sense_is_refused(wrong, named):
    with pytest.raises(ExportError, match=named):
        Export(**({"since": BEGIN, "until": END} | wrong))
