"""The price book: read exactly, refused with the line, the value and what to do."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tokentrace_collector.prices.book import Book, BookError, parse, read

WHOLE = """
version: 1
currency: USD
rates:
  - provider: openai
    model: gpt-6*
    from: 2026-07-01
    to: 2027-07-01T00:00:00+02:00
    prices: {input_text: 1.75, web_search: 0.008}
human_review:
  rate_per_hour: 45.10
  roles: {lawyer: 300}
gpu_pools:
  - id: h200
    hourly_cost: 11.268597260273972603
    match: {provider: vllm, host: "*.internal"}
    weights: {input: 0.08, cached: 0.008, output: 1}
    capacity: 18000
trust_reported: []
"""


def test_a_book_keeps_every_digit_that_was_written():
    """No number passes through a float."""
    book = parse(WHOLE)
    (rate,), (pool,) = book.rates, book.pools
    assert rate.prices == {"input_text": Decimal("0.00000175"), "web_search": Decimal("0.008")}
    assert (rate.since, rate.until) == (datetime(2026, 7, 1, tzinfo=UTC), datetime(2027, 6, 30, 22, tzinfo=UTC))
    assert (book.review_rate, dict(book.review_roles)) == (Decimal("45.10"), {"lawyer": Decimal(300)})
    assert (pool.hourly_cost, pool.cached, pool.capacity) == (
        Decimal("11.268597260273972603"),
        Decimal("0.008"),
        Decimal(18000),
    )


def test_without_a_book_nothing_is_assumed():
    """No rate of review, no pool; an empty file says as little."""
    assert (parse("").review_rate, parse("").pools, Book().rates) == (None, (), ())


def test_two_books_of_one_text_are_one():
    """The name follows from the text."""
    assert (parse(WHOLE).sha == parse(WHOLE).sha, parse(WHOLE).sha == parse(WHOLE + "\n").sha) == (True, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rates: []", "Line 1: The entry 'version' is missing."),
        ("version: 2", "Line 1: This collector reads `version: 1`."),
        ("version: 1\ncurrency: EUR", "Line 2: The catalogue is in USD. Write what 1 USD is in EUR under `fx`."),
        ("version: 1\nrate: []", "Line 2: There is no entry 'rate' here. Known: aliases, commitments, currency, fx, gpu_pools, human_review, payments, platform, rates, rules, trust_reported, version."),
        ("version: 1\nrates:\n  - {prices: {input_txt: 1}}", "Line 3: 'input_txt' is no bucket or meter. Use one of audio_seconds, cache_read,"),
        ("version: 1\nrates:\n  - {prices: {input_text: cheap}}", "Line 3: 'cheap' is no decimal number."),
        ("version: 1\nrates:\n  - {prices: {input_text: -1}}", "Line 3: '-1' is no price. Write a decimal number from 0 to 10^9."),
        ("version: 1\nrates:\n  - {prices: {input_text: 0.0000000000001}}", "has more than 12 decimal places. Round it."),
        ("version: 1\nrates:\n  - {prices: {}}", "Line 3: A rate without prices changes nothing. Name a bucket or meter."),
        ("version: 1\nrates:\n  - {from: soon, prices: {input_text: 1}}", "Line 3: 'soon' is no date. Write 2026-07-01 or 2026-07-01T00:00:00Z."),
        ("version: 1\nrates:\n  - {from: 2026-02-01, to: 2026-01-01, prices: {input_text: 1}}", "Line 3: `to: 2026-01-01` does not lie after `from`."),
        ("version: 1\ngpu_pools:\n  - {id: a, hourly_cost: 1, match: {}}", "Line 3: A pool that matches everything serves nothing. Name a provider, model or host."),
        ("version: 1\ngpu_pools:\n  - {id: a, hourly_cost: 1, match: {host: x}}\n  - {id: a, hourly_cost: 1, match: {host: y}}", "Line 4: There are two pools 'a'. Give each its own id."),
        ("version: 1\ngpu_pools:\n  - {id: a, hourly_cost: 1, match: {host: x}, capacity: 0}", "Line 3: A capacity of 0 serves nothing. Leave it out to charge by busy time."),
        ("version: 1\ngpu_pools:\n  - {id: a, hourly_cost: 1, match: {host: x}, from: 1969-12-31}", "Line 3: `from: 1969-12-31` is out of reach. Write a time from 1971 to 2100."),
        ("version: 1\ngpu_pools:\n  - {id: a, match: {host: x}}", "Line 3: Nothing says what an hour of this pool costs. Write `hourly_cost`, or its parts under `hourly`."),
        ("version: 1\nhuman_review: 45", "Line 2: Here belong entries of the form `name: value`."),
        ("version: 1\nrates: {}", "Line 2: Here belongs a list: one `- …` per entry."),
        ("version: 1\nversion: 1", "Line 2: The entry 'version' stands here twice."),
        ("version: [", "This is not YAML:"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_where_it_stands(text, message):
    """A wrong price costs more than a refused book."""
    with pytest.raises(BookError) as refused:
        parse(text)
    assert str(refused.value).startswith("The price book cannot be used. ")
    assert message in str(refused.value)


def of_parts(parts, more=""):
    return f"version: 1\ngpu_pools:\n  - {{id: a, match: {{host: x}}{more},\n     hourly: {{{parts}}}}}\n"


MACHINE = "capex: 300000, residual: 0.15, years: 4, kw: 10.2, pue: 1.3, kwh: 0.12, ops: 2.40"


@pytest.mark.parametrize(
    ("parts", "cost", "kilowatts"),
    [
        (MACHINE, "11.268597260273972603", "13.26"),
        ("rental: 20.5", "20.5", None),
        ("rental: 20.5, kw: 0.7", "20.5", "0.7"),
        ("capex: 8760, years: 1.5", "0.666666666666666667", None),
        ("capex: 0, years: 3, ops: 1", "1", None),
        (MACHINE.replace("kw", "wacc: 0, kw", 1), "11.268597260273972603", "13.26"),
        (MACHINE.replace("kw", "wacc: 0.08, kw", 1), "13.190949444723747146", "13.26"),
        ("capex: 8760, years: 1, wacc: 0.1", "1.1", None),
        ("kw: 0.000001, pue: 1.000001, kwh: 0.000001", "0.000000000001000001", "0.000001000001"),
        ("capex: 0.00000000000000876, years: 2", "0", None),
        ("capex: 0.00000000000002628, years: 2", "0.000000000000000002", None),
    ],
)
def test_an_hour_is_the_sum_of_its_parts_rounded_once(parts, cost, kilowatts):
    """T5 of the method, and ties to even; power is known where it is stated, paid for by itself or not."""
    (pool,) = parse(of_parts(parts)).pools
    assert (pool.hourly_cost, pool.kilowatts) == (Decimal(cost), None if kilowatts is None else Decimal(kilowatts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (of_parts("rental: 1", ", hourly_cost: 3"), "Line 4: An hour costs `hourly_cost: 3` already. Leave out that, or `hourly`."),
        (of_parts(""), "Line 4: Nothing here costs anything. Write one of capex, rental, ops, kwh."),
        (of_parts("kw: 10"), "Line 4: Nothing here costs anything. Write one of capex, rental, ops, kwh."),
        (of_parts("rent: 10"), "Line 4: There is no entry 'rent' here. Known: capex, kw, kwh, ops, pue, rental, residual, wacc, years."),
        (of_parts("capex: 10"), "Line 4: `capex` says nothing without `years`. Write both, or neither."),
        (of_parts("rental: 1, years: 4"), "Line 4: `years` says nothing without `capex`. Write both, or neither."),
        (of_parts("rental: 1, residual: 0.1"), "Line 4: `residual` says nothing without `capex`. Write both, or neither."),
        (of_parts("rental: 1, wacc: 0.1"), "Line 4: `wacc` says nothing without `capex`. Write both, or neither."),
        (of_parts("capex: 9, years: 1, wacc: 8"), "Line 4: A cost of capital of 8 is more than all of it each year. Write 0.08 for 8 %."),
        (of_parts("capex: 9, years: 101, wacc: 0.1"), "Line 4: In 101 years nobody's capital is tied up. Write at most 100 with `wacc`."),
        (of_parts("kwh: 0.12"), "Line 4: `kwh` says nothing without `kw`. Write both, or neither."),
        (of_parts("ops: 1, pue: 1.2"), "Line 4: `pue` says nothing without `kw`. Write both, or neither."),
        (of_parts("capex: 9, years: 0"), "Line 4: In 0 years nothing is written off. Write for how many years it is used."),
        (of_parts("capex: 9, years: 1, residual: 15"), "Line 4: A residual of 15 is more than was paid. Write 0.15 for 15 % of `capex`."),
        (of_parts("rental: 9, kw: 1, pue: 0.3"), "Line 4: A PUE of 0.3 is less power than the machines take. Write 1.3 for 30 % on top."),
        (of_parts("rental: -2"), "Line 4: '-2' is no price. Write a decimal number from 0 to 10^9."),
        (of_parts("rental: 1, kw: 0.0000001"), "Line 4: '0.0000001' has more than 6 decimal places. Round it."),
        (of_parts("kw: 900000000, kwh: 2"), "Line 4: An hour would cost 1800000000.000000000000000000. Write parts that come to less than 10^9."),
        (of_parts("rental: 1", ", grid_g_per_kwh: 380"), "Line 3: `grid_g_per_kwh: 380` says nothing of a pool of unknown power. Write `kw` under `hourly`."),
        (of_parts("3"), "Line 4: There is no entry '3' here."),
    ],
)  # fmt: skip
def test_parts_of_an_hour_that_cannot_be_meant_are_refused_where_they_stand(text, message):
    with pytest.raises(BookError) as refused:
        parse(text)
    assert message in str(refused.value)


def test_a_book_that_is_not_there_is_named(tmp_path):
    """With its path and the reason."""
    with pytest.raises(BookError, match=r"The price book '.*/none\.yaml' cannot be read: .*No such file"):
        read(tmp_path / "none.yaml")


def test_prices_hold_from_their_day_to_their_last(ledger):
    """Before and after, the catalogue's; a unit the book does not name keeps the catalogue's price throughout."""
    ledger.priced_by(
        "version: 1\nrates: [{model: gpt-6-sol, from: 2026-11-20T10:00:00Z, to: 2026-11-20T11:00:00Z, prices: {input_text: 1}}]"
    )
    for span, at in (("before", -1), ("during", 0), ("after", 3_600)):
        ledger.call("t", span, tokens={"input_text": 1_000, "cache_read": 1_000}, at=at)
    ledger.tick()
    costs = {span: ledger.call_cost("t", span)["total"] for span in ("before", "during", "after")}
    assert costs == {"before": Decimal("0.0022"), "during": Decimal("0.0012"), "after": Decimal("0.0022")}


def test_a_book_prices_what_no_catalogue_knows(ledger):
    """Reasoning is sold as output, and a cache that has no price of its own as input."""
    ledger.priced_by("version: 1\nrates: [{provider: vllm, prices: {input_text: 1, output_text: 4}}]")
    ledger.call("t", "a", provider="vllm", model="own", tokens={"output_reasoning": 1_000, "cache_read": 1_000})
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], sorted(cost["lines.status"])) == (Decimal("0.005"), ["fallback", "priced"])


PROMISE = "id: c, kind: usage, settle: hour, price: 1, quantity: 9, weights: {input: 1}, match: {provider: x}, from: 2026-01-01, to: 2026-02-01"


def promised(old="", new="", *more):
    text = PROMISE.replace(old, new) if old else PROMISE
    return "version: 1\ncommitments:\n" + "".join(f"  - {{{each}}}\n" for each in (text, *more))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (promised("", "", PROMISE), "Line 4: There are two commitments 'c'. Give each its own id."),
        (promised("hour", "week"), "Line 3: 'week' is not known here. Write one of minute, hour, day, month, term."),
        (promised("to: 2026-02-01", "to: 9999-12-31"), "Line 3: `to: 9999-12-31` is out of reach. Write a time from 1971 to 2100."),
        (promised("to: 2026-02-01", "to: 2025-02-01"), "Line 3: `to: 2025-02-01` does not lie after `from`."),
        (promised("input: 1", "inputs: 1"), "Line 3: 'inputs' is no bucket or meter. Use one of output, cached, input, audio_seconds"),
        (promised("input: 1", "input: 0"), "Line 3: Nothing here takes capacity. Give a bucket or meter a weight above 0."),
        (promised("usage", "credit"), "Line 3: 'credit' is not known here. Write one of usage, spend."),
        (promised("kind: usage", "kind: usage, discount: 0.1"), "Line 3: A commitment of usage has no 'discount'. Known: price, quantity,"),
        (promised("price: 1, ", ""), "Line 3: A commitment of usage needs the entry 'price'."),
        (promised("quantity: 9", "quantity: 0"), "Line 3: A quantity of 0 covers nothing. Write the units of one settlement period."),
        (promised("match: {provider: x}", "match: {}"), "Line 3: A commitment to everybody covers nothing. Name a provider, model or host."),
        (promised("id: c", "id: c, time_zone: Mars/Base"), "Line 3: There is no time zone 'Mars/Base'. Write one such as America/Los_Angeles."),
        (promised("hour", "month").replace("2026-01-01", "2025-12-31"), "Line 3: A month in UTC is cut in two. Let the term begin and end where a month does."),
        (promised("hour", "day").replace("id: c", "id: c, time_zone: Asia/Kolkata"), "Line 3: Figures are of whole hours (UTC), and a day in Asia/Kolkata begins within one."),
        (promised("from: 2026-01-01", "from: 2026-01-01T00:30:00"), "Line 3: The term begins or ends within an hour. Write whole hours."),
        (promised("id: c", "id: c, scheme: steep"), "Line 3: 'steep' is not known here. Write one of take_or_pay, linear."),
        (
            "version: 1\ncommitments:\n  - {id: s, kind: spend, settle: term, amount: 1, discount: 1.5, match: {provider: x}, from: 2026-01-01, to: 2026-02-01}",
            "Line 3: A discount of 1.5 pays for being used. Write 0.2 for 20 %.",
        ),
        (promised() + "gpu_pools: [{id: c, hourly_cost: 1, match: {host: h}}]", "Line 3: 'c' is a pool already. Give each commitment its own id."),
    ],
)  # fmt: skip
def test_a_commitment_that_cannot_be_meant_is_refused_where_it_stands(text, message):
    with pytest.raises(BookError) as refused:
        parse(text)
    assert message in str(refused.value)


def test_parts_of_a_term_cost_what_the_term_costs():
    """A month's fee, by the hour, over a month in which the clocks change."""
    (one,) = parse(
        promised("price: 1", "price: {amount: 100, per: month}, time_zone: America/Los_Angeles")
        .replace("2026-01-01", "2026-11-01")
        .replace("2026-02-01", "2026-12-01")
    ).commitments
    hours = list(one.pots(one.since, one.until))
    assert (len(hours), sum(one.fee(*each) for each in hours)) == (721, 100)


def test_capacity_is_used_before_spending_and_what_ends_first_before_the_rest():
    later = PROMISE.replace("id: c", "id: b").replace("2026-02-01", "2026-03-01")
    spend = "id: a, kind: spend, settle: term, amount: 1, match: {provider: x}, from: 2026-01-01, to: 2026-01-02"
    assert [each.id for each in parse(promised("", "", spend, later)).commitments] == ["c", "b", "a"]
