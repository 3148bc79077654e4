"""FOCUS files: valid by the validators of others, and adding up to the books to the last digit."""

import csv
import io
import os
import re
import subprocess
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
import uv
from focus_data_toolkit.model import validator

from tokentrace_collector.reports.focus import Export, ExportError, written
from tokentrace_collector.tenants import Books

BEGIN, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DAY = 86_400
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
"""

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


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Every kind of charge there is, in two months: tokens, a tool fee, a review, capacity used and idle, no price."""
    ledger = fresh_ledger().priced_by(BOOK)
    spent = {"input_text": 1001, "cache_read": 37, "output_text": 101, "output_reasoning": 53}
    ledger.call("a1", "s1", tokens=spent, meters={"web_search": 3}, said=said(team="search", feature="find"))
    ledger.call("a1", "s2", tokens=spent, role="plan", model="gpt-5", said=said(team="search"))
    ledger.call("a2", "s1", at=11 * DAY, tokens=spent, failed=True, said=said(team="shop"))
    ledger.call("a3", "s1", tokens=spent, model="none-such")
    ledger.review("a3", "s2", "s1", at=60, active=100)
    ledger.call("a4", "s1", at=11 * DAY, tokens=spent, provider="openrouter", model="any", said=REPORTED)
    for number in range(3):
        ledger.call(
            f"b{number}", "s1", provider="vllm", model="qwen3", tokens={"input_text": 100 + number, "output_text": 7}
        )
    ledger.tick()
    return ledger.store


def rows(books, **wanted):
    return list(csv.DictReader(io.StringIO(written(Books(books), Export(BEGIN, END, **wanted)).decode())))


def added(amounts):
    with localcontext(prec=76):
        return sum(amounts, Decimal(0))


def in_books(books, condition="1"):
    found = books.query(
        f"SELECT toStartOfMonth(hour) AS month, sum(amount) AS amount FROM tcoai_by_hour FINAL WHERE {condition} GROUP BY month"
    )
    return {
        f"{row['month']:%Y-%m}": row["amount"].quantize(Decimal("1e-12"), ROUND_HALF_EVEN)
        for row in found
        if row["amount"]
    }


def by_month(found, column):
    months = {each["BillingPeriodStart"][:7] for each in found}
    return {
        month: added(Decimal(each[column]) for each in found if each["BillingPeriodStart"][:7] == month)
        for month in months
    }


def test_every_kind_of_charge_is_in_the_data(books):
    found = rows(books, profile="chargeback")
    assert {each["x_ChargeKind"] for each in found} == {"token", "meter", "review", "used", "idle"}
    assert {"priced", "unpriced", "reported", "allocated"} <= {each["x_PriceStatus"] for each in found}


def test_chargeback_adds_up_to_the_books(books):
    found = rows(books, profile="chargeback")
    assert by_month(found, "EffectiveCost") == by_month(found, "BilledCost") == in_books(books)


def test_the_provider_profile_adds_up_to_what_providers_bill(books):
    found = rows(books)
    assert by_month(found, "BilledCost") == in_books(books, "allocated = 0 AND component != 'human_review'")
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
