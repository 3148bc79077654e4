"""What work achieved, listed for people and for programs, by a store and by a collector."""

import csv
import json
import re

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

BOOK = "version: 1\nrates: [{provider: openai, model: half, prices: {input_text: 0.5}}]"


def work(ledger, team, trace, status, *values, days=30.0, model="half", tokens=1_000_000, **said):
    """A request of so many days ago, and what it achieved."""
    at = ledger.ago(days)
    tags = {"tokentrace.attribution.team": team}
    ledger.span(trace, "root", at=at, said=tags | said)
    ledger.call(trace, "c", "root", at=at, model=model, tokens={"input_text": tokens}, said=tags)
    told = dict(zip(("value", "currency"), values, strict=False))
    told = {f"tokentrace.outcome.{name}": value for name, value in told.items()}
    told |= {"tokentrace.report": "outcome", "tokentrace.outcome.status": status}
    if status:
        ledger.span(trace, "o", "unknown", at=at + 5, seconds=0, said=told)


def fill(ledger):
    ledger.priced_by(BOOK)
    work(ledger, "search", "a", "success", "3", "USD")
    work(ledger, "search", "b", "success", "3", "USD")
    work(ledger, "search", "c", "failure")
    work(ledger, "search", "d", "")
    work(ledger, "search", "young", "success", days=2)
    unit = {"tokentrace.work_unit.id": "ticket"}
    work(ledger, "=legal\x1b[31m", "first", "failure", days=31, **unit)
    work(ledger, "=legal\x1b[31m", "then", "", "9", "EUR", days=30, **unit)
    work(ledger, "=legal\x1b[31m", "abroad", "success", "9", "EUR", model="nobody's")
    ledger.tick()
    return ledger


def run(*arguments, width=200):
    return CliRunner().invoke(tokentrace, ["outcomes", *arguments], env={"COLUMNS": str(width)})


def cells(line):
    return re.split("  +", line.strip())


@pytest.mark.parametrize("way", ["store", "collector"])
def test_it_is_listed_for_people_and_for_programs(ledger, led, way):
    """Ranges over what nobody has told, lower bounds and what is left out marked as such."""
    fill(ledger)
    with led(ledger.store, way) as options:
        drawn = run("--by", "team", "--fallback-cost", "1", *options)
        told = [json.loads(line) for line in run("--json", "--by", "team", *options).stdout.splitlines()]
        table = list(csv.DictReader(run("--csv", "--by", "team", *options).stdout.splitlines()))
        narrow = run("--by", "team", *options, width=80).stdout.splitlines()
    head, legal, search = map(cells, drawn.stdout.splitlines())
    assert head == [
        "team", "work", "succeeded", "failed", "unknown", "cost", "rework", "success", "per success", "with people",
        "value", "ROI", "pays from", "value per 1M",
    ]  # fmt: skip
    assert legal == [
        "=legal", "2", "1", "0", "1", "≥ $1.0000", "≥ $0.5000", "50.0% - 100.0%", "≥ $0.5000 - $1.0000",
        "≥ $0.5000 - $1.0000",
    ]  # fmt: skip
    assert search == [
        "search", "4", "2", "1", "1", "$2.0000", "50.0% - 75.0%", "$0.6667 - $1.0000", "$0.7500 - $1.0000",
        "$6.0000", "2.00 - 3.50", "16.7%", "$1.5000",
    ]  # fmt: skip
    assert "Not among them, for outcomes may still come: 1 that began on 20" in drawn.stderr
    assert "In no value: 9 EUR. Nobody says what that was in USD; write rates under `fx`" in drawn.stderr
    assert [each["everything"]["pieces"]["all"] for each in told] == [2, 5]
    assert [(each["team"], each["all"], each["cost_per_outcome_high"], each["not_matured"]) for each in table] == [
        ("'=legal", "2", "1", "0"), ("search", "4", "1", "1"),
    ]  # fmt: skip
    # What a success costs is what a small screen keeps.
    assert ["per success" in narrow[0], "unknown" in narrow[0], "ROI" in narrow[0]] == [True, True, False]


def test_what_has_no_success_yet_costs_at_least_so_much(ledger, led):
    ledger.priced_by(BOOK)
    work(ledger, "new", "a", "")
    work(ledger, "vain", "b", "failure")
    ledger.tick()
    with led(ledger.store, "store") as options:
        _, new, vain = map(cells, run("--by", "team", *options).stdout.splitlines())
    assert (new[-2:], vain[-1]) == (["0.0% - 100.0%", "≥ $0.5000"], "0.0%")


def test_where_nothing_is_matured_it_says_how_to_see_it(ledger, led):
    ledger.priced_by(BOOK)
    work(ledger, "new", "a", "success", days=0)
    ledger.tick()
    with led(ledger.store, "store") as options:
        waits, all_of_it = run(*options), run("--mature", "0", *options)
    assert (waits.exit_code, waits.stdout, "0 waits for none" in waits.stderr) == (0, "", True)
    assert (cells(all_of_it.stdout.splitlines()[1])[:2], all_of_it.stderr) == (["1", "1"], "")


def test_without_any_work_it_says_what_may_be_missing(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer, refused = run(*options), run("--csv", "--json", *options)
    assert (answer.exit_code, answer.stdout, "instrumented" in answer.stderr) == (0, "", True)
    assert (refused.exit_code, "exclude each other" in refused.stderr) == (2, True)
