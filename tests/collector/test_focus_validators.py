"""FOCUS files with every kind of charge in them are valid by the validators of others."""

import csv
import io
import json
import os
import re
import subprocess
from collections import Counter
from datetime import UTC, datetime

import pytest
import uv
from charged import charges, said
from focus_data_toolkit.model import validator

from tokentrace_collector.prices.book import parse
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.tenants import Books

BEGIN, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DAY = 86_400
OCTOBER = -30 * DAY
BOOK = """
version: 1
fx: {EUR: [{from: 2026-01-01, rate: 1.1}]}
human_review: {rate_per_hour: 45}
rates:
  - {provider: openai, model: "gpt-5*", prices: {input_text: 1, output_text: 3}}
  - {provider: mistral_ai, currency: EUR, prices: {input_text: 2}}
gpu_pools:
  - id: h200
    hourly_cost: 11.27
    match: {provider: vllm}
    weights: {input: 0.08, cached: 0.008, output: 1}
    capacity: 18000
    from: 2026-11-20T10:00:00
    to: 2026-11-20T12:00:00
platform:
  - {id: gateway, price: {amount: 24, per: day}, allocate: calls, from: 2026-11-20, to: 2026-11-21}
  - {id: vector-db, price: 30, match: {team: search}, from: 2026-11-01, to: 2026-12-01}
commitments:
  - {id: ptu, kind: usage, settle: hour, quantity: 1000, price: 0.7, weights: {input: 1, output: 8}, match: {provider: openai, model: reserved},
     from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00}
  - {id: prepaid, kind: spend, settle: month, amount: 5, discount: 0.2, match: {provider: anthropic}, from: 2026-11-01, to: 2026-12-01}
payments:
  - {provider: mistral_ai, month: 2026-11, currency: EUR, rate: 1.08}
"""
KINDS = {
    "provider": {"token", "meter", "commit_used", "commit_unused", "commit_overflow", "commit_purchase", "exchange"},
    "chargeback": {
        "token", "meter", "commit_used", "commit_unused", "commit_overflow", "review", "review_share", "used", "idle", "fixed",
    },
}  # fmt: skip
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


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Two months: one that is closed and costs something else since, and one with all that may be charged."""
    ledger = fresh_ledger().priced_by(BOOK)
    charges(ledger, at=OCTOBER)
    ledger.tick()
    ledger.rollup.close(Closing(datetime(2026, 10, 1, tzinfo=UTC).date(), END))
    charges(ledger)
    some = {"input_text": 701, "output_text": 103}
    ledger.call("p", "own", provider="vllm", model="qwen3", tokens=some)
    ledger.call("p", "reserved", model="reserved", role="answer", tokens=some)
    ledger.call("p", "prepaid", provider="anthropic", model="claude-opus-5-5", tokens=some, at=60)
    ledger.call("p", "euros", provider="mistral_ai", model="small", tokens={"input_text": 10**6}, at=120)
    left = {"tokentrace.stream.end": "closed", "tokentrace.delivered.output_text": 3}
    ledger.call("p", "left", role="answer", tokens=some, said=left)
    told = {"tokentrace.report": "review", "tokentrace.review.session": "s1"}
    told |= {"tokentrace.review.traces": json.dumps(["p:2", "a0:1"])}
    ledger.review("shared", "shared", active=100, at=600, said=told | said(team="shop"))
    # Time has passed up to here.
    ledger.span("p", "end", at=11 * DAY)
    ledger.tick()
    ledger.rollup.reprice(Repricing(parse(BOOK.replace("rate_per_hour: 45", "rate_per_hour: 50")), adopt=True))
    return ledger.store


def rows(books, **wanted):
    return list(csv.DictReader(io.StringIO(written(Books(books), Export(BEGIN, END, **wanted)).decode())))


@pytest.mark.parametrize("profile", KINDS)
def test_every_kind_of_charge_is_in_the_data(books, profile):
    found = rows(books, profile=profile)
    assert {each["x_ChargeKind"] for each in found} == KINDS[profile]
    assert ("cancelled" in {each["x_SubComponent"] for each in found}, {each["ChargeClass"] for each in found}) == (
        True,
        {"", "Correction"} if profile == "chargeback" else {""},
    )


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


def test_commitments_of_1_4_are_valid(books):
    report = validator.lint_focus_1_4_structure("contract commitment", rows(books, dataset="contract-commitment"))
    assert Counter((each.column, each.rule) for each in report.violations) == {}
