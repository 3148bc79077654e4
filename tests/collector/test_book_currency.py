"""A book in another currency than the catalogue: all figures are in it, the catalogue's prices at the rate of the day."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from focus_data_toolkit.model import validator

from tokentrace_collector.prices import catalogue
from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.prices.difference import differences
from tokentrace_collector.prices.listing import of_catalogue
from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.tenants import Books

EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = 3_600
EURO = """
version: 1
currency: EUR
fx:
  USD:
    - {from: 2026-11-20T10:00:00Z, rate: 0.8}
    - {from: 2026-11-20T11:00:00Z, rate: 0.9}
  GBP: [{from: 2026-01-01, rate: 1.15}]
rates:
  - {provider: own, model: agreed, prices: {input_text: 3}}
  - {provider: own, model: london, currency: GBP, prices: {input_text: 2}}
  - {provider: openai, model: gpt-5, currency: USD, prices: {input_text: 10}}
rules:
  - {id: half, match: {model: gpt-6-luna}, discount: 0.5}
human_review: {rate_per_hour: 45}
gpu_pools: [{id: h, hourly_cost: 10, match: {provider: vllm}, from: 2026-11-20T11:00:00Z, to: 2026-11-20T12:00:00Z}]
platform: [{id: db, price: {amount: 24, per: day}, from: 2026-11-20, to: 2026-11-21}]
commitments:
  - {id: ptu, kind: usage, settle: hour, quantity: 1000, price: 4, weights: {input: 1}, match: {provider: due},
     from: 2026-11-20T11:00:00Z, to: 2026-11-20T12:00:00Z}
"""


def reported(amount, currency=""):
    said = {"tokentrace.cost.reported": amount, "tokentrace.cost.reporter": "openrouter"}
    return said | ({"tokentrace.cost.currency": currency} if currency else {})


@pytest.fixture(scope="module")
def ledger(fresh_ledger):
    ledger = fresh_ledger().priced_by(EURO)
    thousand = {"tokens": {"input_text": 1_000}}
    for span, at in (("before", -1), ("first", 0), ("second", HOUR)):
        ledger.call("listed", span, at=at, **thousand)
    ledger.call("ruled", "a", model="gpt-6-luna", at=HOUR, **thousand)
    for model in ("agreed", "london"):
        ledger.call("own", model, provider="own", model=model, at=HOUR, **thousand)
    ledger.call("dollars", "a", model="gpt-5", **thousand)
    for span, said in (
        ("usd", reported("0.0123")),
        ("eur", reported("0.0123", "EUR")),
        ("xxx", reported("0.0123", "XXX")),
    ):
        ledger.call("told", span, provider="openrouter", model="gpt-6-sol", said=said, at=HOUR, **thousand)
    answered = {"gen_ai.response.id": "resp_0123456789abcdef"}
    ledger.call("later", "call", provider="openrouter", said=answered | {"tokentrace.usage.source": "missing"})
    read = answered | {"tokentrace.usage.scope": "retrieve"} | reported("0.3")
    ledger.call("later", "read", provider="openrouter", said=read, at=HOUR, **thousand)
    ledger.review("listed", "review", active=90)
    ledger.call("pool", "a", provider="vllm", model="own", tokens={"output_text": 1}, at=HOUR, seconds=60)
    ledger.call("due", "a", provider="due", model="d", at=HOUR, tokens={"input_text": 250})
    ledger.span("later", "x", at=4 * HOUR)
    ledger.tick()
    return ledger


def cost(ledger, trace, span="a"):
    row = ledger.call_cost(trace, span)
    return row["total"], row["list_cost"], row["currency"]


def test_prices_of_the_catalogue_are_those_of_the_day(ledger):
    """2 USD a million are 1.60 EUR, and 1.80 EUR an hour later; a discount is on that."""
    assert cost(ledger, "listed", "first") == (Decimal("0.0016"), Decimal("0.0016"), "EUR")
    assert cost(ledger, "listed", "second") == (Decimal("0.0018"), Decimal("0.0018"), "EUR")
    total, listed, _ = cost(ledger, "ruled")
    assert (total * 2, listed > 0) == (listed, True)


def test_before_anybody_says_what_a_dollar_is_nothing_of_the_catalogue_has_a_price(ledger):
    row = ledger.call_cost("listed", "before")
    assert (row["lines.amount"], row["lines.status"]) == ([None], ["unpriced"])


def test_what_was_agreed_is_in_the_currency_of_the_book_or_in_its_own(ledger):
    assert [cost(ledger, "own", model)[0] for model in ("agreed", "london")] == [Decimal("0.003"), Decimal("0.0023")]
    assert cost(ledger, "dollars")[0] == Decimal("0.008")


def test_a_reported_cost_is_converted_from_what_it_is_in(ledger):
    """USD, if nothing is said; what is in a currency that nobody knows the worth of is not used."""
    found = [ledger.call_cost("told", span) for span in ("usd", "eur", "xxx")]
    assert [(row["total"], row["lines.status"]) for row in found[:2]] == [
        (Decimal("0.01107"), ["reported"]), (Decimal("0.0123"), ["reported"]),
    ]  # fmt: skip
    assert found[2]["lines.status"] != ["reported"]


def test_a_cost_that_is_read_later_is_that_of_the_day_of_the_call(ledger):
    """0.30 USD at 0.8, though it was told when the dollar was at 0.9."""
    assert cost(ledger, "later", "call")[0] == Decimal("0.24")


def test_attention_capacity_and_fixed_costs_are_as_they_are_stated(ledger):
    assert cost(ledger, "listed", "review")[0] == Decimal("1.125")
    asked = "SELECT pool, cost FROM capacity_hours FINAL WHERE hour = toDateTime('2026-11-20 11:00:00', 'UTC') ORDER BY pool"
    assert [tuple(row.values()) for row in ledger.store.query(asked)] == [("db", 1), ("h", 10)]
    (promised,) = ledger.store.query("SELECT fee, used, unused FROM commitment_periods FINAL")
    assert tuple(promised.values()) == (4, 1, 3)


def test_everything_is_in_one_currency_and_adds_up(ledger):
    """The lines of no trace too; the report has one sum."""
    (lines,) = ledger.store.query("SELECT groupUniqArray(currency) AS names, sum(amount) AS total FROM cost_lines")
    (whole,) = shares(Books(ledger.store), Breakdown((), since=EPOCH.replace(day=1), until=EPOCH.replace(day=27)))
    assert (lines["names"], whole["currency"], Decimal(whole["total"])) == (["EUR"], "EUR", lines["total"])
    assert ledger.rollup.verify().verified["differences"] == []


@pytest.mark.parametrize("profile", ["provider", "chargeback"])
def test_focus_bills_in_the_currency_of_the_book(ledger, profile):
    export = Export(EPOCH.replace(day=1, hour=0), datetime(2026, 12, 1, tzinfo=UTC), profile=profile)
    rows = list(csv.DictReader(io.StringIO(written(Books(ledger.store), export).decode())))
    assert {(each["BillingCurrency"], each["PricingCurrency"]) for each in rows} == {("EUR", "EUR")}
    assert list(validator.lint_focus_1_4_structure("cost and usage", rows).violations) == []
    promised = written(Books(ledger.store), Export(export.since, export.until, dataset="contract-commitment")).decode()
    (one,) = csv.DictReader(io.StringIO(promised))
    assert (one["BillingCurrency"], one["PricingCurrency"]) == ("EUR", "EUR")


def test_prices_in_two_currencies_are_not_compared():
    """Each of them would differ, and none of it would say anything."""
    snapshot = catalogue.snapshot()
    with pytest.raises(
        BookError, match=r"These are prices in USD, and those in EUR\. Compare books of one `currency`\."
    ):
        differences(of_catalogue(snapshot), of_catalogue(snapshot, parse(EURO)), EPOCH)


def test_a_closed_month_is_taken_back_in_one_currency_and_added_in_the_other(fresh_ledger):
    """Sums are by currency: nothing of one is ever added to the other."""
    agreed = "rates: [{provider: own, prices: {input_text: 2}}]\n"
    other = fresh_ledger().priced_by(f"version: 1\n{agreed}")
    other.call("t", "a", provider="own", model="m", tokens={"input_text": 1_000_000}, at=-30 * 24 * HOUR)
    other.tick()
    other.rollup.close(Closing(date(2026, 10, 1), EPOCH))
    euros = "version: 1\ncurrency: EUR\nfx: {USD: [{from: 2026-01-01, rate: 0.9}]}\n" + agreed
    changed = other.rollup.reprice(Repricing(parse(euros), adopt=True)).repriced
    assert [(each["currency"], each["before"], each["after"]) for each in changed if each["by"] == "all"] == [
        ("EUR", "0", "2"), ("USD", "2", "0"),
    ]  # fmt: skip
    asked = "SELECT booking_month, currency, sum(amount) AS charged FROM charges GROUP BY ALL HAVING charged != 0 ORDER BY ALL"
    assert [tuple(row.values()) for row in other.store.query(asked)] == [
        (date(2026, 10, 1), "USD", 2), (date(2026, 11, 1), "EUR", 2), (date(2026, 11, 1), "USD", -2),
    ]  # fmt: skip
