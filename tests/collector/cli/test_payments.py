"""`tokentrace payments`: for people, and for programs."""

import json

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

BOOK = """
version: 1
fx: {EUR: [{from: 2026-01-01, rate: 1.2}]}
rates: [{provider: p, currency: EUR, prices: {input_text: 2}}]
payments: [{provider: p, month: 2026-11, currency: EUR, rate: 1.08}]
"""


def run(*arguments):
    return CliRunner().invoke(tokentrace, ["payments", *arguments], env={"COLUMNS": "140"})


@pytest.mark.parametrize("way", ["store", "collector"])
def test_it_is_listed_for_people_and_for_programs(ledger, led, way):
    ledger.priced_by(BOOK)
    ledger.call("t", "a", provider="p", model="m", tokens={"input_text": 10**6})
    ledger.call("u", "a", provider="p", model="m", meters={"web_search": 1})
    ledger.tick()
    with led(ledger.store, way) as options:
        header, row = run(*options).stdout.splitlines()
        (told,) = [json.loads(line) for line in run("--json", "--since", "2026-11-01", *options).stdout.splitlines()]
        assert run("--json", "--until", "2026-11-01", *options).stdout == ""
    assert header.split() == ["provider", "month", "invoiced", "rate", "charged", "paid", "difference"]
    # A search has no price: there is more on the invoice.
    assert row.split() == ["p", "2026-11", "≥", "€2.0000", "1.08", "≥", "$2.4000", "≥", "$2.1600", "-$0.2400"]
    assert told == {
        "provider": "p", "month": "2026-11", "currency": "EUR", "invoiced": "2", "rate": "1.08", "charge_currency": "USD",
        "charged": "2.4", "paid": "2.16", "difference": "-0.24", "other": "0", "lines": {"known": 1, "of": 2},
    }  # fmt: skip


def test_a_book_without_payments_says_what_is_missing(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run(*options)
    assert (answer.exit_code, answer.stdout, "`payments`" in answer.stderr) == (0, "", True)
