"""A trial of other prices says what they would make of the books, whether it has to read spans for that or not."""

from decimal import Decimal

import pytest
from charged import charges

from tokentrace_collector.prices.book import parse
from tokentrace_collector.rollup.orders import Repricing

OWN = "version: 1\ntrust_reported: [nobody]\nhuman_review: {rate_per_hour: 45}\n"
DEARER = OWN + 'rates: [{provider: openai, model: "gpt-6*", prices: {input_text: 9, output_text: 40, web_search: 7}}]\n'
STEPPED = (
    OWN.replace("45", "60")
    + "rates: [{provider: openai, model: none-such, prices: {input_text: 1.25, output_reasoning: 5}}]\n"
)
TERM = "from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00, match: {provider: openai, model: gpt-5}"
POOLED = OWN + f"gpu_pools: [{{id: h, hourly_cost: 2, {TERM}}}]\n"
COMMITTED = OWN + f"commitments: [{{id: c, kind: spend, settle: term, amount: 10, discount: 0.2, {TERM}}}]\n"
WITH_FEES = OWN + "rates: [{provider: openai, model: gpt-5, prices: {input_text: 2, requests: 1000}}]\n"
TRUSTING = "version: 1\ntrust_reported: [openrouter]\n"


@pytest.fixture(scope="module")
def books(fresh_ledger):
    ledger = fresh_ledger()
    charges(ledger)
    charges(ledger, at=86_400)
    return ledger


def said(found):
    return {(each["by"], each["name"]): (Decimal(each["after"]), each["unpriced_after"]) for each in found}


def booked(ledger):
    """What the books hold, by what a trial tells of them."""
    rows = ledger.store.query(
        """
        SELECT place.1 AS by, place.2 AS name, sum(ifNull(amount, 0)) AS after, sumIf(lines, isNull(amount)) AS unpriced_after
        FROM tcoai_by_hour FINAL
        ARRAY JOIN [('all', ''), ('model', toString(model)), ('team', toString(team))] AS place
        WHERE rating_run = (SELECT value FROM rollup_state FINAL WHERE name = 'rating_run')
        GROUP BY by, name
        """
    )
    return said(rows)


@pytest.mark.parametrize("prices", [OWN, DEARER, STEPPED, POOLED, COMMITTED])
def test_it_needs_no_spans_where_prices_make_no_lines(books, prices):
    """Without any, it says what adopting these prices then gives."""
    books.priced_by(OWN).tick()
    books.store.run("ALTER TABLE llm_calls DETACH PARTITION ALL")
    tried = books.rollup.reprice(Repricing(parse(prices))).repriced
    books.store.run("ALTER TABLE llm_calls ATTACH PARTITION ALL")
    books.rollup.reprice(Repricing(parse(prices), adopt=True))
    assert said(tried) == booked(books)


@pytest.mark.parametrize(
    ("before", "prices"), [(OWN, WITH_FEES), (WITH_FEES, STEPPED), (OWN, TRUSTING), (TRUSTING, DEARER)]
)
def test_it_reads_the_spans_where_prices_make_lines(books, before, prices):
    """A fee per request is a line of its own, and so may be what a call was said to have cost; then, or in the books."""
    books.priced_by(before).tick()
    tried = books.rollup.reprice(Repricing(parse(prices), adopt=True)).repriced
    assert said(tried) == booked(books)


def test_what_was_rated_before_price_lists_were_remembered_is_read_again(books):
    """A database of an earlier version has not kept which they are."""
    books.priced_by(OWN).tick()
    books.store.run("ALTER TABLE call_costs UPDATE rate_key = 0 WHERE 1 SETTINGS mutations_sync = 2")
    tried = books.rollup.reprice(Repricing(parse(STEPPED), adopt=True)).repriced
    assert said(tried) == booked(books)
