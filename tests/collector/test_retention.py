"""What spans have cost stays when they expire, to the last digit, whatever comes later."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tokentrace_collector.prices.book import parse
from tokentrace_collector.reports import answers
from tokentrace_collector.retention import Retention, RetentionError
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Repricing
from tokentrace_collector.store.database import StoreError
from tokentrace_collector.tenants import Books

BOOK = """
version: 1
rates: [{{provider: mine, prices: {{input_text: {price}, output_text: 10}}}}]
human_review: {{rate_per_hour: 45}}
gpu_pools: [{{id: h, hourly_cost: {rent}, from: 2026-10-21T10:00:00Z, to: 2026-10-21T14:00:00Z, match: {{provider: vllm}}}}]
"""
NOW = BOOK.format(price=1, rent=2)
DEARER = BOOK.format(price=3, rent=6)


THEN = -30 * 86_400
"""When what has expired took place, in seconds after the epoch of the tests."""


def agent(ledger, trace, at=0.0, **more):
    """A request of every kind of span: steps, a plan, an answer, another's account of it, rent, a review."""
    said = {"tokentrace.attribution.team": "red", "user.id": "ann"}
    ledger.span(trace, "root", said=said, at=at, seconds=50, name="ask", **more)
    ledger.call(
        trace,
        "plan",
        "root",
        at=at + 1,
        provider="mine",
        model="m",
        tokens={"input_text": 900, "output_text": 70},
        role="plan",
        **more,
    )
    ledger.call(
        trace, "answer", "root", at=at + 10, seconds=9, provider="mine", model="m",
        tokens={"input_text": 1_000, "output_text": 100}, said=said | {"gen_ai.response.id": f"response-{trace}-of-mine"}, **more,
    )  # fmt: skip
    ledger.foreign(trace, "told", "root", at=at + 10, seconds=9, usage={"input_tokens": 1_000, "output_tokens": 100},
        said={"gen_ai.response.id": f"response-{trace}-of-mine"}, **more)  # fmt: skip
    ledger.call(
        trace,
        "own",
        "root",
        at=at + 30,
        seconds=9,
        provider="vllm",
        model="v",
        tokens={"input_text": 500},
        said=said,
        **more,
    )
    ledger.review(trace, "review", "root", at=at + 45, active=5, by="eve", **more)


def spans(ledger):
    return ledger.store.query("SELECT count() AS spans FROM llm_calls")[0]["spans"]


def expire(ledger):
    """Have the engine do now what it does when it has time."""
    for table in ("otel_traces", "llm_calls"):
        ledger.store.run(f"OPTIMIZE TABLE {table} FINAL", settings={"mutations_sync": 2})


def told(ledger):
    """What reports say of every request."""
    books = Books(ledger.store, "default")
    rows = answers.requests(books, answers.Filter(limit=100))
    return [answers.request(books, row["trace_id"]) for row in rows], rows


def figures(ledger):
    """The tables of cost as the reports read them: of hours, those by the prices in use."""
    tables = ledger.everything()
    run = ledger.store.query("SELECT value FROM rollup_state FINAL WHERE name = 'rating_run'")[0]["value"]
    tables["tcoai_by_hour"] = [
        {name: value for name, value in row.items() if name != "rating_run"}
        for row in tables["tcoai_by_hour"]
        if row["rating_run"] == run
    ]
    return tables


@pytest.fixture
def old(ledger):
    """Two requests that came ten days ago, of which calls are kept for seven, and have expired."""
    ledger.priced_by(NOW)
    agent(ledger, "a", at=THEN)
    agent(ledger, "b", at=THEN + 5_000)
    ledger.arrive(ago=10)
    ledger.tick()
    before = figures(ledger)
    assert [row["allocated"] for row in before["tcoai_by_trace"]] == [2, Decimal("0.805555555555555556")]
    ledger.kept(calls=7)
    ledger.tick()
    assert figures(ledger) == before
    return ledger


def test_figures_stay_when_the_engine_takes_the_spans_away(old):
    before, said = figures(old), told(old)
    expire(old)
    assert spans(old) == 0
    assert old.store.query("SELECT count() AS spans FROM otel_traces") == [{"spans": 0}]
    assert (figures(old), told(old)) == (before, said)
    old.rollup.tick()
    assert (figures(old), told(old)) == (before, said)


@pytest.mark.parametrize("is_gone", [False, True])
def test_neither_rebuild_nor_verify_needs_the_spans(old, is_gone):
    if is_gone:
        expire(old)
    before = figures(old)
    assert old.rollup.rebuild().traces == 0
    assert figures(old) == before
    verified = old.rollup.verify().verified
    assert (verified["closed"], verified["differences"]) == (2, [])
    assert figures(old) == before


@pytest.mark.parametrize("is_gone", [False, True])
def test_other_prices_change_what_is_open_and_nothing_that_is_closed(old, is_gone):
    agent(old, "new", at=90_000)
    old.tick()
    if is_gone:
        expire(old)
    before, kept = old.trace("new"), figures(old)
    [tried, *_] = old.rollup.reprice(Repricing(parse(DEARER), adopt=True)).repriced
    assert old.trace("new")["direct"] - before["direct"] == Decimal(tried["delta"]) == Decimal("0.0038")
    after = figures(old)
    for table in ("call_costs", "tcoai_by_trace", "capacity_lines"):
        closed = [row for row in kept[table] if row["trace_id"] != "new"]
        assert [row for row in after[table] if row["trace_id"] != "new"] == closed
    assert after["capacity_hours"] == kept["capacity_hours"]
    assert sum(row["amount"] or 0 for row in after["tcoai_by_hour"]) == sum(row["total"] for row in after["tcoai_by_trace"]) + sum(
        row["amount"] for row in after["capacity_lines"] if not row["trace_id"])  # fmt: skip
    assert old.rollup.verify().verified["differences"] == []


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_comes_late_is_added_and_changes_nothing_else(old, is_gone):
    if is_gone:
        expire(old)
    before = figures(old)
    old.call("a", "late", "gone", at=THEN + 3_000, provider="mine", model="m", tokens={"input_text": 2_000})
    old.review("a", "checked", at=THEN + 7_000, active=60, by="max")
    old.arrive()
    report = old.rollup.tick()
    assert (report.traces, report.late, report.undecided) == (0, 2, 0)
    after = figures(old)
    added = [row for row in after["call_costs"] if row["span_id"] in {"late", "checked"}]
    assert [row for row in after["call_costs"] if row not in added] == before["call_costs"]
    assert {row["span_id"]: (row["total"], row["role"], row["team"]) for row in added} == {
        "late": (Decimal("0.002"), "unknown", ""),
        # A review is for whom its request is for, though nothing but its sums is left.
        "checked": (Decimal("0.75"), "", "red"),
    }
    was, now = ({row["trace_id"]: row for row in each["tcoai_by_trace"]} for each in (before, after))
    assert (now["b"], now["a"]["total"] - was["a"]["total"]) == (was["b"], Decimal("0.752"))
    same = (
        "day",
        "started_at",
        "ended_at",
        "root_name",
        "team",
        "user",
        "allocated",
        "unexplained_tokens",
        "rating_run",
    )
    assert [now["a"][name] for name in same] == [was["a"][name] for name in same]
    hours = [sum(row["amount"] or 0 for row in each["tcoai_by_hour"]) for each in (before, after)]
    assert hours[1] - hours[0] == Decimal("0.752")
    assert old.rollup.tick().late == 0
    assert old.rollup.verify().verified["differences"] == []
    assert figures(old) == after


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_may_tell_of_the_same_call_bears_nothing_and_is_counted(old, is_gone):
    """An outer span, another's account of a call, and a call of ours that another may have told of."""
    if is_gone:
        expire(old)
    before = figures(old)
    usage = {"input_tokens": 7_000, "output_tokens": 700}
    old.foreign("a", "outer", at=THEN + 5, seconds=30, usage=usage)
    old.call(
        "a",
        "agent",
        at=THEN + 5,
        seconds=30,
        tokens={"input_text": 7_000},
        said={"tokentrace.usage.scope": "aggregate"},
    )
    old.call("a", "again", at=THEN + 12, provider="mine", model="m", tokens={"input_text": 1_000, "output_text": 100})
    # Whatever was then has ended before: it is a call of its own.
    old.foreign("a", "after", at=THEN + 9_000, usage=usage)
    old.arrive()
    report = old.rollup.tick()
    assert (report.late, report.undecided) == (1, 2)
    reasons = {each: old.call_cost("a", each)["borne_by"] for each in ("outer", "agent", "again", "after")}
    assert reasons == {"outer": "closed", "agent": "aggregate", "again": "closed", "after": ""}
    assert old.trace("a")["unexplained_tokens"] == 0
    [was] = [row for row in before["tcoai_by_trace"] if row["trace_id"] == "a"]
    assert old.trace("a")["total"] - was["total"] == old.call_cost("a", "after")["total"] > 0
    assert old.rollup.verify().verified["differences"] == []


def test_a_span_that_is_sent_again_changes_nothing(old):
    expire(old)
    before = figures(old)
    agent(old, "a", at=THEN + 7)
    old.arrive()
    assert old.rollup.tick().late == 0
    assert figures(old) == before


@pytest.mark.parametrize("table", ["tcoai_by_hour", "tcoai_by_trace", "taken_traces"])
def test_a_run_that_was_cut_short_is_done_again(old, table, monkeypatch):
    """What it had added is not taken for what had been there."""
    expire(old)
    old.call("a", "late", at=THEN + 3_000, provider="mine", model="m", tokens={"input_text": 2_000})
    old.arrive()
    run = type(old.store).run

    def cut(store, sql, /, **more):
        if f"INSERT INTO {table}" in sql or f"TRUNCATE TABLE {table}" in sql:
            raise StoreError("The power went.")
        run(store, sql, **more)

    monkeypatch.setattr(type(old.store), "run", cut)
    with pytest.raises(StoreError):
        old.rollup.tick()
    monkeypatch.setattr(type(old.store), "run", run)
    old.rollup.tick()
    assert old.trace("a")["calls"] == 4
    totals = [
        sum(row[name] or 0 for row in figures(old)[table])
        for table, name in (("tcoai_by_hour", "amount"), ("tcoai_by_trace", "total"), ("capacity_hours", "unallocated"))
    ]
    assert totals[0] == totals[1] + totals[2]
    assert old.rollup.verify().verified["differences"] == []


def test_a_trace_is_closed_a_day_before_its_spans_expire(ledger):
    ledger.kept(calls=7)
    agent(ledger, "open", at=0)
    ledger.arrive(ago=5.9)
    agent(ledger, "closed", at=0)
    ledger.arrive(ago=6.1)
    ledger.tick()
    ledger.tick()
    expire(ledger)
    assert spans(ledger) == 12
    for trace in ("open", "closed"):
        ledger.call(trace, "more", at=50, tokens={"input_text": 1})
    ledger.arrive()
    assert ledger.rollup.tick().traces == 1


def test_what_is_filled_in_from_an_archive_is_as_young_as_its_arrival(ledger):
    """However long ago it took place, and whatever the clock of its sender."""
    ledger.kept(calls=7)
    agent(ledger, "archive", at=-400 * 86_400)
    ledger.tick()
    ledger.tick()
    expire(ledger)
    assert (spans(ledger), ledger.rollup.rebuild().traces) == (6, 1)


def test_a_longer_retention_opens_nothing_again(old):
    expire(old)
    before = figures(old)
    horizon = "SELECT value FROM rollup_state FINAL WHERE name = 'horizon'"
    reached = old.store.query(horizon)
    for days in (400, None):
        old.kept(calls=days)
        old.rollup.tick()
        assert old.rollup.rebuild().traces == 0
        assert (figures(old), old.store.query(horizon)) == (before, reached)


def ttl(ledger):
    rows = ledger.store.query(
        "SELECT name, extract(engine_full, ' TTL (.*?)(?: SETTINGS|$)') AS ttl FROM system.tables "
        "WHERE database = currentDatabase() AND ttl != '' AND name != 'rollup_leases' ORDER BY name"
    )
    return {row["name"]: row["ttl"] for row in rows}


def test_the_engine_is_told_once_and_told_when_it_is_over(ledger):
    ledger.tick()
    assert ttl(ledger) == {}
    ledger.kept(raw=30, calls=400, costs=1825)
    ledger.tick()
    applied = ttl(ledger)
    assert applied["otel_traces"] == "toDateTime(IngestedAt) + toIntervalSecond(2592000)"
    assert applied["llm_calls"] == "toDateTime(ingested_at) + toIntervalSecond(34560000)"
    assert set(applied) == {
        "otel_traces",
        "llm_calls",
        "outcomes",
        "reviewed",
        "reviews",
        "trace_extents",
        "work_unit_runs",
    }
    mutations = "SELECT count() AS told FROM system.mutations WHERE database = currentDatabase()"
    before = ledger.store.query(mutations)
    ledger.kept(raw=30, calls=400, costs=1825)
    ledger.tick()
    assert ledger.store.query(mutations) == before
    ledger.kept(raw=30)
    ledger.tick()
    assert set(ttl(ledger)) == {"otel_traces"}
    ledger.kept()
    ledger.tick()
    assert ttl(ledger) == {}


@pytest.mark.parametrize("cut", ["ALTER TABLE llm_calls", "ALTER TABLE otel_traces"])
@pytest.mark.parametrize("then", [30, 3])
def test_the_horizon_goes_before_the_engine_also_where_that_is_cut_short(old, cut, then, monkeypatch):
    """A time that is made longer counts when the engine knows it, a shorter one before."""
    run = type(old.store).run

    def power(store, sql, /, **more):
        if sql.startswith(cut):
            raise StoreError("The power went.")
        run(store, sql, **more)

    monkeypatch.setattr(type(old.store), "run", power)
    with pytest.raises(StoreError):
        old.kept(calls=then).rollup.tick()
    seconds = "SELECT toUInt32(value) AS value FROM rollup_state FINAL WHERE name = 'retention_calls'"
    assert old.store.query(seconds) == [{"value": min(7, then) * 86_400}]
    monkeypatch.setattr(type(old.store), "run", run)
    old.rollup.tick()
    assert old.store.query(seconds) == [{"value": then * 86_400}]
    assert str(then * 86_400) in ttl(old)["llm_calls"]


def test_what_has_expired_can_be_deleted(old):
    expire(old)
    rows = old.rollup.delete(Wanted("default", "trace", "a"), lambda _traces: None)
    assert rows["call_costs"] == 5
    after = figures(old)
    assert {row["trace_id"] for table in ("call_costs", "tcoai_by_trace") for row in after[table]} == {"b"}
    whole = sum(row["amount"] or 0 for row in after["tcoai_by_hour"])
    assert whole == old.trace("b")["total"] + sum(row["unallocated"] for row in after["capacity_hours"])
    assert old.rollup.verify().verified["differences"] == []
    assert old.rollup.delete(Wanted("default", "user", "ann"), lambda _traces: None)["call_costs"] == 5
    assert figures(old)["call_costs"] == []


@pytest.fixture
def ancient(ledger):
    """A request of two years ago and one of today; costs are kept for one."""
    ledger.priced_by(NOW)
    agent(ledger, "ancient", at=ledger.ago(730))
    agent(ledger, "new", at=ledger.ago(1))
    ledger.tick()
    return ledger


def test_costs_go_by_whole_months_and_sums_by_hour_stay(ancient):
    before = figures(ancient)
    ancient.kept(costs=365).tick()
    after = figures(ancient)
    assert after["tcoai_by_hour"] == before["tcoai_by_hour"]
    assert {row["trace_id"] for table in ("call_costs", "tcoai_by_trace") for row in after[table]} == {"new"}
    ancient.rollup.rebuild()
    assert figures(ancient) == after
    assert ancient.rollup.verify().verified["differences"] == []
    # What took place then and comes now is of no time that anything is kept of.
    ancient.call("ancient", "late", at=ancient.ago(730) + 5, tokens={"input_text": 1_000})
    ancient.tick()
    assert figures(ancient) == after


def test_sums_by_hour_go_on_where_prices_change(ancient):
    ancient.kept(costs=365).tick()
    early = [row for row in figures(ancient)["tcoai_by_hour"] if row["hour"] < datetime.now(UTC) - timedelta(days=400)]
    [tried, *_] = ancient.rollup.reprice(Repricing(parse(DEARER), adopt=True)).repriced
    assert (
        [row for row in figures(ancient)["tcoai_by_hour"] if row["hour"] < datetime.now(UTC) - timedelta(days=400)]
        == early
        != []
    )
    assert Decimal(tried["after"]) == sum(row["amount"] or 0 for row in figures(ancient)["tcoai_by_hour"])
    ancient.rollup.delete(Wanted("default"), lambda _traces: None)
    assert [
        row for row in figures(ancient)["tcoai_by_hour"] if row["hour"] < datetime.now(UTC) - timedelta(days=400)
    ] == []


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ({"raw": 30, "calls": 7}, r"raw=30d is longer than calls=7d"),
        ({"calls": 30, "costs": 7}, r"calls=30d is longer than costs=7d"),
        ({"raw": 30, "costs": 7}, r"raw=30d is longer than costs=7d"),
        ({"calls": 1}, r"calls=1d is too short\. Keep them 2d or longer"),
        ({"raw": 0.5}, r"raw=12h is too short"),
    ],
)
def test_what_cannot_be_kept_so_is_refused(days, told):
    with pytest.raises(RetentionError, match=told):
        Retention(**{name: timedelta(days=each) for name, each in days.items()})


def test_what_nobody_says_is_kept_as_long_as_what_follows():
    year = timedelta(days=365)
    assert (Retention(costs=year).raw_for, Retention(costs=year).calls_for) == (year, year)
    assert (Retention(raw=year).calls_for, Retention(calls=year).raw_for) == (None, year)
