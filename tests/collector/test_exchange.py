"""Other currencies: what a book states in one of them is converted at the rate of the day of the charge, exactly."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from focus_data_toolkit.model import validator
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.prices import catalogue
from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.prices.commitments import Commitment
from tokentrace_collector.prices.difference import changes
from tokentrace_collector.prices.exchange import Currency
from tokentrace_collector.prices.listing import of_catalogue
from tokentrace_collector.prices.pricelist import overlaid, row
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.tenants import Books

EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)
HOUR = 3_600
WORKED = """
version: 1
fx:
  EUR:
    - {from: 2026-11-20T10:00:00Z, rate: 1.25}
    - {from: 2026-11-20T11:00:00Z, rate: 1.5, to: 2026-11-21}
  JPY: [{from: 2026-01-01, rate: 0.0064}]
rates:
  - {provider: openai, currency: EUR, prices: {input_text: 2, web_search: 0.01}}
  - {provider: x_ai, model: grok-4, currency: JPY, prices: {input_text: 1000}}
human_review: {rate_per_hour: 40, currency: EUR}
gpu_pools:
  - {id: own, hourly_cost: 10, currency: EUR, match: {provider: vllm}, from: 2026-11-20T10:30:00Z, to: 2026-11-20T12:00:00Z}
commitments:
  - {id: ptu, kind: usage, settle: hour, quantity: 1000, price: 4, currency: EUR, weights: {input: 1}, match: {provider: due},
     from: 2026-11-20T10:00:00Z, to: 2026-11-20T12:00:00Z}
  - {id: prepaid, kind: spend, settle: day, amount: 100, currency: JPY, match: {provider: nobody}, from: 2026-11-01, to: 2026-11-03}
platform:
  - {id: db, price: {amount: 30, per: day}, currency: JPY, from: 2026-11-20, to: 2026-11-21}
"""


@pytest.fixture(scope="module")
def ledger(fresh_ledger):
    ledger = fresh_ledger().priced_by(WORKED)
    for trace, at in (("before", -1), ("first", 0), ("second", HOUR), ("after", 14 * HOUR)):
        ledger.call(trace, "a", tokens={"input_text": 1_000}, meters={"web_search": 1}, at=at)
    ledger.call("yen", "a", provider="x_ai", model="grok-4", tokens={"input_text": 1_000})
    ledger.review("first", "r", "a", at=HOUR - 90, active=90, seconds=180)
    ledger.call("own", "a", provider="vllm", model="own", tokens={"output_text": 1}, at=HOUR, seconds=60)
    ledger.call("due", "a", provider="due", model="d", tokens={"input_text": 1_000}, at=HOUR)
    ledger.span("later", "x", at=20 * HOUR)
    ledger.tick()
    return ledger


def amounts(ledger, trace, span="a"):
    row = ledger.call_cost(trace, span)
    return dict(zip(row["lines.unit"], row["lines.amount"], strict=True))


def test_a_price_is_that_of_the_day_of_the_call(ledger):
    """2 EUR a million is 2.50 USD, and 3 USD an hour later; a thousand yen are 6.40 USD."""
    assert amounts(ledger, "first") == {"input_text": Decimal("0.0025"), "web_search": Decimal("0.0125")}
    assert amounts(ledger, "second") == {"input_text": Decimal("0.003"), "web_search": Decimal("0.015")}
    assert amounts(ledger, "yen") == {"input_text": Decimal("0.0064")}


@pytest.mark.parametrize("trace", ["before", "after"])
def test_where_nobody_says_what_a_currency_is_worth_there_is_no_price(ledger, trace):
    """That of the catalogue is not what was agreed; nothing is borrowed from a related unit either."""
    row = ledger.call_cost(trace, "a")
    assert (row["lines.amount"], row["lines.status"]) == ([None, None], ["unpriced", "unpriced"])
    assert ledger.trace(trace)["coverage"] < 1


def test_attention_is_paid_at_the_rate_of_the_day_it_ends(ledger):
    """A minute and a half at 40 EUR an hour."""
    assert amounts(ledger, "first", "r") == {"review_seconds": Decimal("1.5")}


def test_capacity_is_paid_by_the_hour_at_the_rate_of_each(ledger):
    """10 EUR: half of them at 1.25, then all of them at 1.50."""
    asked = "SELECT cost FROM capacity_hours FINAL WHERE pool = 'own' ORDER BY hour"
    assert [row["cost"] for row in ledger.store.query(asked)] == [Decimal("6.25"), 15]


def test_what_was_promised_is_owed_at_the_rate_at_which_its_period_begins(ledger):
    asked = "SELECT commitment, fee, used FROM commitment_periods FINAL ORDER BY commitment, since"
    assert [tuple(row.values()) for row in ledger.store.query(asked)] == [
        ("prepaid", Decimal("0.64"), 0), ("prepaid", Decimal("0.64"), 0), ("ptu", 5, 0), ("ptu", 6, 6),
    ]  # fmt: skip


def test_a_fixed_cost_is_charged_at_the_rate_at_which_its_day_begins(ledger):
    """30 yen a day are 0.192 USD, and 0.008 USD an hour."""
    asked = "SELECT DISTINCT cost FROM capacity_hours FINAL WHERE pool = 'db' AND hour < toDateTime('2026-11-21 00:00:00', 'UTC')"
    assert [row["cost"] for row in ledger.store.query(asked)] == [Decimal("0.008")]


def test_all_of_it_is_what_a_recomputation_gives(ledger):
    assert ledger.rollup.verify().verified["differences"] == []


def test_focus_bills_in_the_currency_of_the_book_and_tells_in_which_was_promised(ledger):
    export = Export(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), profile="chargeback")
    rows = list(csv.DictReader(io.StringIO(written(Books(ledger.store), export).decode())))
    report = validator.lint_focus_1_4_structure("cost and usage", rows)
    assert ({each["BillingCurrency"] for each in rows}, list(report.violations)) == ({"USD"}, [])
    (booked,) = ledger.store.query("SELECT sum(amount) AS amount FROM tcoai_by_hour FINAL")
    assert sum(Decimal(each["EffectiveCost"]) for each in rows) == round(booked["amount"], 12)
    promised = list(
        csv.DictReader(
            io.StringIO(
                written(Books(ledger.store), Export(export.since, export.until, dataset="contract-commitment")).decode()
            )
        )
    )
    assert list(validator.lint_focus_1_4_structure("contract commitment", promised).violations) == []
    told = [
        (each["ContractCommitmentId"], each["BillingCurrency"], each["PricingCurrency"],
         each["ContractCommitmentCost"], each["PricingCurrencyContractCommitmentCost"])
        for each in promised
    ]  # fmt: skip
    assert [(*names, *(amount and Decimal(amount) for amount in money)) for *names, one, two in told for money in [(one, two)]] == [
        ("prepaid", "USD", "JPY", Decimal("0.64"), 100), ("ptu", "USD", "EUR", "", ""),
    ]  # fmt: skip


def test_a_rate_of_exchange_is_a_change_of_price():
    """`prices diff` and `prices show` have it by the day."""
    book = "version: 1\nfx: {EUR: [{from: 2026-07-01, rate: 1.1}, {from: 2026-08-01, rate: 1.2}]}\nhuman_review: {rate_per_hour: 40, currency: EUR}\n"
    listing = of_catalogue(catalogue.snapshot(), parse(book))
    found = [
        each for each in changes(listing, EPOCH - timedelta(days=365), EPOCH) if each["provider"] == "human_review"
    ]
    assert [(each["valid_from"], each["before"], each["after"]) for each in found] == [
        ("2026-07-01T00:00:00Z", None, "44"), ("2026-08-01T00:00:00Z", "44", "48"),
    ]  # fmt: skip


def test_an_agreement_whose_worth_nobody_knows_is_one_nevertheless():
    """The first rate that names a unit decides, also where it has no price; what is sold as that unit has none either."""
    first = "{model: m, currency: EUR, prices: {input_text: 2}}"
    later = "{model: m, prices: {input_text: 5, output_text: 7}}"
    rates = parse(f"version: 1\nfx: {{EUR: [{{from: 2026-02-01, rate: 1.5}}]}}\nrates: [{first}, {later}]").rates
    before, after = (dict(zip(each.units, each.prices[0], strict=True)) for each in map(row, overlaid((), rates)))
    assert (before.get("input_text"), before["output_text"]) == (None, Decimal("0.000007"))
    assert (after["input_text"], after["output_text"]) == (Decimal("0.000003"), Decimal("0.000007"))


def dated(*rates):
    return "version: 1\nfx:\n  EUR:\n" + "".join(f"  - {{{each}}}\n" for each in rates)


ONCE = dated("from: 2026-02-01, rate: 1.1, to: 2026-03-01")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (dated("from: 2026-02-01, rate: 0"), "Line 4: A rate of 0 makes everything free. Write what 1 of it is in that of the book."),
        (dated("from: 2026-02-01, rate: -1.1"), "Line 4: '-1.1' is no price. Write a decimal number from 0 to 10^6."),
        (dated("from: 2026-02-01, rate: 1.0000000000001"), "Line 4: '1.0000000000001' has more than 12 decimal places. Round it."),
        (dated("rate: 1.1"), "Line 4: The entry 'from' is missing."),
        (dated("from: 2026-02-01T10:30:00Z, rate: 1.1"), "Line 4: `from: 2026-02-01T10:30:00Z` is within an hour. Write a whole one."),
        (dated("from: 2026-02-01, rate: 1.1", "from: 2026-02-01, rate: 1.2"), "Line 5: There are two rates of EUR for 2026-02-01. Let one end where the other begins."),
        (dated("from: 2026-03-01, rate: 1.1", "from: 2026-02-01, to: 2026-03-02, rate: 1.2"), "Line 4: There are two rates of EUR for 2026-03-01. Let one end where the other begins."),
        (dated("from: 2026-02-01, to: 2026-02-20, rate: 1.1", "from: 2026-03-01, rate: 1.2"), "Line 5: Nothing says what 1 EUR is from 2026-02-20 to 2026-03-01. Let one rate end where the next begins."),
        ("version: 1\nfx: {EUR: []}", "Line 2: Nothing says what 1 EUR is. Write `- {from: 2026-01-01, rate: 1.0832}`."),
        ("version: 1\nfx: {USD: [{from: 2026-01-01, rate: 1}]}", "Line 2: 1 USD is 1 USD, the currency of this book. Name another."),
        ("version: 1\nfx: {Euro: [{from: 2026-01-01, rate: 1}]}", "Line 2: 'Euro' is no currency. Write its three letters, such as EUR."),
        ("version: 1\ncurrency: EUR\nfx: {CHF: [{from: 2026-01-01, rate: 1}]}", "Line 2: The catalogue is in USD. Write what 1 USD is in EUR under `fx`."),
        ("version: 1\ncurrency: eur", "Line 2: 'eur' is no currency. Write its three letters, such as EUR."),
        (ONCE + "rates: [{currency: CHF, prices: {input_text: 1}}]", "Line 5: Nothing says what 1 CHF is. Write its rates under `fx`."),
        (ONCE + "rates: [{currency: EUR, prices: {input_text: 1}, from: 2026-01-01}]", "Line 5: Nothing says what 1 EUR is before 2026-02-01. Write a rate for it under `fx`, or let this begin there."),
        (ONCE + "rates: [{currency: EUR, prices: {input_text: 1}, to: 2026-03-01T01:00:00Z}]", "Line 5: Nothing says what 1 EUR is from 2026-03-01 on. Write a rate for it under `fx`, or let this end there."),
        (ONCE + "gpu_pools: [{id: a, hourly_cost: 1, currency: EUR, match: {host: x}}]", "Line 5: Nothing says what 1 EUR is before 2026-02-01. Write `from`, so that nothing is to be paid before."),
        (ONCE + "gpu_pools: [{id: a, hourly_cost: 1, currency: EUR, match: {host: x}, from: 2026-02-01}]", "Line 5: Nothing says what 1 EUR is from 2026-03-01 on. Write `to`, or leave out that of the last rate."),
        (ONCE + "commitments: [{id: a, kind: spend, amount: 1, currency: EUR, settle: month, match: {host: x}, from: 2026-01-01, to: 2026-03-01}]", "Line 5: Nothing says what 1 EUR is before 2026-02-01."),
        (ONCE + "platform: [{id: a, price: 1, currency: EUR, from: 2026-02-01, to: 2026-04-01}]", "Line 5: Nothing says what 1 EUR is from 2026-03-01 on."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_where_it_stands(text, message):
    with pytest.raises(BookError) as refused:
        parse(text)
    assert message in str(refused.value)


digits = st.integers(1, 10**7).map(lambda written: Decimal(written).scaleb(-6))
hours = st.integers(-30, 30)


@settings(max_examples=100, deadline=None)
@given(
    price=digits,
    steps=st.dictionaries(hours, digits, max_size=4),
    first=digits,
    cuts=st.lists(st.integers(0, 48 * 60), max_size=8),
    per=st.sampled_from(["hour", "day", "term"]),
)
def test_the_parts_of_a_fee_add_up_to_what_is_owed_at_each_rate(price, steps, first, cuts, per):
    """However the term is cut, to the eighteenth place."""
    since, until = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)
    rates = {-1000: first} | steps
    worth = Currency("EUR", tuple((since + timedelta(hours=at), rates[at]) for at in sorted(rates)))
    one = Commitment("c", "spend", price, per, "hour", since, until, currency=worth)
    edges = sorted({since, until, *(since + timedelta(minutes=cut) for cut in cuts)})
    parts = sum((one.fee(begin, end) for begin, end in pairwise(edges)), Decimal(0))
    starts = {"hour": range(48), "day": (0, 24), "term": (0,)}[per]
    owed = sum(price * rates[max(at for at in rates if at <= start)] for start in starts)
    assert parts == owed


call = st.fixed_dictionaries({
    "at": st.integers(-20 * HOUR, 20 * HOUR),
    "model": st.sampled_from(["eur", "chf", "usd"]),
    "tokens": st.dictionaries(st.sampled_from(["input_text", "output_text"]), st.integers(1, 10**7), min_size=1),
})  # fmt: skip
book = st.fixed_dictionaries({
    "fx": st.dictionaries(hours, digits, min_size=1, max_size=4),
    "chf": digits,
    "price": digits,
    "hourly": digits,
    "monthly": digits,
    "attention": digits,
})  # fmt: skip


def eighteen(exact):
    return Fraction(round(exact * 10**18), 10**18)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=book, calls=st.lists(call, min_size=10, max_size=10), review=st.integers(1, 9_000))
def test_the_lines_add_up_to_what_anybody_works_out(fresh_ledger, said, calls, review):
    """Prices, attention, capacity and fixed costs of any book, worked out again in fractions."""
    ledger = fresh_ledger()
    steps = sorted(said["fx"])
    written_fx = "".join(
        f"    - {{from: {(EPOCH + timedelta(hours=at)).isoformat()}, rate: {said['fx'][at]}}}\n" for at in steps
    )
    rates = "".join(
        f"  - {{provider: own, model: {name}, currency: {name.upper()}, prices: {{input_text: {said['price']}, output_text: {said['price'] * 3}}}}}\n"
        for name in ("eur", "chf", "usd")
    )
    began = EPOCH + timedelta(hours=steps[0])
    ledger.priced_by(
        f"version: 1\nfx:\n  EUR:\n{written_fx}  CHF: [{{from: 2026-01-01, rate: {said['chf']}}}]\nrates:\n{rates}"
        f"human_review: {{rate_per_hour: {said['attention']}, currency: CHF}}\n"
        f"gpu_pools: [{{id: h, hourly_cost: {said['hourly']}, currency: EUR, match: {{provider: vllm}}, from: {began.isoformat()}, to: 2026-11-22T10:00:00Z}}]\n"
        f"platform: [{{id: p, price: {said['monthly']}, currency: CHF, allocate: tokens, from: 2026-11-01, to: 2026-12-01}}]\n"
    )

    def rate(at):
        known = [step for step in steps if step * HOUR <= at]
        return Fraction(said["fx"][known[-1]]) if known else None

    expected, unpriced = Fraction(0), 0
    for number, each in enumerate(calls):
        ledger.call(f"t{number}", "a", provider="own", model=each["model"], tokens=each["tokens"], at=each["at"])
        worth = {"eur": rate(each["at"]), "chf": Fraction(said["chf"]), "usd": Fraction(1)}[each["model"]]
        for unit, count in each["tokens"].items():
            price = Fraction(said["price"]) * (3 if unit == "output_text" else 1) / 10**6
            expected += 0 if worth is None else eighteen(price * worth) * count
            unpriced += worth is None
    ledger.review("t0", "r", "a", active=review)
    ledger.span("later", "x", at=50 * HOUR)
    ledger.tick()
    expected += eighteen(eighteen(Fraction(said["attention"]) * Fraction(said["chf"])) * review / HOUR)
    expected += sum(eighteen(Fraction(said["hourly"]) * rate(at * HOUR)) for at in range(steps[0], 48))
    # The month up to the end of the last span, a second after noon of November 22: of all of its 30 days.
    month = eighteen(Fraction(said["monthly"]) * Fraction(said["chf"]))
    expected += eighteen(month * ((21 * 24 + 12) * HOUR + 1) / (30 * 24 * HOUR))
    (found,) = ledger.store.query("SELECT sum(amount) AS total, countIf(isNull(amount)) AS missing FROM cost_lines")
    (summed,) = ledger.store.query("SELECT sum(amount) AS total FROM tcoai_by_hour FINAL")
    assert (Fraction(found["total"]), found["missing"]) == (expected, unpriced)
    assert summed["total"] == found["total"]
