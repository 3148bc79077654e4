"""`tokentrace commitments`: for people on a small screen, and for programs."""

import json
import re

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

BOOK = """
version: 1
rates: [{provider: p, model: m, prices: {input_text: 2000}}]
commitments:
  - {id: reserved, kind: usage, settle: term, price: 7200, quantity: 6000000, weights: {input: 1}, match: {provider: p},
     from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00}
"""


def run(*arguments, columns=100):
    return CliRunner().invoke(tokentrace, ["commitments", *arguments], env={"COLUMNS": str(columns)})


def fill(ledger, thousands, *, later=True):
    ledger.priced_by(BOOK)
    ledger.call("t", "a", provider="p", model="m", role="answer", tokens={"input_text": thousands * 1_000})
    if later:
        ledger.span("later", "x", at=2 * 3600)
    ledger.tick()


@pytest.mark.parametrize("way", ["store", "collector"])
def test_it_is_listed_for_people_and_for_programs(ledger, led, way):
    """T3 of the method at a use of 80 %."""
    fill(ledger, 4_800)
    with led(ledger.store, way) as options:
        header, row = run(*options).stdout.splitlines()
        (told,) = [json.loads(line) for line in run("--json", "--per", "period", *options).stdout.splitlines()]
    assert re.split("  +", header) == [
        "commitment", "since", "fee", "used", "unused", "use", "pays from", "saving",
    ]  # fmt: skip
    assert row.split() == [
        "reserved", "2026-11-20", "10:00", "7,200.00", "5,760.00", "1,440.00", "80.0%", "60.0%", "2,400.00",
    ]  # fmt: skip
    assert (told["rate_full"], told["rate_effective"], told["saving"]) == ("0.0012", "0.0015", "2400")


@pytest.mark.parametrize(
    ("thousands", "later", "told"),
    [
        (7_500, True, ["2026-11-20 10:00", "0.00", "3,000.00", "100.0%", "60.0%", "4,800.00"]),
        (3_000, False, ["2026-11-20 10:00", "0.00", "3,600.00", "50.0%", "60.0%", "-1,200.00"]),
    ],
    ids=["beyond", "at risk"],
)
def test_a_small_screen_does_without_what_follows_from_the_rest(ledger, led, thousands, later, told):
    """And never cuts a figure off."""
    fill(ledger, thousands, later=later)
    with led(ledger.store, "store") as options:
        header, row = run(*options, columns=80).stdout.splitlines()
    assert re.split("  +", row)[1:] == told
    assert "used" not in re.split("  +", header)
    assert max(map(len, (header, row))) <= 80


def test_a_store_without_commitments_says_what_is_missing(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run(*options)
    assert (answer.exit_code, answer.stdout, "`commitments`" in answer.stderr) == (0, "", True)
