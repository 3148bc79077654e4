"""The invoice: what an independent simulator bills by provider and month is what was recorded, and what the FOCUS file says.

Tiers by the size of a request, free quotas by the day of the provider, other currencies, keys of one's own at a reseller, streams
that were cancelled and requests that failed; over the end of a month and of daylight saving time (the method, §4.8, 10).
"""

import csv
import io
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot

from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.tenants import Books

EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)
BEGIN = datetime(2026, 10, 30, tzinfo=UTC)
HOURS = 4 * 24
MONTHS = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
ZONE = ZoneInfo("America/Los_Angeles")
FREE, SEARCH = 3, Fraction(1, 100)
EURO = {10: Fraction("1.0832"), 11: Fraction("1.0791")}
INPUT, OUTPUT = Fraction("1.8"), Fraction("5.4")
TIERED = "gemini-2.5-pro"
BOOK = f"""
version: 1
fx: {{EUR: [{{from: 2026-10-01, rate: 1.0832}}, {{from: 2026-11-01, rate: 1.0791}}]}}
rates:
  - {{provider: mistral_ai, currency: EUR, from: 2026-10-01, prices: {{input_text: 1.8, output_text: 5.4}}}}
  - {{provider: searcher, prices: {{web_search: 0.01}}}}
commitments:
  - {{id: free, kind: usage, settle: day, time_zone: {ZONE.key}, price: 0, quantity: {FREE}, weights: {{web_search: 1}},
     match: {{provider: searcher}}, from: 2026-10-01, to: 2026-12-01}}
"""
SOLD_BY = {"Google": "gcp.gemini", "Mistral AI": "mistral_ai", "OpenRouter": "openrouter", "searcher": "searcher"}


def drawn(seed):
    """Calls over four days, most of them around midnight in one place or the other."""
    chance = random.Random(seed)
    for number in range(60):
        hour = chance.choice((chance.randrange(HOURS), 2 * 24 + chance.choice((-1, 0, 6, 7)), 3 * 24 + 7))
        at = BEGIN + timedelta(hours=hour, seconds=chance.randrange(3_600))
        tokens = {
            "input_text": chance.choice((10, 90_000, 200_000, 200_001, 400_000)),
            "output_text": chance.randrange(1, 900),
        }
        end = chance.choice(("complete", "complete", "cancelled", "refused"))
        yield number, at, chance.choice(list(SOLD_BY.values())), tokens, chance.randrange(1, 3), end


def billed(calls):
    """By provider and month, exactly: what each sends a bill for."""
    owed = defaultdict(Fraction)
    searches = defaultdict(list)
    (google,) = (each for each in get_snapshot().providers if each.id == "google")
    for _, at, provider, tokens, count, end in calls:
        if end == "refused":
            continue
        match provider:
            case "gcp.gemini":
                said = genai_prices.Usage(input_tokens=tokens["input_text"], output_tokens=tokens["output_text"])
                price = google.find_model(TIERED).calc_price(said, google, genai_request_timestamp=at).total_price
                owed[provider, at.month] += Fraction(price)
            case "mistral_ai":
                euros = tokens["input_text"] * INPUT + tokens["output_text"] * OUTPUT
                owed[provider, at.month] += euros * EURO[at.month] / 1_000_000
            case "openrouter":
                owed[provider, at.month] += Fraction(reported(tokens))
            case _:
                searches[at.astimezone(ZONE).date()] += [at.month] * count
    for months in searches.values():
        for month in months:
            owed["searcher", month] += SEARCH * max(0, len(months) - FREE) / len(months)
    return owed


def reported(tokens):
    """What the reseller took, and the provider on top, with whom the key was one's own."""
    return Decimal(tokens["output_text"]) / 10_000


def put(ledger, seed, calls):
    for number, at, provider, tokens, count, end in calls:
        call = {"provider": provider, "model": "m", "at": (at - EPOCH).total_seconds(), "role": "answer", "said": {}}
        if end == "refused":
            call |= {"failed": True, "said": {"tokentrace.usage.source": "missing", "http.response.status_code": 429}}
            call["attempts"] = [{"http.response.status_code": 429, "tokentrace.attempt.billable": "false"}]
        elif provider == "searcher":
            call["meters"] = {"web_search": count}
        else:
            call["tokens"] = tokens
        if end == "cancelled":
            call["said"] = {"tokentrace.stream.end": "cancelled"}
        if provider == "gcp.gemini":
            call["model"] = TIERED
        if provider == "openrouter" and end != "refused":
            call["said"] |= {"tokentrace.cost.reported": reported(tokens), "tokentrace.cost.reporter": "openrouter"}
        ledger.call(f"{seed}-{number:02}", "a", **call)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_recorded_is_what_is_billed(fresh_ledger, seed):
    """To the cent, and before that to the last digits that are kept."""
    calls = list(drawn(seed))
    ledger = fresh_ledger().priced_by(BOOK)
    put(ledger, seed, calls)
    ledger.span("later", "x", at=30 * 86_400)
    ledger.tick()
    owed = billed(calls)
    captured = {
        (row["provider"], row["month"]): row["amount"]
        for row in ledger.store.query(
            "SELECT provider, toMonth(hour) AS month, sum(amount) AS amount FROM cost_lines GROUP BY provider, month"
        )
        if row["amount"]
    }
    assert captured.keys() == {each for each, amount in owed.items() if amount}
    for each, amount in captured.items():
        # Each line is rounded once, at the eighteenth place.
        assert abs(Fraction(amount) - owed[each]) <= len(calls) * Fraction(1, 10**18)
    for begin, end in pairwise(MONTHS):
        file = csv.DictReader(io.StringIO(written(Books(ledger.store), Export(begin, end)).decode()))
        filed = defaultdict(Decimal)
        for row in file:
            filed[SOLD_BY[row["ServiceProviderName"]]] += Decimal(row["BilledCost"])
        for provider, amount in filed.items():
            invoiced = round(owed[provider, begin.month], 2)
            assert round(Fraction(amount), 2) == invoiced
            assert abs(Fraction(amount) - Fraction(captured.get((provider, begin.month), 0))) <= Fraction(1, 10**12)
        assert {provider for provider, month in captured if month == begin.month} <= filed.keys()
