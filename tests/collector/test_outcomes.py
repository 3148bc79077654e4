"""What work achieved beside what it cost: through the tables, by spans as they arrive."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings, strategies as some

from tokentrace_collector.reports.listing import ListingError
from tokentrace_collector.reports.outcomes import Question, outcomes
from tokentrace_collector.tenants import Books

DAY = 86_400
BOOK = """
version: 1
fx: {EUR: [{from: 2026-11-20, to: 2026-11-22, rate: 1.25}, {from: 2026-11-22, rate: 1.5}]}
human_review: {rate_per_hour: 60}
rates:
  - {provider: openai, model: half, prices: {input_text: 0.5}}
  - {provider: openai, model: whole, prices: {input_text: 1}}
"""
LATER = datetime(2026, 12, 20, 12, tzinfo=UTC)
"""When all but the young is matured."""


def work(ledger, team, trace, *, at=0.0, tokens=1_000_000, units=(), model="half", said=()):
    """A request that costs half a dollar for a million tokens."""
    own = {"tokentrace.attribution.team": team}
    name = f"{team} {trace}"
    ledger.span(name, "root", at=at, said=own)
    for unit in units:
        ledger.span(name, unit, "root", at=at, said={"tokentrace.work_unit.id": f"{team} {unit}"})
    said = own | dict(said)
    ledger.call(name, "c", "root", at=at, model=model, role="answer", tokens={"input_text": tokens}, said=said)


def told(ledger, team, trace, status, *values, at=10.0, span="o"):
    said = dict(zip(("value", "currency"), values, strict=False))
    said = {f"tokentrace.outcome.{name}": value for name, value in said.items()}
    said |= {"tokentrace.report": "outcome", "tokentrace.outcome.status": status}
    ledger.span(f"{team} {trace}", span, "unknown", at=at, seconds=0, said=said)


def fill(ledger):
    """The work of one team for each thing that there is to see."""
    ledger.priced_by(BOOK)
    for number in range(1000):
        work(ledger, "method", number)
        told(ledger, "method", number, *(("success", "1.5", "USD") if number < 800 else ("failure",)))
    statuses = ("success", "success", "failure", "partial", "abandoned", "escalated", "unknown", "resolved", "")
    for number, status in enumerate(statuses):
        work(ledger, "ranges", number)
        if status:
            told(ledger, "ranges", number, status, *(["3", "USD"] if status in {"success", "unknown"} else []))
    work(ledger, "untold", 0)
    work(ledger, "in vain", 0)
    told(ledger, "in vain", 0, "failure")
    work(ledger, "free", 0, tokens=0)
    told(ledger, "free", 0, "success", "7", "USD")
    # At the rate of when they were achieved, not of when they began or came.
    for number, (amount, currency, day) in enumerate(
        [("8", "EUR", 1), ("2", "EUR", 2), ("4", "EUR", -1), ("5", "GBP", 1), ("1", "", 1), ("100", "USD", 1)]
    ):
        work(ledger, "abroad", number)
        told(ledger, "abroad", number, "success", amount, currency, at=day * DAY)
    work(ledger, "lower bound", 0)
    work(ledger, "lower bound", 1, model="nobody's")
    told(ledger, "lower bound", 0, "success", "2", "USD")
    told(ledger, "lower bound", 1, "success")
    work(ledger, "guessed", 0, said={"tokentrace.usage.source": "estimated"})
    # The first run fails, the second is rejected and reviewed, the third succeeds.
    for number in range(3):
        work(ledger, "again", number, at=number * DAY, units=["ticket"])
    told(ledger, "again", 0, "failure", at=5)
    told(ledger, "again", 1, "failure", at=DAY + 5)
    told(ledger, "again", 2, "success", "4", "USD", at=9 * DAY)
    reject = {
        "tokentrace.report": "rejection",
        "tokentrace.reject.reason": "wrong",
        "tokentrace.reject.extent": "answer",
    }
    ledger.span("again 1", "x", "unknown", at=DAY + 6, seconds=0, said=reject)
    ledger.review("again 1", "r", "unknown", active=60, at=2 * DAY, said={"tokentrace.report": "review"})
    # Another run called nothing; and one is of the time of a price book in another currency.
    work(ledger, "cached", 0, units=["question"])
    ledger.span("cached 1", "w", at=DAY, said={"tokentrace.work_unit.id": "cached question"})
    work(ledger, "moved", 0, units=["house"])
    work(ledger, "moved", 1, at=DAY, units=["house"])
    work(ledger, "both", 0, units=["one", "two", "three"])
    told(ledger, "both", 0, "success", "10", "USD")
    for number, model in enumerate(("half", "whole", "half")):
        work(ledger, "models", number, model=model)
    own = {"tokentrace.attribution.team": "models"}
    ledger.call("models 2", "d", "root", model="whole", role="plan", tokens={"input_text": 1_000_000}, said=own)
    fill_in_time(ledger)
    ledger.tick()
    return ledger


def fill_in_time(ledger):
    """Work of which failures are told at once, and successes not yet; and some that tests tell the outcome of."""
    for number in range(4):
        work(ledger, "young", number, at=number * 10 * DAY)
        if number % 2:
            told(ledger, "young", number, "failure", at=number * 10 * DAY + 5)
    for number in range(30):
        for trace in range(3):
            work(ledger, f"told {number}", trace)


@pytest.fixture(scope="module")
def ledger(fresh_ledger):
    return fill(fresh_ledger())


def asked(ledger, team, at=LATER, **wanted):
    wanted = Question(**{"by": ("team",), **wanted})
    return [each for each in outcomes(Books(ledger.store), wanted, at) if each["group"].get("team", team) == team]


def one(ledger, team, **wanted):
    (found,) = asked(ledger, team, **wanted)
    return found["matured"]


def test_the_worked_figures_of_the_method(ledger):
    """T11: 500 $ for 1,000 pieces of which 800 succeeded, each worth 1.50; and a person does one for 4 $."""
    assert one(ledger, "method", fallback_cost=Decimal(4)) == {
        "pieces": {"all": 1000, "succeeded": 800, "failed": 200, "unknown": 0},
        "total": "500",
        "estimated": "0",
        "rework": "0",
        "tokens": 1_000_000_000,
        "costs": {"known": 1000, "of": 1000},
        "success_rate": {"low": 0.8, "high": 0.8},
        "cost_per_outcome": {"low": "0.625", "high": "0.625"},
        "cost_with_fallback": {"low": "1.3", "high": "1.3"},
        "value": "1200",
        "values": {"known": 800, "of": 800},
        "other_values": {},
        "roi": {"low": 1.4, "high": 1.4},
        "break_even_success_rate": 1 / 3,
        "value_per_million_tokens": "1.2",
    }


def test_what_nobody_told_is_not_failed_and_makes_figures_ranges(ledger):
    """Nor is what was told to be unknown, or in a word that nobody knows; what came to half is no success."""
    found = one(ledger, "ranges", fallback_cost=Decimal(1))
    assert found["pieces"] == {"all": 9, "succeeded": 2, "failed": 4, "unknown": 3}
    assert found["success_rate"] == {"low": 2 / 9, "high": 5 / 9}
    # 4.5 by five, and by two.
    assert found["cost_per_outcome"] == {"low": "0.9", "high": "2.25"}
    # 4.5 and four persons, or seven, by nine.
    assert found["cost_with_fallback"] == {"low": "0.944444444444444444", "high": "1.277777777777777778"}
    # 6 by 4.5; or 15, if the unknown ones are worth 3 each as well.
    assert found["roi"] == {"low": 1 / 3, "high": 7 / 3}
    # Of nine worth 3 each.
    assert (found["value"], found["break_even_success_rate"]) == ("6", 1 / 6)


def test_what_nothing_can_be_divided_by_is_not_known(ledger):
    """Never zero, and never endless."""
    untold, vain, free = (one(ledger, team) for team in ("untold", "in vain", "free"))
    assert [each["cost_per_outcome"] for each in (untold, vain, free)] == [
        {"low": "0.5", "high": None}, {"low": None, "high": None}, {"low": "0", "high": "0"},
    ]  # fmt: skip
    assert [each["roi"] for each in (untold, vain, free)] == [
        {"low": -1.0, "high": None}, {"low": -1.0, "high": -1.0}, {"low": None, "high": None},
    ]  # fmt: skip
    assert [each["break_even_success_rate"] for each in (untold, vain, free)] == [None, None, 0.0]
    assert [each["value_per_million_tokens"] for each in (untold, vain, free)] == ["0", "0", None]


def test_a_value_is_worth_what_it_was_when_it_was_achieved(ledger):
    """8 at 1.25, 2 at 1.5 and 100 as they are; what nobody knows the rate of is added to nothing."""
    found = one(ledger, "abroad")
    assert (found["value"], found["values"]) == ("113", {"known": 3, "of": 6})
    assert found["other_values"] == {"": "1", "EUR": "4", "GBP": "5"}
    assert found["roi"] == {"low": 110 / 3, "high": None}


def test_costs_that_are_not_known_in_full_and_those_that_are_estimated_are_told(ledger):
    bound, guessed = one(ledger, "lower bound"), one(ledger, "guessed")
    assert (bound["total"], bound["costs"], bound["values"]) == (
        "0.5", {"known": 1, "of": 2}, {"known": 1, "of": 2},
    )  # fmt: skip
    assert bound["roi"] == {"low": None, "high": None}
    assert (guessed["total"], guessed["estimated"]) == ("0.5", "0.5")


def test_work_that_was_done_again_is_one_piece_with_the_cost_of_all_its_runs(ledger):
    """What failed, was rejected and was looked at by a person included; of the day it first began."""
    (found,) = asked(ledger, "again", per="day")
    matured = found["matured"]
    assert found["period"][:10] == "2026-11-20"
    assert matured["pieces"] == {"all": 1, "succeeded": 1, "failed": 0, "unknown": 0}
    assert (matured["total"], matured["rework"], matured["value"], matured["tokens"]) == ("2.5", "2", "4", 3_000_000)
    assert ledger.components("again 1") == {"errors": "0.5", "human_review": "1"}


def test_amounts_of_two_currencies_are_never_added_up(ledger):
    """The piece has that of its last run, and is not known in full."""
    ledger.store.run(
        "ALTER TABLE tcoai_by_trace UPDATE currency = 'CHF' WHERE trace_id = 'moved 0' SETTINGS mutations_sync = 1"
    )
    (found,) = asked(ledger, "moved")
    matured = found["matured"]
    assert (found["currency"], matured["total"], matured["rework"]) == ("USD", "0.5", "0")
    assert (matured["pieces"]["all"], matured["costs"]) == (1, {"known": 0, "of": 1})


def test_a_run_that_is_in_no_book_cost_nothing_unless_its_time_is_forgotten(ledger):
    """Then nobody knows what it cost."""
    before = one(ledger, "cached")
    ledger.store.run("INSERT INTO rollup_state VALUES ('default', 'kept', '2026-11-22 00:00:00', 1)")
    after = one(ledger, "cached")
    ledger.store.run("INSERT INTO rollup_state VALUES ('default', 'kept', '1970-01-01 00:00:00', 2)")
    assert [(each["total"], each["costs"]["known"]) for each in (before, after)] == [("0.5", 1), ("0.5", 0)]


def test_pieces_that_share_a_trace_share_its_cost_and_its_value(ledger):
    """A half and ten, not three times that."""
    found = one(ledger, "both")
    assert (found["pieces"]["succeeded"], found["total"], found["value"]) == (3, "0.5", "10")


def test_a_failed_outcome_changes_no_component(ledger):
    assert [ledger.components(trace) for trace in ("method 0", "method 999", "untold 0")] == [{"visible": "0.5"}] * 3


def test_work_is_divided_by_all_the_models_that_did_it(ledger):
    """Each piece is in one group, with all its cost."""
    found = outcomes(Books(ledger.store), Question(by=("team", "model")), LATER)
    totals = {each["group"]["model"]: each["matured"]["total"] for each in found if each["group"]["team"] == "models"}
    assert totals == {"half": "0.5", "whole": "1", "half + whole": "1.5"}


def test_what_began_a_short_while_ago_is_in_no_headline_whatever_is_known_of_it(ledger):
    """Or failures, which are told at once, would be too many in it."""
    at = datetime(2026, 12, 18, tzinfo=UTC)
    (found,) = asked(ledger, "young", at)
    assert found["matured"]["pieces"] == {"all": 3, "succeeded": 0, "failed": 1, "unknown": 2}
    assert found["everything"]["pieces"] == {"all": 4, "succeeded": 0, "failed": 2, "unknown": 2}


@pytest.mark.parametrize(
    ("at", "mature", "all_of_it", "before"),
    [
        (datetime(2026, 11, 27, 23, 59, tzinfo=UTC), 7, 0, "2026-11-20"),
        (datetime(2026, 11, 28, tzinfo=UTC), 7, 1, "2026-11-21"),
        (datetime(2026, 11, 20, 23, tzinfo=UTC), 1, 0, "2026-11-19"),
        (datetime(2026, 11, 20, 11, tzinfo=UTC), 0, 4, None),
    ],
)
def test_a_day_matures_as_a_whole_so_long_after_its_end(ledger, at, mature, all_of_it, before):
    """With no time to wait for, at once."""
    (found,) = asked(ledger, "young", at, mature=mature)
    assert (found["matured"]["pieces"]["all"], found["matured_before"]) == (all_of_it, before)


@pytest.mark.parametrize(
    ("since", "until", "pieces"), [(None, 15, 2), (10, 20, 1), (11, None, 2), (9.9999, 10.0001, 1)]
)
def test_a_period_is_of_when_work_began(ledger, since, until, pieces):
    epoch = datetime(2026, 11, 20, 10, tzinfo=UTC).timestamp()
    bounds = {"since": since, "until": until}
    given_bounds = {
        name: datetime.fromtimestamp(epoch + days * DAY, UTC) for name, days in bounds.items() if days is not None
    }
    (found,) = asked(ledger, "young", **given_bounds)
    assert found["everything"]["pieces"]["all"] == pieces


def test_periods_and_groups_add_up_to_the_whole(ledger):
    (whole,) = outcomes(Books(ledger.store), Question(), LATER)
    for wanted in (Question(per="day"), Question(by=("team",)), Question(per="month", by=("model", "team"))):
        parts = outcomes(Books(ledger.store), wanted, LATER)
        for name in ("total", "value", "rework", "estimated"):
            assert sum(Decimal(each["everything"][name]) for each in parts) == Decimal(whole["everything"][name])
        for name in ("all", "succeeded", "failed", "unknown"):
            assert sum(each["everything"]["pieces"][name] for each in parts) == whole["everything"]["pieces"][name]


_numbers = count()
REPORT = some.tuples(
    some.integers(0, 2),
    some.sampled_from(["success", "failure", "unknown"]),
    some.sampled_from([("3", "USD"), ("0.1", "EUR"), ()]),
    some.integers(0, 3),
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.data(), some.lists(REPORT, min_size=1, max_size=6, unique_by=lambda each: (each[0], each[3])))
def test_the_last_report_stands_in_whatever_order_and_however_often_they_come(ledger, data, reports):
    """As if each had come once, in the order of its time."""
    straight, mixed = f"told {next(_numbers)}", f"told {next(_numbers)}"
    for trace, status, values, at in sorted(reports, key=lambda each: each[3]):
        told(ledger, straight, trace, status, *values, at=at * DAY, span=f"o{at}")
    ledger.arrive()
    shuffled = data.draw(some.permutations(reports * 2))
    for batch in (shuffled[: len(reports)], shuffled[len(reports) :]):
        for trace, status, values, at in batch:
            told(ledger, mixed, trace, status, *values, at=at * DAY, span=f"o{at}")
        ledger.arrive()
    last = {trace: status for trace, status, _, _ in sorted(reports, key=lambda each: each[3])}
    expected = one(ledger, straight)
    assert one(ledger, mixed) == expected
    assert expected["pieces"]["succeeded"] == sum(status == "success" for status in last.values())
    assert expected["pieces"]["failed"] == sum(status == "failure" for status in last.values())


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"per": "week"}, r"The period 'week' is unknown. Known: all, day, month."),
        ({"by": ("colour",)}, r"The dimension 'colour' is unknown. Known: team, .*model."),
        ({"mature": -1}, r"mature=-1 is out of reach. Give from 0 to 3650 days."),
        ({"fallback_cost": Decimal(-1)}, r"The fallback cost -1 is negative. Give what a person costs."),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(wanted, message):
    with pytest.raises(ListingError, match=message):
        Question(**wanted)
