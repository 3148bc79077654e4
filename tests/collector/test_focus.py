"""FOCUS files: valid by the validators of others, and adding up to the books to the last digit."""

import csv
import io
import os
import re
import subprocess
from collections import Counter
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
import uv
from focus_data_toolkit.model import validator

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

REPORTED = {"tokentrace.cost.reported": "0.0123", "tokentrace.cost.reporter": "openrouter"}


OFFICIAL = ("--no-project", "--quiet", "--python", "3.12", "--with", "focus-validator==2.2.1", "--with", "pyarrow<23")
# It finds its own files only from the directory that it is installed in.
FROM_ITS_PLACE = """
import os, pathlib, runpy, focus_validator
os.chdir(pathlib.Path(focus_validator.__file__).parents[1])
runpy.run_module("focus_validator.main", run_name="__main__")
"""
SUPPORTED = ",".join(
    f"{each}_SUPPORTED"
    for each in (
        "USAGE_MEASUREMENT", "UNIT_PRICING", "MULTIPLE_PRICING_CATEGORIES", "SUB_ACCOUNT", "TAGGING", "PUBLIC_PRICE_LIST",
        "NEGOTIATED_PRICING",
    )
)  # fmt: skip
ALWAYS_FAILS = {"InvoiceId-C-005-C"}
"""It wants an invoice on each charge, and its rule C-004 none on any."""


def said(**tags):
    return {f"tokentrace.attribution.{tag}": value for tag, value in tags.items()}


def charges(ledger, *, at=0):
    """Every kind of charge there is: of each class of tokens, tool fees, reviews, retries, reported and unknown costs."""
    spent = {
        "input_text": 1001, "cache_read": 37, "cache_write_5m": 11, "input_image": 5, "output_text": 101, "output_reasoning": 53,
    }  # fmt: skip
    some = {"input_text": 900, "output_text": 70}
    lost = {"http.response.status_code": 500, "error.type": "500", "tokentrace.attempt.number": 1}
    shop = said(team="shop")
    ledger.call(f"a{at}", "s1", at=at, tokens=spent, meters={"web_search": 3}, said=said(team="search", feature="find"))
    ledger.call(f"a{at}", "s2", at=at, tokens=spent, role="plan", model="gpt-5", said=said(team="search"))
    ledger.call(f"a{at}", "s3", at=at, tokens=some, said=shop | {"tokentrace.billing.service_tier": "batch"})
    ledger.call(
        f"a{at}", "s4", at=at, tokens=some, model="gpt-5", said=shop | {"tokentrace.billing.service_tier": "odd"}
    )
    ledger.call(f"a{at}", "s5", at=at, tokens=some, said=shop | {"tokentrace.usage.billable": "false"})
    ledger.call(f"a{at}", "s6", at=at, tokens=some, said=shop | {"tokentrace.usage.source": "estimated"})
    ledger.call(f"a{at}", "s7", at=at, tokens=some, said=shop, attempts=[lost, {"tokentrace.attempt.number": 2}])
    ledger.call(f"a{at}", "s8", at=at, said=shop | {"tokentrace.usage.source": "missing"})
    ledger.call(f"a{at}", "s9", at=at, tokens=spent, failed=True, said=shop)
    ledger.call(f"n{at}", "s1", at=at, tokens=spent, model="none-such")
    ledger.review(f"n{at}", "s2", "s1", at=at + 60, active=100)
    ledger.call(f"r{at}", "s1", at=at, tokens=spent, provider="openrouter", model="any", said=REPORTED)


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


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_a_file_of_1_4_is_valid(books, profile):
    report = validator.lint_focus_1_4_structure("cost and usage", rows(books, profile=profile))
    assert Counter((each.column, each.rule) for each in report.violations) == {}


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_a_file_of_1_2_is_valid(books, profile, tmp_path):
    path = tmp_path / "focus.parquet"
    path.write_bytes(written(Books(books), Export(BEGIN, END, "1.2", profile, "parquet")))
    quiet = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    # The one that pyenv has answers to its name only when asked for.
    quiet |= {"UV_PYTHON_DOWNLOADS": "never", "PYENV_VERSION": "3.12"}
    if subprocess.run(
        [uv.find_uv_bin(), "python", "find", "3.12"], env=quiet, capture_output=True, check=False
    ).returncode:
        pytest.skip("the official validator needs Python 3.12, which is not here")
    asked = ("--data-file", str(path), "--validate-version", "1.2.0.1", "--block-download", "--show-violations")
    ran = subprocess.run(
        [uv.find_uv_bin(), "run", *OFFICIAL, "python", "-c", FROM_ITS_PLACE, *asked, "--applicability-criteria", SUPPORTED],
        env=quiet, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert re.search(r"^Total: \d+ \| Pass: [1-9]\d\d", ran.stdout, re.MULTILINE), ran.stdout + ran.stderr
    assert set(re.findall(r"^- ([\w-]+): violations", ran.stdout, re.MULTILINE)) == ALWAYS_FAILS


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
