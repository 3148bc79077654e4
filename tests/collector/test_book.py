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
        ("version: 1\ncurrency: EUR", "Line 2: Amounts are in USD, the currency of the catalogue; write `currency: USD`."),
        ("version: 1\nrate: []", "Line 2: There is no entry 'rate' here. Known: commitments, currency, gpu_pools, human_review, rates, trust_reported, version."),
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
