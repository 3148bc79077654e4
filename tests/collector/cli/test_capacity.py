"""What pools of capacity cost, how far they were used and what energy they took, asked of a store and of a collector."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.reports.capacity import Question, capacity
from tokentrace_collector.reports.listing import ListingError
from tokentrace_collector.tenants import Books

HOUR = 3_600
MACHINE = "{capex: 300000, residual: 0.15, years: 4, kw: 10.2, pue: 1.3, kwh: 0.12, ops: 2.40}"
BOOK = """
version: 1
gpu_pools:
  - id: own
    hourly: {machine}
    grid_g_per_kwh: 380
    match: {{provider: vllm}}
    weights: {{input: 0.08, cached: 0.008, output: 1}}
    capacity: 18000
    from: 2026-10-31T22:00:00Z
    to: 2026-11-01T01:00:00Z
  - id: rented
    hourly_cost: 3
    match: {{provider: rented}}
    from: 2026-10-31T22:00:00Z
    to: 2026-10-31T23:00:00Z
  - {{id: theirs, tenant: other, hourly_cost: 5, match: {{provider: vllm}}, from: 2026-10-31T22:00:00Z}}
"""
BEGAN = (datetime(2026, 10, 31, 22, tzinfo=UTC) - datetime(2026, 11, 20, 10, tzinfo=UTC)).total_seconds()


def fill(ledger, machine=MACHINE):
    """The hour of T5 of the method, two hours without a call, and half an hour of a rented machine."""
    ledger.priced_by(BOOK.format(machine=machine))
    for trace, (fresh, cached, out) in {
        "a": (200_000, 1_000_000, 900_000),
        "b": (50_000, 0, 2_000_000),
        "c": (4_000_000, 6_000_000, 1_500_000),
    }.items():
        tokens = {"input_text": fresh, "cache_read": cached, "output_text": out}
        ledger.call(trace, "s", provider="vllm", model="own", role="answer", at=BEGAN, seconds=600, tokens=tokens)
    ledger.call("d", "s", provider="rented", model="own", at=BEGAN, seconds=1_800, tokens={"output_text": 1})
    ledger.span("later", "x", at=BEGAN + 4 * HOUR)
    ledger.tick()
    return ledger


@pytest.fixture(scope="module")
def books(fresh_ledger):
    return Books(fill(fresh_ledger()).store)


def near(text):
    return float(round(Decimal(text), 6))


def test_the_worked_hour_of_the_method(books):
    """T5: an hour of 11.2686 at a use of 7.4 %, and 13.26 kWh of it by the same share."""
    first, *waiting, rented = capacity(books, Question("hour"))
    assert (first["pool"], first["cost"], first["seconds"]) == ("own", "11.268597260273972603", HOUR)
    assert (near(first["used"]), near(first["idle"])) == (0.834015, 10.434582)
    share = Decimal("4.796") / Decimal("64.8")
    assert first["utilisation"] == pytest.approx(float(share))
    # What a million of weighted tokens takes of it in full use, as an API would be compared with, and what it came to.
    assert (first["served"], near(first["rate_full"])) == ("4796000", 0.173898)
    assert near(first["rate_effective"]) == near(Decimal("11.268597260273972603") / Decimal("4.796"))
    assert first["kwh"] == {
        "total": "13.26",
        "used": first["kwh"]["used"],
        "idle": str(Decimal("13.26") - Decimal(first["kwh"]["used"])),
        "basis": "stated_power",
        "hours": {"known": 1, "of": 1},
    }
    assert near(first["kwh"]["used"]) == near(13.26 * float(share))
    assert (first["co2e_grams"]["total"], near(first["co2e_grams"]["used"])) == ("5038.8", near(5038.8 * float(share)))
    assert [(each["used"], each["unallocated"], each["kwh"]["used"]) for each in waiting] == [
        ("0", "11.268597260273972603", "0")
    ] * 2
    assert (rented["pool"], rented["used"], rented["kwh"], rented["co2e_grams"]) == ("rented", "1.5", None, None)


def test_at_a_fifth_of_its_use_a_token_costs_five_times_as_much(fresh_ledger):
    """T5 of the method: 22 % of what the machine can do."""
    ledger = fresh_ledger().priced_by(BOOK.format(machine=MACHINE))
    ledger.call("a", "s", provider="vllm", model="own", at=BEGAN, seconds=600, tokens={"output_text": 14_256_000})
    ledger.span("later", "x", at=BEGAN + 4 * HOUR)
    ledger.tick()
    first, *_ = capacity(Books(ledger.store), Question("hour"))
    assert (first["utilisation"], near(first["rate_effective"])) == (pytest.approx(0.22), 0.790446)


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("day", [("own", "2026-10-31", "26.52"), ("own", "2026-11-01", "13.26"), ("rented", "2026-10-31", None)]),
        ("month", [("own", "2026-10-01", "26.52"), ("own", "2026-11-01", "13.26"), ("rented", "2026-10-01", None)]),
    ],
)
def test_hours_add_up_to_days_and_months_of_utc(books, per, expected):
    found = capacity(books, Question(per))
    energy = [(each["pool"], each["since"][:10], each["kwh"] and each["kwh"]["total"]) for each in found]
    assert energy == expected
    hours = capacity(books, Question("hour"))
    for name in ("cost", "used", "idle", "unallocated"):
        assert sum(Decimal(each[name]) for each in found) == sum(Decimal(each[name]) for each in hours)


def test_a_pool_is_seen_by_whom_it_belongs_to(books):
    assert {each["pool"] for each in capacity(books, Question())} == {"own", "rented"}


def test_a_period_is_of_whole_hours(books):
    asked = Question("hour", datetime(2026, 10, 31, 23, 59, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert [each["since"][:13] for each in capacity(books, asked)] == ["2026-10-31T23"]


def test_an_hour_that_costs_nothing_takes_power(fresh_ledger):
    """How far it worked follows from its calls, not from its cost."""
    ledger = fill(fresh_ledger(), "{capex: 0, years: 1, kw: 2}")
    first, *_ = capacity(Books(ledger.store), Question("hour"))
    assert (first["cost"], first["utilisation"], first["kwh"]["total"]) == ("0", None, "2")
    assert near(first["kwh"]["used"]) == near(2 * 4.796 / 64.8)


def test_more_than_the_stated_capacity_is_no_more_than_the_hour(fresh_ledger):
    ledger = fresh_ledger().priced_by(
        "version: 1\ngpu_pools: [{id: h, hourly: {rental: 1, kw: 3}, capacity: 1, match: {provider: vllm}}]"
    )
    ledger.call("t", "a", provider="vllm", model="own", tokens={"output_text": 1_000_000}, seconds=60)
    ledger.span("later", "x", at=2 * HOUR)
    ledger.tick()
    first, *_ = capacity(Books(ledger.store), Question("hour"))
    assert (first["overloaded_hours"], first["kwh"]["used"], first["kwh"]["idle"]) == (1, "3", "0")


def test_hours_of_unknown_power_make_the_rest_a_lower_bound(fresh_ledger, led):
    """What was booked before anybody stated the power stays without it; it is never nothing."""
    ledger = fill(fresh_ledger())
    ledger.store.run(
        "ALTER TABLE capacity_hours UPDATE rating_run = 'of before' WHERE hour = '2026-10-31 22:00:00' SETTINGS mutations_sync = 1"
    )
    october, _, _ = capacity(Books(ledger.store), Question())
    assert (october["kwh"]["total"], october["kwh"]["hours"]) == ("13.26", {"known": 1, "of": 2})
    with led(ledger.store, "store") as options:
        assert "≥ 13.26" in run(*options).stdout


def run(*arguments, width=140):
    return CliRunner().invoke(tokentrace, ["capacity", *arguments], env={"COLUMNS": str(width)})


def test_what_is_held_against_an_api_has_what_stood_idle_in_it(fresh_ledger, led):
    """At any width the rate in full use stands beside what a million came to, or is not there."""
    ledger = fill(fresh_ledger())
    with led(ledger.store, "store") as options:
        seen = [run(*options, width=width).stdout.splitlines()[0] for width in range(50, 150, 8)]
    rates = [tuple(re.findall("1M came to|1M in full use", head)) for head in seen]
    assert list(dict.fromkeys(rates)) == [(), ("1M came to",), ("1M came to", "1M in full use")]


@pytest.mark.parametrize("way", ["store", "collector"])
def test_it_is_listed_for_people_and_for_programs(ledger, led, way):
    fill(ledger)
    with led(ledger.store, way) as options:
        drawn = run(*options).stdout.splitlines()
        told = [
            json.loads(line)
            for line in run("--json", "--per", "day", "--since", "2026-11-01", *options).stdout.splitlines()
        ]
    assert re.split("  +", drawn[0].strip()) == [
        "pool", "since", "cost", "used", "idle", "use", "1M came to", "1M in full use", "kWh", "idle kWh",
        "kg CO2e",
    ]  # fmt: skip
    assert drawn[1].split() == [
        "own", "2026-10-01", "22.54", "0.83", "21.70", "3.7%", "4.70", "0.17", "26.52", "25.54",
        "10.08",
    ]  # fmt: skip
    assert drawn[3].split() == ["rented", "2026-10-01", "3.00", "1.50", "1.50", "50.0%", "3,000,000.00", "1,500,000.00"]
    assert [(each["pool"], each["kwh"]["total"]) for each in told] == [("own", "13.26")]


def test_a_store_without_pools_says_what_is_missing(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run(*options)
    assert (answer.exit_code, answer.stdout, "`gpu_pools`" in answer.stderr) == (0, "", True)


def test_a_period_nobody_knows_is_refused_by_name():
    with pytest.raises(ListingError, match=r"The period 'week' is unknown. Known: hour, day, month."):
        Question("week")
