"""Invoices in other currencies: what they came to when they were paid, beside what was charged at the rates of the day."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from focus_data_toolkit.model import validator
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.reports.payments import Question, payments
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.tenants import Books

EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR, DAY = 3_600, 86_400
PRICES = """
version: 1
fx:
  EUR:
    - {from: 2026-10-01, rate: 1.10}
    - {from: 2026-11-16, rate: 1.20}
  CHF: [{from: 2026-01-01, rate: 1.15}]
rates:
  - {provider: mistral_ai, model: old, currency: CHF, prices: {input_text: 2}}
  - {provider: mistral_ai, currency: EUR, prices: {input_text: 2}}
commitments:
  - {id: reserved, kind: usage, settle: day, quantity: 1000, price: {amount: 300, per: month}, currency: EUR, weights: {input: 1},
     match: {provider: mistral_ai, model: due}, from: 2026-11-01, to: 2026-12-01}
"""
PAID = PRICES + "payments:\n  - {provider: mistral_ai, month: 2026-11, currency: EUR, rate: 1.08}\n"


def at(day, hour=10):
    return (datetime(2026, 11, day, hour, tzinfo=UTC) - EPOCH).total_seconds()


def fill(ledger, book=PAID):
    """2 EUR on November 10 and 6 on November 20; francs, dollars of the catalogue, and a promise."""
    ledger.priced_by(book)
    for trace, day, millions, model in (
        ("a", 10, 1, "new"),
        ("b", 20, 3, "new"),
        ("c", 20, 5, "old"),
        ("d", 20, 1, "due"),
    ):
        ledger.call(
            trace,
            "1",
            provider="mistral_ai",
            model=model,
            tokens={"input_text": millions * 10**6 // (1000 if model == "due" else 1)},
            at=at(day),
        )
    ledger.call("e", "1", provider="mistral_ai", model="mistral-large-latest", tokens={"output_text": 10**6}, at=at(20))
    ledger.call("f", "1", tokens={"input_text": 10**6}, at=at(20))
    ledger.span("later", "x", at=at(21, 0))
    ledger.tick()
    return ledger


@pytest.fixture(scope="module")
def ledger(fresh_ledger):
    return fill(fresh_ledger())


def told(ledger):
    return payments(Books(ledger.store), Question())


def test_the_worked_invoice_of_the_guide(ledger):
    """8 EUR were charged as 2.20 + 7.20, and paid as 8.64; of 200 EUR promised for 20 days, charged at 1.10, likewise."""
    (one,) = told(ledger)
    by_the_piece, promised = Decimal("9.40"), Decimal(220)
    assert (one["provider"], one["month"], one["currency"], one["charge_currency"]) == (
        "mistral_ai",
        "2026-11",
        "EUR",
        "USD",
    )
    assert (one["invoiced"], one["charged"], one["paid"]) == ("208", str(by_the_piece + promised).rstrip("0"), "224.64")
    assert Decimal(one["difference"]) == Decimal("224.64") - by_the_piece - promised == Decimal("-4.76")
    # Francs, and what the catalogue asks in dollars, are in no invoice in euros.
    catalogue = ledger.call_cost("e", "1")["total"]
    assert catalogue > 0
    assert Decimal(one["other"]) == Decimal("11.5") + catalogue
    assert one["lines"]["known"] == one["lines"]["of"] > 0


@pytest.mark.parametrize(
    ("said_in", "invoiced", "other"),
    [(["EUR"], "10", "0"), (["USD"], "0", "12"), ([""], "0", "12"), (["EUR", "USD"], "0", "23")],
)
def test_a_cost_that_somebody_told_is_invoiced_in_the_currency_of_that(fresh_ledger, said_in, invoiced, other):
    """Lines do not tell it: where it was told in several, all of it stands apart."""
    ledger = fresh_ledger().priced_by(
        "version: 1\ntrust_reported: [mine]\nfx: {EUR: [{from: 2026-01-01, rate: 1.1}]}\n"
        "payments: [{provider: openai, month: 2026-11, currency: EUR, rate: 1.08}]"
    )
    for number, currency in enumerate(said_in):
        amount = "10" if currency == "EUR" else "12"
        said = {
            "tokentrace.cost.reported": amount,
            "tokentrace.cost.reporter": "mine",
            "tokentrace.cost.currency": currency,
        }
        ledger.call(f"t{number}", "1", tokens={"input_text": 10**6}, said=said, at=at(20))
    ledger.tick()
    (one,) = told(ledger)
    assert (one["invoiced"], one["other"]) == (invoiced, other)


def test_nothing_of_it_is_in_what_requests_cost(ledger):
    """The six components add up to the lines; the difference stands beside."""
    (whole,) = shares(Books(ledger.store), Breakdown())
    (lines,) = ledger.store.query("SELECT sum(amount) AS total FROM cost_lines")
    assert Decimal(whole["total"]) == lines["total"]


def rows(ledger, profile="provider", month=11, **more):
    wanted = Export(
        datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC), profile=profile, **more
    )
    return list(csv.DictReader(io.StringIO(written(Books(ledger.store), wanted).decode())))


@pytest.mark.parametrize("version", ["1.4", "1.2"])
def test_focus_has_it_as_an_adjustment(ledger, version):
    """Of the month, so that what is billed is what was paid."""
    found = rows(ledger, version=version)
    (one,) = [each for each in found if each["ChargeCategory"] == "Adjustment"]
    assert (one["ChargeDescription"], one["ChargePeriodStart"], one["ChargePeriodEnd"], one["InvoiceIssuerName"]) == (
        "Exchange Difference of EUR", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "Mistral AI",
    )  # fmt: skip
    assert {Decimal(one[name]) for name in ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")} == {
        Decimal("-4.76")
    }
    charged = sum(Decimal(each["EffectiveCost"]) for each in found) + Decimal("4.76")
    (booked,) = ledger.store.query("SELECT sum(amount) AS amount FROM tcoai_by_hour FINAL")
    assert charged == booked["amount"]
    if version == "1.4":
        report = validator.lint_focus_1_4_structure("cost and usage", found)
        assert [(each.column, each.rule) for each in report.violations] == []


def test_nobody_is_charged_with_it(ledger):
    """Neither whom costs are charged back to, nor another month."""
    assert [
        each
        for each in (*rows(ledger, "chargeback"), *rows(ledger, month=10))
        if each["ChargeCategory"] == "Adjustment"
    ] == []


def test_how_an_invoice_was_paid_is_no_other_price(fresh_ledger):
    """Nothing is rated anew, and what was asked before is known at once; what was only tried is not."""
    ledger = fill(fresh_ledger(), PRICES)
    before = ledger.everything()
    (run,) = {row["rating_run"] for row in before["call_costs"]}
    assert told(ledger) == []
    ledger.priced_by(PAID).tick()
    assert (told(ledger)[0]["rate"], ledger.everything()) == ("1.08", before)
    other = PAID.replace("1.08", "1.09")
    assert ledger.rollup.reprice(Repricing(parse(other))).rating_run == run
    assert told(ledger)[0]["rate"] == "1.08"
    ledger.rollup.reprice(Repricing(parse(other), adopt=True))
    assert (told(ledger)[0]["rate"], ledger.everything()) == ("1.09", before)


@pytest.mark.parametrize("written_as", ["payments: [{}]\n", "payments:\n  # of January\n  - {}\n"])
def test_payments_may_stand_anywhere_in_a_book(written_as):
    """The rest is what decides figures, with all that is said of it."""
    one = "version: 1\nfx: {EUR: [{from: 2026-01-01, rate: 1}]}\n"
    other = "\n# People\nhuman_review: {rate_per_hour: 45}\n"
    paid = written_as.format("{provider: x, month: 2026-11, currency: EUR, rate: 1}")
    books = [parse(text) for text in (one + paid + other, one + other + paid, one + other)]
    assert {each.rated for each in books} == {one + other}
    assert len({each.sha for each in books}) == 1


def test_a_closed_month_is_paid_at_the_rates_that_it_was_booked_with(fresh_ledger):
    """What was booked stays as it was; what other rates make of it later is a correction, and invoiced at those."""
    october = "version: 1\nfx: {{EUR: [{{from: 2026-01-01, rate: {}}}]}}\nrates: [{{provider: p, currency: EUR, prices: {{input_text: 2}}}}]\npayments: [{{provider: p, month: 2026-10, currency: EUR, rate: 1.3}}]\n"
    ledger = fresh_ledger().priced_by(october.format("1.1"))
    ledger.call("t", "a", provider="p", model="m", tokens={"input_text": 10**6}, at=-30 * DAY)
    ledger.tick()
    ledger.rollup.close(Closing(date(2026, 10, 1), EPOCH))
    assert [(each["charged"], each["paid"], each["difference"]) for each in told(ledger)] == [("2.2", "2.6", "0.4")]
    ledger.rollup.reprice(Repricing(parse(october.format("1.2")), adopt=True))
    # 2.20 were booked, and 0.20 are the correction: 2 EUR all the same.
    assert [(each["invoiced"], each["charged"], each["difference"]) for each in told(ledger)] == [("2", "2.4", "0.2")]


def test_a_book_in_euros_pays_for_the_dollars_of_the_catalogue(fresh_ledger):
    """The catalogue asks in dollars, with or without rules; what was agreed in euros is not exchanged."""
    ledger = fresh_ledger().priced_by(
        "version: 1\ncurrency: EUR\nfx: {USD: [{from: 2026-01-01, rate: 0.8}, {from: 2026-11-20T11:00:00Z, rate: 0.9}]}\n"
        "rates: [{provider: openai, model: own, prices: {input_text: 7}}]\nrules: [{id: half, match: {model: gpt-6-luna}, discount: 0.5}]\n"
        "payments: [{provider: openai, month: 2026-11, currency: USD, rate: 0.85}]\n"
    )
    for span, model, hour in (("1", "gpt-6-sol", 0), ("2", "gpt-6-sol", 1), ("3", "gpt-6-luna", 1), ("4", "own", 1)):
        ledger.call("t", span, model=model, tokens={"input_text": 10**6}, at=hour * HOUR)
    ledger.tick()
    cost = {span: ledger.call_cost("t", span)["total"] for span in "1234"}
    dollars = Fraction(cost["1"]) / Fraction("0.8") + (Fraction(cost["2"]) + Fraction(cost["3"])) / Fraction("0.9")
    (one,) = told(ledger)
    assert (one["currency"], one["charge_currency"], one["other"]) == ("USD", "EUR", "7")
    assert Fraction(one["invoiced"]) == dollars > 4
    assert Fraction(one["difference"]) == dollars * Fraction("0.85") - sum(map(Fraction, list(cost.values())[:3]))


digits = st.integers(1, 10**7).map(lambda written: Decimal(written).scaleb(-6))
call = st.fixed_dictionaries({
    "hours": st.integers(-300, 200),
    "model": st.sampled_from(["eur", "chf", "usd"]),
    "count": st.integers(1, 10**7),
})  # fmt: skip
book = st.fixed_dictionaries({
    "fx": st.dictionaries(st.integers(-300, 200), digits, min_size=1, max_size=4), "first": digits, "price": digits, "paid": digits,
})  # fmt: skip


def eighteen(exact):
    return Fraction(round(exact * 10**18), 10**18)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=book, calls=st.lists(call, min_size=5, max_size=10))
def test_the_difference_is_what_anybody_works_out(fresh_ledger, said, calls):
    """Any rates and prices, to the last digit, in fractions."""
    steps = {-1000: said["first"]} | said["fx"]
    listed = "".join(
        f"    - {{from: {(EPOCH + timedelta(hours=each)).isoformat()}, rate: {steps[each]}}}\n"
        for each in sorted(steps)
    )
    prices = "".join(
        f"  - {{provider: own, model: {name}, currency: {name.upper()}, prices: {{input_text: {said['price']}}}}}\n"
        for name in ("eur", "chf", "usd")
    )
    ledger = fresh_ledger().priced_by(
        f"version: 1\nfx:\n  EUR:\n{listed}  CHF: [{{from: 2026-01-01, rate: 1.2}}]\nrates:\n{prices}"
        f"payments: [{{provider: own, month: 2026-11, currency: EUR, rate: {said['paid']}}}]\n"
    )
    charged, invoiced, other = Fraction(0), Fraction(0), Fraction(0)
    for number, each in enumerate(calls):
        ledger.call(
            f"t{number}",
            "a",
            provider="own",
            model=each["model"],
            tokens={"input_text": each["count"]},
            at=each["hours"] * HOUR,
        )
        moment = EPOCH + timedelta(hours=each["hours"])
        rate = Fraction(steps[max(step for step in steps if step <= each["hours"])])
        worth = {"eur": rate, "chf": Fraction("1.2"), "usd": Fraction(1)}[each["model"]]
        amount = eighteen(Fraction(said["price"]) / 10**6 * worth) * each["count"]
        if (moment.month, each["model"]) == (11, "eur"):
            charged, invoiced = charged + amount, invoiced + amount / rate
        elif moment.month == 11:
            other += amount
    ledger.tick()
    (one,) = told(ledger)
    assert [Fraction(one[name]) for name in ("charged", "invoiced", "other", "difference", "paid")] == [
        charged, eighteen(invoiced), other, (difference := eighteen(invoiced * Fraction(said["paid"]) - charged)), charged + difference,
    ]  # fmt: skip


FX = "version: 1\nfx: {EUR: [{from: 2026-01-01, rate: 1.1}]}\npayments:\n  - "


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{provider: openai, month: 2026-11, currency: EUR}", "Line 4: The entry 'rate' is missing."),
        ("{provider: openai, month: 2026-11, currency: EUR, rate: 0}", "Line 4: A rate of 0 makes everything free. Write what 1 of it is in that of the book."),
        ("{provider: openai, month: 2026-11, currency: EUR, rate: 1.0000000000001}", "Line 4: '1.0000000000001' has more than 12 decimal places. Round it."),
        ("{provider: openai, month: 2026-11, currency: USD, rate: 1}", "Line 4: USD is the currency of this book, so nothing is exchanged. Leave this payment out."),
        ("{provider: openai, month: 2026-11, currency: CHF, rate: 1}", "Line 4: Nothing says what 1 CHF is. Write its rates under `fx`."),
        ("{provider: openai, month: 2026-11, currency: euro, rate: 1}", "Line 4: 'euro' is no currency. Write its three letters, such as EUR."),
        ("{provider: 'open*', month: 2026-11, currency: EUR, rate: 1}", "Line 4: An invoice is of one provider, not of 'open*'. Name it in full."),
        ("{provider: '', month: 2026-11, currency: EUR, rate: 1}", "Line 4: An invoice is of one provider, not of ''. Name it in full."),
        ("{provider: openai, month: 2026-13, currency: EUR, rate: 1}", "Line 4: '2026-13' is no month. Write one such as 2026-11."),
        ("{provider: openai, month: 2026-11-01, currency: EUR, rate: 1}", "Line 4: '2026-11-01' is no month. Write one such as 2026-11."),
        ("{provider: openai, month: 2126-11, currency: EUR, rate: 1}", "Line 4: '2126-11' is no month. Write one such as 2026-11."),
        ("{provider: openai, month: 2026-11, currency: EUR, rate: 1, time_zone: Berlin}", "Line 4: There is no time zone 'Berlin'. Write one such as America/Los_Angeles."),
        ("{provider: openai, month: 2026-11, currency: EUR, rate: 1, time_zone: Asia/Kolkata}", "Line 4: Figures are of whole hours (UTC), and a month in Asia/Kolkata begins within one. Write UTC times."),
        ("{provider: openai, month: 2026-11, currency: EUR, rate: 1}\n  - {provider: openai, month: 2026-11, currency: EUR, rate: 2}", "Line 5: There are two rates for the EUR of 'openai' in 2026-11. An invoice that was paid in parts has one rate: what was paid / what was invoiced."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_where_it_stands(entry, message):
    with pytest.raises(BookError) as refused:
        parse(FX + entry)
    assert message in str(refused.value)


def test_a_promise_to_several_is_on_one_invoice(fresh_ledger):
    """The first that the book tells of; one that names nobody is on none."""
    terms = "kind: usage, settle: month, quantity: 1, price: 30, currency: EUR, weights: {input: 1}, from: 2026-10-01, to: 2026-11-01"
    listed = ", ".join(
        f"{{id: {name}, {terms}, match: {match}}}" for name, match in (("a", "{provider: 'own.*'}"), ("b", "{host: h}"))
    )
    invoices = ", ".join(f"{{provider: own.{name}, month: 2026-10, currency: EUR, rate: 1.2}}" for name in "yx")
    ledger = fresh_ledger().priced_by(
        f"version: 1\nfx: {{EUR: [{{from: 2026-01-01, rate: 1.1}}]}}\ncommitments: [{listed}]\npayments: [{invoices}]\n"
    )
    ledger.span("later", "x")
    ledger.tick()
    found = [(each["provider"], each["invoiced"], each["difference"], each["other"]) for each in told(ledger)]
    assert found == [("own.x", "0", "0", "0"), ("own.y", "30", "3", "0")]


def test_a_month_is_that_of_the_provider():
    (one,) = parse(
        FX + "{provider: openai, month: 2026-11, currency: EUR, rate: 1, time_zone: America/Los_Angeles}"
    ).payments
    assert (one.since, one.until) == (datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC))
