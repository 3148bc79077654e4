"""The rollup: worked examples, sums that hold, and the same tables whatever the order in which spans arrive."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.reports import answers
from tokentrace_collector.rollup import gathered, recompute
from tokentrace_collector.rollup.stages import Stages
from tokentrace_collector.tenants import Books

HOUSE = """
version: 1
human_review: {rate_per_hour: 45}
gpu_pools:
  - {id: h, hourly_cost: 7.77, match: {provider: vllm}, weights: {input: 0.1, cached: 0.01, output: 1}}
"""
EPOCH = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NO_TRACE = "SELECT sum(amount) AS total FROM capacity_lines FINAL WHERE trace_id = ''"


def total(ledger, question):
    return ledger.store.query(question)[0]["total"] or Decimal(0)


def worked_example(ledger):
    """A plan, an answer that timed out, its retry with a tool, two minutes of review, and a share of an idle hour."""
    ledger.span("t2", "root")
    ledger.call(
        "t2", "s1", "root", role="plan", tokens={"input_text": 3_000, "output_text": 200, "output_reasoning": 500}
    )
    ledger.call("t2", "s2", "root", role="answer", tokens={"input_text": 6_000, "output_text": 400}, failed=True, at=2)
    ledger.call(
        "t2", "s3", "root", role="answer", at=4, meters={"web_search": 1},
        tokens={"input_text": 2_000, "cache_read": 4_000, "output_text": 400, "output_reasoning": 1_100},
        said={"tokentrace.input.segments": '["tool_definitions:1800","user:3600","tool_results:600"]'},
    )  # fmt: skip
    ledger.review("t2", "r1", "root", active=120, at=10)
    # It took no time, so the pool was never busy: its hour is idle, and all of it falls to this trace.
    ledger.call("t2", "p1", "root", provider="vllm", model="own", role="answer", tokens={"output_text": 1}, seconds=0)
    ledger.span("later", "x", at=7_200)


def test_the_worked_example_comes_out_to_the_last_digit(ledger):
    """T2 of the method, at the catalogue's prices."""
    ledger.priced_by(
        "version: 1\nhuman_review: {rate_per_hour: 45}\ngpu_pools: [{id: h, hourly_cost: 0.0125, match: {provider: vllm}, to: 2026-11-20T11:00:00Z}]"
    )
    worked_example(ledger)
    ledger.tick()
    assert ledger.components("t2") == {
        "visible": "0.00724",
        "hidden_reasoning": "0.016",
        "orchestration": "0.01956",
        "errors": "0.016",
        "human_review": "1.5",
        "infrastructure": "0.0125",
    }
    assert ledger.trace("t2")["total"] == Decimal("1.5713")
    ratios = answers.request(Books(ledger.store), "t2")["ratios"]
    assert (round(ratios["token_multiplier"], 4), round(ratios["tco_multiplier"], 2)) == (8.1215, 217.03)


def scene():
    """Arrivals that bear upon each other: late parents, foreign accounts, shared responses, reviews, a pool."""

    def steps(ledger):
        yield lambda: ledger.span("a", "step", "root", said={"tokentrace.role": "plan"})
        yield lambda: ledger.call(
            "a", "call", "step", tokens={"input_text": 1_000, "output_text": 70, "output_reasoning": 7}
        )
        yield lambda: ledger.span("a", "root", said={"tokentrace.attribution.team": "search"}, at=-60, seconds=90)
        yield lambda: ledger.foreign("b", "outer", usage={"input_tokens": 900, "output_tokens": 30})
        yield lambda: ledger.foreign("b", "inner", "outer", usage={"input_tokens": 800, "output_tokens": 30})
        yield lambda: ledger.call(
            "c", "create", said={"gen_ai.response.id": "resp_0123456789abcdef", "tokentrace.usage.source": "missing"}
        )
        yield lambda: ledger.call(
            "d",
            "retrieve",
            tokens={"input_text": 500},
            said={"gen_ai.response.id": "resp_0123456789abcdef", "tokentrace.usage.scope": "retrieve"},
            at=4_000,
        )
        yield lambda: ledger.review("a", "review", active=100, by="ann", at=100)
        yield lambda: ledger.review("b", "review", active=100, by="ann", at=140)
        yield lambda: ledger.call(
            "e",
            "own",
            provider="vllm",
            model="own",
            tokens={"input_text": 900, "output_text": 33},
            seconds=50,
            at=3_590,
        )
        yield lambda: ledger.call(
            "f",
            "own",
            provider="vllm",
            model="own",
            tokens={"output_text": 100, "output_reasoning": 3},
            seconds=70,
            at=3_620,
        )
        yield lambda: ledger.call("g", "old", tokens={"input_text": 10}, at=-36_100)
        yield lambda: ledger.call("g", "new", tokens={"input_text": 10}, at=50)

    return steps


@pytest.fixture(scope="module")
def expected(shared_ledger):
    """What the scene costs when everything is there at once."""
    shared_ledger.priced_by(HOUSE)
    for step in scene()(shared_ledger):
        step()
    shared_ledger.tick()
    return shared_ledger.everything()


@settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(
    order=st.permutations(range(13)),
    again=st.lists(st.integers(0, 12), max_size=4),
    pauses=st.sets(st.integers(0, 16), min_size=1, max_size=3),
)
def test_any_order_repetition_and_batching_gives_the_same_tables(expected, fresh_ledger, order, again, pauses):
    """And a rebuild gives them once more, row for row."""
    ledger = fresh_ledger().priced_by(HOUSE)
    steps = list(scene()(ledger))
    for place, number in enumerate([*order, *again]):
        steps[number]()
        if place in pauses:
            ledger.tick()
    ledger.tick()
    assert ledger.everything() == expected
    ledger.rollup.rebuild()
    assert ledger.everything() == expected


def test_every_sum_is_the_same_sum(shared_ledger, expected):
    """Lines, calls and shares, traces and what no trace carries, hours: one number, exactly."""
    lines = total(shared_ledger, "SELECT sum(amount) AS total FROM cost_lines")
    calls = total(shared_ledger, "SELECT sum(total) AS total FROM call_costs FINAL")
    shares = total(shared_ledger, "SELECT sum(amount) AS total FROM capacity_lines FINAL")
    traces = total(shared_ledger, "SELECT sum(total) AS total FROM tcoai_by_trace FINAL")
    hours = total(shared_ledger, "SELECT sum(amount) AS total FROM tcoai_by_hour FINAL")
    assert lines == calls + shares == traces + total(shared_ledger, NO_TRACE) == hours > 0


def test_the_components_of_a_trace_are_its_total(expected):
    """Also as direct and allocated, and as measured and estimated."""
    names = ("visible", "hidden_reasoning", "orchestration", "errors", "human_review", "infrastructure")
    sums = [
        (sum(row[name] for name in names), row["direct"] + row["allocated"], row["measured"] + row["estimated"])
        for row in expected["tcoai_by_trace"]
    ]
    assert sums == [(row["total"],) * 3 for row in expected["tcoai_by_trace"]]


def test_a_run_without_news_does_nothing(ledger):
    """The work list is empty."""
    ledger.call("t", "a", tokens={"input_text": 1})
    ledger.tick()
    assert ledger.rollup.tick().traces == 0


@pytest.mark.parametrize("stage", ["begin", "rate", "sum_up", "change_hours"])
def test_what_arrives_during_a_run_waits_for_the_next(ledger, monkeypatch, stage):
    """Also a further span of the trace that is being recomputed, whatever of it was already read."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.arrive()
    whole = getattr(Stages, stage)

    def busy(*given, **more):
        found = whole(*given, **more)
        ledger.call("t", "meanwhile", tokens={"input_text": 1_000})
        ledger.call("u", "a", tokens={"input_text": 1_000})
        ledger.arrive()
        return found

    ledger.rollup.tick()
    ledger.call("t", "b", tokens={"input_text": 1_000})
    ledger.arrive()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Stages, stage, busy)
        ledger.rollup.tick()
    ledger.rollup.tick()
    assert (ledger.trace("t")["total"], ledger.trace("u")["total"]) == (Decimal("0.006"), Decimal("0.002"))
    assert total(ledger, "SELECT sum(amount) AS total FROM tcoai_by_hour FINAL") == Decimal("0.008")


def test_small_batches_and_shares_give_the_same_tables(ledger, expected, monkeypatch):
    """What bears upon each other is not always worked off together."""
    ledger.priced_by(HOUSE).tick()
    monkeypatch.setattr(recompute, "_TOUCHES", 3)
    monkeypatch.setattr(recompute, "_SPANS", 4)
    monkeypatch.setattr(gathered, "MOST", 2)
    for step in scene()(ledger):
        step()
    ledger.tick()
    assert ledger.everything() == expected
    ledger.rollup.rebuild()
    assert ledger.everything() == expected


def test_a_rebuild_prices_a_call_of_which_only_a_trace_of_another_share_tells(ledger, monkeypatch):
    """Whatever was answered lies in the trace that read it again."""
    monkeypatch.setattr(recompute, "_SPANS", 1)
    said = {"gen_ai.response.id": "resp_0123456789abcdef"}
    ledger.call("a", "c", model="", said=said | {"tokentrace.usage.source": "missing"})
    ledger.call("z", "r", tokens={"input_text": 1_000}, said=said | {"tokentrace.usage.scope": "retrieve"}, at=60)
    ledger.tick()
    ledger.rollup.rebuild()
    assert [ledger.trace(trace)["total"] for trace in "az"] == [Decimal("0.002"), Decimal(0)]


@pytest.mark.parametrize("most", [0, 2])
def test_a_span_that_comes_again_at_once_is_what_it_said_last(ledger, monkeypatch, most):
    """Whether the spans of a batch are kept, or read by each step."""
    monkeypatch.setattr(gathered, "MOST", most)
    for trace, tokens in (("t", 1_000), ("u", 3_000), ("t", 2_000)):
        ledger.call(trace, "a", tokens={"input_text": tokens})
        ledger.arrive()
    ledger.tick()
    assert (ledger.trace("t")["total"], ledger.trace("u")["total"]) == (Decimal("0.004"), Decimal("0.006"))
    assert total(ledger, "SELECT sum(amount) AS total FROM tcoai_by_hour FINAL") == Decimal("0.01")


@pytest.mark.parametrize("most", [0, 2, 9])
def test_time_has_passed_up_to_what_any_version_of_a_span_said(ledger, monkeypatch, most):
    """A pool is charged up to then, whichever spans are kept, and of other traces beside it."""
    monkeypatch.setattr(gathered, "MOST", most)
    ledger.priced_by("version: 1\ngpu_pools: [{id: h, hourly_cost: 8, match: {provider: vllm}}]\n")
    for trace, seconds in (("t", 60), ("u", 9_000), ("v", 60), ("u", 120)):
        ledger.call(trace, "a", provider="vllm", tokens={"input_text": 1_000}, seconds=seconds)
        ledger.arrive()
    ledger.tick()
    assert total(ledger, "SELECT sum(cost) AS total FROM capacity_hours FINAL") == Decimal(20)
    assert {ledger.trace(each)["calls"] for each in "tuv"} == {1}


def test_a_run_that_broke_is_made_good_by_the_next(ledger, monkeypatch):
    """Nothing is forgotten, nothing is doubled."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    ledger.call("t", "b", tokens={"input_text": 1_000})
    with monkeypatch.context() as broken:
        broken.delattr(Stages, "sum_up")
        with pytest.raises(AttributeError):
            ledger.tick()
    ledger.tick()
    assert (ledger.trace("t")["total"], ledger.trace("t")["calls"]) == (Decimal("0.004"), 2)


def test_an_hour_that_a_call_left_is_summed_up_also_where_the_run_broke(ledger, monkeypatch):
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    ledger.call("t", "a", tokens={"input_text": 1_000}, at=7_200)
    with monkeypatch.context() as broken:
        broken.delattr(Stages, "change_hours")
        with pytest.raises(AttributeError):
            ledger.tick()
    ledger.tick()
    assert total(ledger, "SELECT sum(amount) AS total FROM tcoai_by_hour FINAL") == ledger.trace("t")["total"]


@pytest.mark.parametrize("hours", [1, 30])
def test_a_trace_that_costs_nothing_any_more_has_no_sum(ledger, hours):
    """Its only call was none after all; of one day, or of two."""
    for trace in "tu":
        ledger.call(trace, "a", tokens={"input_text": 1_000}, at=hours * 3_600)
        ledger.span(trace, "b")
    ledger.tick()
    ledger.span("t", "a", at=hours * 3_600)
    ledger.tick()
    assert [row["trace_id"] for row in ledger.everything()["tcoai_by_trace"]] == ["u"]
    found = ledger.everything()
    ledger.rollup.rebuild()
    assert ledger.everything() == found


def test_an_earlier_span_moves_a_trace_to_an_earlier_day(ledger):
    """It leaves no row on the later one."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    ledger.call("t", "b", tokens={"input_text": 1_000}, at=-86_400)
    ledger.tick()
    assert (str(ledger.trace("t")["day"]), ledger.trace("t")["total"]) == ("2026-11-19", Decimal("0.004"))


POOL = "version: 1\ngpu_pools: [{id: h, hourly_cost: 7.77, match: {provider: vllm}}]"


@pytest.mark.parametrize("merges", [False, True])
@pytest.mark.parametrize("to", [-90_000, -3_600, 7_200, 90_000])
def test_a_span_that_is_sent_again_with_another_start_leaves_its_hour(ledger, fresh_ledger, to, merges):
    """Of duplicates the last one counts, whether the engine still has the others or not."""

    def arrive(into, at):
        into.call("t", "a", tokens={"input_text": 1_000}, at=at)
        into.call("t", "own", provider="vllm", tokens={"input_text": 1_000}, at=at)
        into.call("t", "b", tokens={"input_text": 1_000}, at=10)
        into.call("other", "own", provider="vllm", tokens={"input_text": 1_000}, at=-100_000)
        into.tick()

    ledger.priced_by(POOL)
    arrive(ledger, 0)
    ledger.call("t", "a", tokens={"input_text": 1_000}, at=to)
    ledger.call("t", "own", provider="vllm", tokens={"input_text": 1_000}, at=to)
    ledger.arrive()
    if merges:
        ledger.store.run("OPTIMIZE TABLE llm_calls FINAL")
    ledger.tick()
    found = ledger.everything()
    ledger.rollup.rebuild()
    assert ledger.everything() == found
    fresh = fresh_ledger().priced_by(POOL)
    arrive(fresh, to)
    assert fresh.everything() == found


@pytest.mark.parametrize("used", [[5], [3, 5], []])
@pytest.mark.parametrize("rebuilds", [False, True])
def test_a_pool_is_paid_from_its_first_use_on(ledger, fresh_ledger, used, rebuilds):
    """Where nothing says since when it is there; and if that use turns out to be none, from the next one on."""

    def arrive(into, provider):
        into.call("first", "a", provider=provider, tokens={"input_text": 1_000})
        for hour in used:
            into.call(f"t{hour}", "a", provider="vllm", tokens={"input_text": 1_000}, at=hour * 3_600)
        into.call("last", "a", tokens={"input_text": 1_000}, at=8 * 3_600)
        into.tick()

    ledger.priced_by(POOL)
    arrive(ledger, "vllm")
    assert len(ledger.everything()["capacity_hours"]) == 9
    ledger.call("first", "a", provider="openai", tokens={"input_text": 1_000})
    ledger.tick()
    if rebuilds:
        ledger.rollup.rebuild()
    fresh = fresh_ledger().priced_by(POOL)
    arrive(fresh, "openai")
    assert len(fresh.everything()["capacity_hours"]) == (9 - used[0] if used else 0)
    assert ledger.everything() == fresh.everything()


def test_new_prices_rate_everything_again_and_keep_the_earlier_run(ledger):
    """The hours of the run before stay, to compare with."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    ledger.priced_by("version: 1\nrates: [{provider: openai, model: 'gpt-6*', prices: {input_text: 1}}]")
    ledger.tick()
    cost = ledger.call_cost("t", "a")
    assert (cost["total"], cost["list_cost"], cost["contracted_cost"]) == (
        Decimal("0.001"),
        Decimal("0.002"),
        Decimal("0.001"),
    )
    runs = ledger.store.query(
        "SELECT rating_run, sum(amount) AS amount FROM tcoai_by_hour FINAL GROUP BY rating_run ORDER BY amount"
    )
    assert [row["amount"] for row in runs] == [Decimal("0.001"), Decimal("0.002")]


def test_tenants_do_not_meet(ledger):
    """The same trace id in two tenants is two traces."""
    for tenant, count in (("one", 1_000), ("two", 3_000)):
        ledger.call("t", "a", tokens={"input_text": count}, tenant=tenant)
    ledger.tick()
    rows = ledger.store.query("SELECT tenant, total FROM tcoai_by_trace FINAL ORDER BY tenant")
    assert [(row["tenant"], row["total"]) for row in rows] == [("one", Decimal("0.002")), ("two", Decimal("0.006"))]


def test_an_estimated_count_is_kept_apart(ledger):
    """Removing it would change no measured figure."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.call("t", "b", tokens={"output_text": 100}, said={"tokentrace.usage.source": "estimated"})
    ledger.tick()
    row = ledger.trace("t")
    assert (row["measured"], row["estimated"], row["usage_covered"], row["usage_total"]) == (
        Decimal("0.002"),
        Decimal("0.001"),
        1,
        2,
    )


def test_of_an_estimated_output_the_input_stays_measured(ledger):
    """Each side by itself; what the estimate is and how far it may be off stays with the call."""
    estimate = {
        "tokentrace.usage.source": "partial_stream",
        "tokentrace.estimate.counts": '["output"]',
        "tokentrace.estimate.method": "o200k_base*1.11",
        "tokentrace.estimate.error.output": "0.12",
        "tokentrace.estimate.error.input": "nan",
    }
    ledger.call("t", "a", tokens={"input_text": 1_000, "output_text": 100}, said=estimate)
    ledger.tick()
    row = ledger.trace("t")
    assert (row["measured"], row["estimated"], row["usage_covered"]) == (Decimal("0.002"), Decimal("0.001"), 0)
    by_hour = ledger.store.query("SELECT sum(amount) AS money, sum(estimated) AS guessed FROM tcoai_by_hour FINAL")
    assert by_hour == [{"money": Decimal("0.003"), "guessed": Decimal("0.001")}]
    (call,) = ledger.store.query("SELECT estimated_counts, estimate_method, estimate_errors FROM llm_calls FINAL")
    assert call == {
        "estimated_counts": ["output"],
        "estimate_method": "o200k_base*1.11",
        "estimate_errors": {"output": 0.12},
    }


def test_reasoning_that_is_estimated_divides_money_that_is_measured(ledger):
    """The output was reported: nothing of the total rests on the estimate."""
    said = {"tokentrace.estimate.counts": '["reasoning"]', "tokentrace.reasoning.source": "estimated"}
    ledger.call("t", "a", tokens={"output_text": 100, "output_reasoning": 300}, said=said)
    ledger.tick()
    row = ledger.trace("t")
    assert (row["hidden_reasoning"], row["visible"]) == (Decimal("0.003"), Decimal("0.001"))
    assert (row["measured"], row["estimated"], row["usage_covered"]) == (Decimal("0.004"), 0, 1)


def test_a_call_whose_attempts_all_met_http_errors_costs_nothing_and_is_covered(ledger):
    """It was refused before any output."""
    refused = {"http.response.status_code": 503, "error.type": "503"}
    ledger.call("t", "a", failed=True, attempts=[refused, refused], said={"tokentrace.usage.source": "missing"})
    ledger.tick()
    row = ledger.trace("t")
    assert (row["total"], row["attempts"], row["failed_attempts"], row["coverage"]) == (0, 2, 2, 1)


def test_a_connection_that_broke_may_have_been_billed(ledger):
    """Nobody knows, and the coverage says so."""
    ledger.call(
        "t", "a", failed=True, attempts=[{"error.type": "ReadTimeout"}], said={"tokentrace.usage.source": "missing"}
    )
    ledger.tick()
    assert (ledger.trace("t")["usage_covered"], ledger.trace("t")["usage_total"]) == (0, 1)


def test_absurd_counts_are_absent_not_money(ledger):
    """A count that is negative, no number, or beyond any request."""
    ledger.call(
        "t", "a", tokens={"input_text": 1_000, "cache_read": -5, "output_text": "many", "output_reasoning": 10**17}
    )
    ledger.tick()
    assert ledger.call_cost("t", "a")["tokens"] == {"input_text": 1_000}


def test_a_server_with_joins_of_its_own_kind_gives_the_same_tables(ledger, expected, monkeypatch):
    """A profile may say that what a join does not find is NULL."""
    run = ledger.store.run
    monkeypatch.setattr(
        ledger.store,
        "run",
        lambda sql, /, settings=None, **values: run(sql, settings={"join_use_nulls": 1} | (settings or {}), **values),
    )
    ledger.priced_by(HOUSE)
    for step in scene()(ledger):
        step()
    ledger.tick()
    assert ledger.everything() == expected


def test_nothing_a_sender_says_stops_the_rollup(ledger):
    """One poisoned span must not keep the others from their figures."""
    most = 2**64 - 1
    parts = f'[{{"kind": "x", "buckets": {{"input_text": {most}, "nonsense": 1}}, "meters": {{"images": -3, "pages": 1e30}}}}, 7, null]'
    ledger.priced_by(HOUSE + "trust_reported: [openai, vllm]")
    for number, said in enumerate([
        {"tokentrace.usage.parts": parts},
        {"tokentrace.usage.parts": "[[[["},
        {"tokentrace.input.segments": f'["user:{most}","history:{most}","x","",":"]'},
        {"tokentrace.cost.reported": "9" * 19, "tokentrace.cost.reporter": "openai"},
        {"tokentrace.cost.reported": "-1", "tokentrace.cost.reporter": "openai"},
        {"tokentrace.meter.images": "9" * 30, "tokentrace.meter.pages": "NaN"},
        {"tokentrace.review.kind": "approval", "tokentrace.review.active_time": "inf"},
        {"gen_ai.response.finish_reasons": "[1, null", "tokentrace.attempts": "-9"},
    ]):  # fmt: skip
        ledger.call("t", f"s{number}", tokens={"input_text": 1_000}, said=said)
        ledger.call("t", f"own{number}", provider="vllm", tokens={"input_text": 1_000}, said=said, seconds=0)
    ledger.call("t", "endless", provider="vllm", tokens={"input_text": 1_000}, seconds=2**63 / 10**9)
    ledger.call("t", "ancient", provider="vllm", tokens={"input_text": 1_000}, at=-EPOCH.timestamp())
    for name, years in (("far future", 200), ("future", 85), ("before the epoch", -100)):
        ledger.call(name, "a", tokens={"input_text": 1_000}, at=years * 365 * 86_400)
        ledger.call(name, "own", provider="vllm", tokens={"input_text": 1_000}, at=years * 365 * 86_400)
    ledger.call("u", "a", tokens={"input_text": 1_000})
    ledger.tick()
    assert ledger.trace("future")["direct"] == Decimal("0.002")
    assert ledger.trace("u")["total"] == Decimal("0.002")
