"""Calls that a sampler kept stand for others, by a whole ratio: what was observed stays, and estimates stand beside it."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.reports.answers import Filter, requests
from tokentrace_collector.reports.breakdown import DIMENSIONS, Breakdown, agents, shares
from tokentrace_collector.reports.population import scaled
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

FEW = settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
ALL = 2**56
LAST = "f" * 14
TEAM = "tokentrace.attribution.team"
HOUSE = """
version: 1
human_review: {rate_per_hour: 60}
rates: [{provider: openai, prices: {input_text: 3, output_text: 7}}]
gpu_pools: [{id: h, hourly_cost: 36, match: {provider: vllm}, from: 2026-11-20T10:00:00Z, to: 2026-11-20T11:00:00Z}]
platform: [{id: db, price: 720, from: 2026-11-01, to: 2026-12-01}]
commitments:
  - {id: c, kind: usage, settle: month, price: 7, quantity: 900, weights: {input: 1}, match: {provider: due}, from: 2026-11-01, to: 2026-12-01}
"""
_numbers = count(1)


def trace_id():
    return f"{next(_numbers):032x}"


def state(threshold, randomness=LAST):
    """As OpenTelemetry writes it: without the zeros at the end."""
    return f"ot=th:{f'{threshold:014x}'.rstrip('0') or '0'};rv:{randomness}"


def ratios(store):
    rows = store.query("SELECT trace_id, sampling.1 AS numerator, sampling.2 AS denominator FROM llm_calls FINAL")
    return {row["trace_id"]: (row["numerator"], row["denominator"]) for row in rows}


def half_even(amount, places):
    return Decimal(f"{round(amount * 10**places)}E-{places}")


STATES = {
    "": (1, 1),
    "ot=th:0": (1, 1),
    "ot=th:8;rv:80000000000000": (2, 1),
    "ot=th:c;rv:c0000000000000": (4, 1),
    "ot=th:C;rv:C0000000000000": (4, 1),
    "other=1, ot=rv:ffffffffffffff;th:5 ,more=ot=th:8": (16, 11),
    f"ot=th:{LAST};rv:{LAST}": (ALL, 1),
    f"ot=th:00000000000001;rv:{LAST}": (ALL, ALL - 1),
    # What the threshold would have dropped, something else has kept.
    "ot=th:c;rv:bfffffffffffff": (1, 1),
    # Powers of two, as they were written before.
    "ot=p:3;r:5": (8, 1),
    "ot=r:56;p:56": (ALL, 1),
    "ot=p:2": (4, 1),
    "ot=p:0;r:4": (1, 1),
    "ot=p:6;r:5": (1, 1),
    "ot=p:63": (1, 1),
    "ot=p:99;r:99": (1, 1),
    # What is no threshold.
    "ot=th:": (1, 1),
    "ot=th:xyz": (1, 1),
    "ot=th:-8": (1, 1),
    "ot=th:123456789abcdef": (1, 1),
    "ot=nth:c;rv:ffffffffffffff": (1, 1),
    "not=th:c;rv:ffffffffffffff": (1, 1),
    "ot=th:c c;rv:ffffffffffffff": (1, 1),
    f"ot=x:{'y' * 256};th:c;rv:{LAST}": (1, 1),
    "th:c": (1, 1),
    "=;,:": (1, 1),
}


def test_each_state_is_read_as_the_ratio_it_tells(ledger):
    """What is malformed, or cannot be, tells nothing."""
    named = {trace_id(): written for written in STATES}
    for trace, written in named.items():
        ledger.foreign(trace, "a", usage={"input_tokens": 1}, state=written)
    ledger.arrive()
    assert {named[trace]: ratio for trace, ratio in ratios(ledger.store).items()} == STATES


def test_where_no_randomness_is_told_it_is_the_end_of_the_trace_id(ledger):
    kept, dropped = f"{'0' * 18}c{'0' * 13}", f"{'f' * 18}b{'f' * 13}"
    for trace in (kept, dropped):
        ledger.foreign(trace, "a", usage={"input_tokens": 1}, state="ot=th:c")
    ledger.arrive()
    assert ratios(ledger.store) == {kept: (4, 1), dropped: (1, 1)}


def test_a_sample_rate_is_believed_where_it_is_a_count(ledger):
    """The attribute that Honeycomb's samplers set; a threshold says more."""
    told = {"7": (7, 1), "1": (1, 1), "0": (1, 1), "-3": (1, 1), "2.5": (1, 1), "many": (1, 1), str(10**12): (1, 1)}
    named = {trace_id(): rate for rate in told}
    for trace, rate in named.items():
        ledger.foreign(trace, "a", usage={"input_tokens": 1}, said={"SampleRate": rate})
    both = trace_id()
    ledger.foreign(both, "a", usage={"input_tokens": 1}, said={"SampleRate": 7}, state=state(ALL // 2))
    ledger.arrive()
    found = ratios(ledger.store)
    assert found.pop(both) == (2, 1)
    assert {named[trace]: ratio for trace, ratio in found.items()} == told


def test_what_our_own_sdk_tells_stands_for_itself(ledger):
    """It is delivered whatever a sampler says; so is what is no call."""
    ledger.call("a" * 32, "a", tokens={"input_text": 1}, state=state(ALL // 2))
    ledger.span("b" * 32, "b", library="other", state=state(ALL // 2))
    ledger.arrive()
    assert set(ratios(ledger.store).values()) == {(1, 1)}


@FEW
@given(told=st.lists(st.text(st.sampled_from("ot=h:prv;,c0f8 \tx"), max_size=30) | st.text(max_size=9), min_size=25))
def test_no_state_stops_an_insert_or_makes_less_of_a_call(shared_ledger, told):
    named = {trace_id() for _ in told}
    for trace, written in zip(named, told, strict=True):
        shared_ledger.foreign(trace, "a", usage={"input_tokens": 1}, state=written)
    shared_ledger.arrive()
    found = {trace: ratio for trace, ratio in ratios(shared_ledger.store).items() if trace in named}
    assert found.keys() == named
    assert all(numerator >= denominator >= 1 for numerator, denominator in found.values())


@FEW
@given(told=st.lists(st.tuples(st.integers(0, ALL - 1), st.integers(0, ALL - 1)), min_size=60))
def test_any_threshold_is_read_exactly(shared_ledger, told):
    """In lowest terms; and only where it would have kept the span."""
    named = {trace_id(): each for each in told}
    for trace, (threshold, randomness) in named.items():
        shared_ledger.foreign(trace, "a", usage={"input_tokens": 1}, state=state(threshold, f"{randomness:014x}"))
    shared_ledger.arrive()
    found = ratios(shared_ledger.store)
    for trace, (threshold, randomness) in named.items():
        expected = Fraction(ALL, ALL - threshold) if threshold <= randomness else Fraction(1)
        assert found[trace] == expected.as_integer_ratio()


rational = st.tuples(st.integers(1, ALL), st.integers(1, ALL), st.decimals(-(10**20), 10**20, places=18))


@given(figures=st.lists(rational, max_size=30), places=st.sampled_from((0, 6, 18)))
def test_sums_are_exact_and_rounded_once(figures, places):
    exact = sum((Fraction(figure) * numerator / denominator for numerator, denominator, figure in figures), Fraction())
    assert scaled(figures, places) == half_even(exact, places)


def test_what_is_half_goes_to_the_even_neighbour():
    assert [scaled([(each, 2, Decimal(1))], 0) for each in (1, 3, -1, 5)] == [0, 2, 0, 2]


def world(seed):
    """Calls of two models by three teams, on four days, by whatever a sampler keeps."""
    dice = Random(seed)
    usual = (0, ALL // 2, ALL // 4 * 3, ALL // 16 * 5)
    return [
        {
            "threshold": dice.choice((*usual, dice.randrange(ALL))),
            "tokens": (dice.randrange(5_000), dice.randrange(500)),
            "model": dice.choice(("gpt-6-sol", "gpt-5")),
            "team": dice.choice(("", "search", "shop")),
            "at": dice.randrange(3 * 86_400),
            "failed": dice.random() < 0.3,
        }
        for _ in range(dice.randint(6, 20))
    ]


def told(ledger, calls, *, sampled):
    """A world of foreign calls, one of ours, reviews, a pool, a fixed cost and a commitment, all said to be of a sample."""
    for number, each in enumerate(calls):
        ledger.foreign(
            f"{number:032x}", "a", model=each["model"], at=each["at"], failed=each["failed"], said={TEAM: each["team"]},
            usage=dict(zip(("input_tokens", "output_tokens"), each["tokens"], strict=True)),
            state=state(each["threshold"]) if sampled else "",
        )  # fmt: skip
    half = {"state": state(ALL // 2)} if sampled else {}
    ledger.call("e" * 32, "own", tokens={"input_text": 11}, **half)
    ledger.review("e" * 32, "seen", "own", active=90, **half)
    for number, provider in enumerate(("vllm", "due")):
        said = {"gen_ai.provider.name": provider}
        ledger.foreign(f"{number}{'d' * 31}", "a", usage={"input_tokens": 700}, said=said, seconds=600, **half)
    reviewed = {"tokentrace.review.kind": "approval", "tokentrace.review.active_time": 60}
    ledger.foreign("c" * 32, "theirs", usage={"input_tokens": 5}, said=reviewed, at=7_200, **half)
    ledger.tick()
    return ledger


@settings(FEW, max_examples=2)
@given(calls=st.integers(0, 10**9).map(world))
def test_estimates_stand_beside_what_was_observed(fresh_ledger, calls):
    """Exactly; and of people, capacity, fixed costs and commitments a sampler makes no more."""
    plain, ledger = (told(fresh_ledger().priced_by(HOUSE), calls, sampled=sampled) for sampled in (False, True))
    weights = "sampling_numerator", "sampling_denominator", "sampled"
    assert {
        table: [{name: value for name, value in row.items() if name not in weights} for row in rows]
        for table, rows in ledger.everything().items()
    } == {
        table: [{name: value for name, value in row.items() if name not in weights} for row in rows]
        for table, rows in plain.everything().items()
    }
    rows = ledger.store.query("SELECT * FROM call_costs FINAL WHERE kind = 'call'")
    ratio = {row["trace_id"]: Fraction(row["sampling_numerator"], row["sampling_denominator"]) for row in rows}
    for number, each in enumerate(calls):
        assert ratio[f"{number:032x}"] == Fraction(ALL, ALL - each["threshold"])
    (whole,), (bare,) = shares(Books(ledger.store), Breakdown()), shares(Books(plain.store), Breakdown())
    assert bare["population"] is None
    assert {**whole, "population": None} == bare
    more = sum(Fraction(row["total"]) * (ratio[row["trace_id"]] - 1) for row in rows)
    estimated = whole["population"]
    assert Decimal(estimated["estimated_total"]) == half_even(Fraction(Decimal(whole["total"])) + more, 18)
    assert estimated["observed"] == len(rows) == len(calls) + 3
    assert Decimal(estimated["estimated_count"]) == half_even(sum(ratio.values()), 6)
    tokens = sum(sum(row["tokens"].values()) * (ratio[row["trace_id"]] - 1) for row in rows)
    assert Decimal(estimated["estimated_tokens"]) == half_even(Fraction(Decimal(whole["tokens"])) + tokens, 6)
    apart = "SELECT DISTINCT kind FROM cost_lines WHERE sampling_numerator != 1 ORDER BY kind"
    assert {row["kind"] for row in ledger.store.query(apart)} <= {"token", "meter"}


@pytest.fixture(scope="module")
def kept(fresh_ledger):
    """Three teams; of the calls of one a sampler kept every fourth, of those of another every other one."""
    ledger = fresh_ledger()
    written = (("a", "ot=th:c;rv:" + LAST), ("a", ""), ("b", "ot=th:8;rv:" + LAST), ("c", ""))
    for number, (team, each) in enumerate(written):
        trace, usage = f"{number:032x}", {"input_tokens": 1000, "output_tokens": 10}
        ledger.span(trace, "r", said={"gen_ai.operation.name": "invoke_agent"}, name=f"invoke_agent {team}")
        ledger.foreign(trace, "s", "r", at=number, usage=usage, said={TEAM: team}, state=each)
    ledger.tick()
    return ledger


@pytest.fixture
def books(kept):
    return kept.store


def test_a_recomputation_comes_to_the_same(kept):
    before = kept.everything()
    assert kept.rollup.verify().verified["differences"] == []
    kept.rollup.rebuild()
    assert kept.everything() == before


def by_team(store, **more):
    return {
        str(each["group"] and each["group"]["team"]): each
        for each in shares(Books(store), Breakdown(("team",), **more))
    }


def test_a_group_of_which_nothing_was_sampled_is_whole(books):
    found = by_team(books)
    assert {team: each["population"]["coverage"] for team, each in found.items()} == {"a": 0.4, "b": 0.5, "c": 1.0}
    assert found["c"]["population"] | {"observed": 0} == {
        "unit": "calls", "observed": 0, "sampled": [], "estimated_count": None, "estimated_tokens": None,
        "estimated_total": None, "coverage": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_division_comes_to_the_same_estimate(books, dimension):
    """What calls consist of are their lines; of all else they are counted themselves."""
    divided = shares(Books(books), Breakdown((dimension,), "day"))
    told = [each["population"] for each in divided]
    kept = [one for each in told for one in each["sampled"]]
    more = [(int(one["numerator"]) - 1, 1, Decimal(one["cost"])) for one in kept]
    assert scaled([*((1, 1, Decimal(each["total"])) for each in divided), *more], 18) == Decimal("0.0168")
    unit, number = ("lines", 8) if dimension in {"token_class", "sub_component"} else ("calls", 4)
    assert ({each["unit"] for each in told}, sum(each["observed"] for each in told)) == ({unit}, number)


def test_groups_that_are_not_shown_are_estimated_together(books):
    found = by_team(books, limit=1)
    assert [(team, each["population"]["estimated_count"]) for team, each in found.items()] == [
        ("a", "5"),
        ("None", "3"),
    ]


def test_a_question_that_no_sampled_call_is_in_has_no_estimate(books):
    later = Breakdown(since=datetime(2026, 11, 21, tzinfo=UTC))
    assert [each["population"] for each in shares(Books(books), later)] == []
    assert shares(Books(books, "somebody else"), Breakdown()) == []
    assert by_team(books, only={"team": "c"})["c"]["population"] is None


def test_of_an_earlier_run_counts_are_estimated_and_costs_are_not(books):
    (run,) = books.query("SELECT value FROM rollup_state FINAL WHERE name = 'rating_run'")
    found = by_team(books, run=run["value"])["a"]["population"]
    assert (found["estimated_count"], found["estimated_tokens"], found["estimated_total"]) == ("5", "5050", None)


def test_agents_are_estimated_by_their_lines(books):
    found = {each["group"]["agent"]: each["population"] for each in agents(Books(books), None, 10)}
    assert {agent: (each["unit"], each["observed"], each["estimated_count"]) for agent, each in found.items()} == {
        "a": ("lines", 4, "10"), "b": ("lines", 2, "4"), "c": ("lines", 2, None),
    }  # fmt: skip


def test_a_request_is_whole_and_says_what_it_stands_for(books):
    found = {each["attribution"]["team"]: each for each in requests(Books(books), Filter())}
    assert found["b"]["sampled"] == [{"numerator": "2", "denominator": "1", "calls": 1}]
    assert {each["coverage"] for each in found.values()} == {1.0}


def test_what_was_stored_before_stands_for_itself(store):
    """An upgraded store has the columns where a new one has them: rows are inserted by position."""
    columns = "SELECT table, name, position FROM system.columns WHERE database = currentDatabase() ORDER BY ALL"
    fresh = store.query(columns)
    store.run("DROP VIEW llm_calls_mv SYNC")
    store.run("ALTER TABLE call_costs DROP INDEX idx_sampling")
    ratio = ("sampling_denominator", "sampling_numerator")
    for table, names in (
        ("llm_calls", ("sampling", "sample_rate", "sampling_state")),
        ("call_costs", ratio),
    ):
        for name in names:
            store.run(f"ALTER TABLE {table} DROP COLUMN {name}")
        store.insert(table, ["trace_id"], [["t"]])
    store.run("ALTER TABLE tcoai_by_trace DROP COLUMN sampled")
    store.run("ALTER TABLE schema_versions DELETE WHERE name = 'migrations/0021_sampling' SETTINGS mutations_sync = 1")
    schema.apply(store)
    assert store.query(columns) == fresh
    assert ratios(store) == {"t": (1, 1)}
    (row,) = store.query("SELECT sampling_numerator, sampling_denominator FROM call_costs")
    assert tuple(row.values()) == (1, 1)
