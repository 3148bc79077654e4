"""What is deleted is as if it had never come: in every table, to the last digit."""

import json
import random

import pytest

from tokentrace_collector.rollup import deletion
from tokentrace_collector.rollup.deletion import Wanted

POOL = """version: 1
gpu_pools:
  - {id: h, hourly_cost: 8, from: 2026-11-20T10:00:00Z, to: 2026-11-20T13:00:00Z, match: {provider: vllm},
     weights: {input: 0.08, cached: 0.008, output: 1}}
"""
TABLES = [*deletion.TOLD, *deletion.SHARED, *deletion.MADE]


def unheard(_traces):
    """Nothing is kept beside the database."""


def fill(ledger, people, *, without=()):
    """Requests of several tenants and users, which share responses, reviewers and hours."""
    dice = random.Random(7)
    for number in range(24):
        tenant, user = people[number % len(people)]
        trace, at = f"{number:032x}", dice.uniform(0, 9000)
        tokens = {"input_text": dice.randrange(1, 5000), "output_text": dice.randrange(1, 900)}
        seconds, active = dice.uniform(1, 300), dice.uniform(5, 200)
        if (tenant, user) in without or tenant in without or trace in without:
            continue
        said = {"user.id": user, "tokentrace.attribution.team": f"team {number % 2}"}
        ledger.span(trace, "root", said={"user.id": user}, at=at, tenant=tenant)
        response = f"resp_{number // 6:020}"
        ledger.call(
            trace, "call", "root", at=at, tokens=tokens, tenant=tenant, said=said | {"gen_ai.response.id": response}
        )
        ledger.call(
            trace, "own", "root", at=at, seconds=seconds, tokens=tokens, tenant=tenant, provider="vllm",
            model="own-1", said=said, failed=number % 5 == 0,
        )  # fmt: skip
        ledger.foreign(trace, "told", at=at, usage={"input_tokens": 5}, tenant=tenant,
            said={"gen_ai.response.id": response})  # fmt: skip
        ledger.review(trace, "review", "root", at=at, active=active, by="eve", tenant=tenant)
        if number % 6 == 0:
            named = [f"{each:032x}:{each + 1}" for each in (number, number + 1, number + 4, number - 5) if each >= 0]
            ledger.review(
                f"{100 + number:032x}", "shared", at=at + 4000, active=active, by="max", tenant=tenant,
                said={"user.id": user, "tokentrace.review.session": "s", "tokentrace.review.traces": json.dumps(named)},
            )  # fmt: skip
        ledger.span(
            trace, "outcome", "root", at=at, tenant=tenant,
            said={"tokentrace.outcome.status": "achieved", "tokentrace.outcome.value": "1.5"},
        )  # fmt: skip
    ledger.span("later", "x", at=20_000, tenant="hooli")
    ledger.arrive()
    ledger.tick()


PEOPLE = [("acme", "ann"), ("acme", "bob"), ("globex", "ann"), ("default", "cid"), ("acme", "dan")]
CASES = {
    "trace": (Wanted("acme", "trace", f"{1:032x}"), [f"{1:032x}"]),
    "user": (Wanted("acme", "user", "ann"), [("acme", "ann")]),
    "user of the pool's tenant": (Wanted("default", "user", "cid"), [("default", "cid")]),
    "tenant": (Wanted("acme"), ["acme"]),
}


SUMMED = ("capacity_hours", "tcoai_by_hour")


def held(ledger, table):
    """The rows of a table, but for when they came and which run wrote them."""
    final = "" if table in {"otel_traces", "touched_traces", "taken_traces"} else "FINAL"
    rows = ledger.store.query(f"SELECT * FROM {table} {final} ORDER BY ALL")
    passing = {"ingested_at", "IngestedAt", "version", "touch", "received"}
    return sorted(repr({name: _orderless(row[name]) for name in row if name not in passing}) for row in rows)


def _orderless(value):
    return sorted(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else value


def equal(one, other):
    return {table: held(one, table) for table in (*TABLES, *SUMMED)} == {
        table: held(other, table) for table in (*TABLES, *SUMMED)
    }


@pytest.mark.parametrize("book", ["version: 1", POOL], ids=["by tokens", "by the hour"])
@pytest.mark.parametrize("case", CASES)
def test_every_table_is_as_if_it_had_never_come(fresh_ledger, case, book):
    wanted, without = CASES[case]
    whole, never = fresh_ledger().priced_by(book), fresh_ledger().priced_by(book)
    fill(whole, PEOPLE)
    fill(never, PEOPLE, without=without)
    assert not equal(whole, never)
    deleted = whole.rollup.delete(wanted, unheard)
    assert deleted["otel_traces"] > 0
    for table in (*TABLES, *SUMMED):
        assert held(whole, table) == held(never, table), table
    assert whole.rollup.verify().verified["differences"] == []


def test_nothing_of_a_tenant_stays_in_the_figures_of_earlier_prices(fresh_ledger):
    ledger = fresh_ledger()
    fill(ledger, PEOPLE)
    ledger.priced_by("{version: 1, human_review: {rate_per_hour: 99}}")
    ledger.tick()
    runs = "SELECT uniqExact(rating_run) AS runs FROM tcoai_by_hour FINAL WHERE tenant = {tenant:String}"
    assert ledger.store.query(runs, tenant="acme") == [{"runs": 2}]
    ledger.rollup.delete(Wanted("acme"), unheard)
    assert ledger.store.query(runs, tenant="acme") == [{"runs": 0}]
    assert ledger.store.query(runs, tenant="globex") == [{"runs": 2}]


def test_deleting_again_deletes_nothing(fresh_ledger):
    ledger = fresh_ledger()
    fill(ledger, PEOPLE)
    ledger.rollup.delete(Wanted("acme", "user", "ann"), unheard)
    before = ledger.everything()
    assert ledger.rollup.delete(Wanted("acme", "user", "ann"), unheard) == {}
    assert ledger.everything() == before


def test_what_would_be_deleted_is_counted_and_stays(fresh_ledger):
    ledger = fresh_ledger()
    fill(ledger, PEOPLE)
    before = ledger.everything()
    counted = ledger.rollup.count(Wanted("acme", "user", "ann"))
    assert ledger.everything() == before
    assert ledger.rollup.delete(Wanted("acme", "user", "ann"), unheard) == counted


class CrashError(Exception):
    """The process ends here."""


def is_cut_short(ledger, monkeypatch, wanted, most):
    """Delete, and crash before the statement of that number; whether it came to that."""
    run, done = ledger.store.run, 0

    def counted(sql, **more):
        nonlocal done
        # Claims of the rollup end by themselves.
        if "rollup_leases" not in sql:
            if done == most:
                raise CrashError
            done += 1
        run(sql, **more)

    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "run", counted)
        try:
            ledger.rollup.delete(wanted, unheard)
        except CrashError:
            return True
    return False


@pytest.mark.parametrize("first", [6, 17, 29, 41])
def test_a_deletion_may_be_repeated_wherever_it_was_cut_short(fresh_ledger, monkeypatch, first):
    """Also again and again, each time a little later."""
    wanted, without = CASES["user of the pool's tenant"]
    never, ledger = fresh_ledger().priced_by(POOL), fresh_ledger().priced_by(POOL)
    fill(never, PEOPLE, without=without)
    fill(ledger, PEOPLE)
    assert is_cut_short(ledger, monkeypatch, wanted, first)
    most = first
    while is_cut_short(ledger, monkeypatch, wanted, most):
        most += 13
    assert most > first
    for table in (*TABLES, *SUMMED):
        assert held(ledger, table) == held(never, table), table


def test_a_span_that_is_sent_anew_is_new(fresh_ledger):
    ledger = fresh_ledger()
    for _ in range(2):
        ledger.call("t", "call", tokens={"input_text": 100}, said={"user.id": "ann"})
        ledger.tick()
        assert ledger.trace("t")["total"] > 0
        ledger.rollup.delete(Wanted("default", "user", "ann"), unheard)
        assert ledger.store.query("SELECT * FROM tcoai_by_trace") == []


def test_somebody_is_found_by_what_the_name_used_to_be(fresh_ledger):
    ledger = fresh_ledger()
    ledger.span("t", "a", said={"enduser.id": "ann"})
    ledger.span("u", "a", resource={"enduser.id": "ann"})
    ledger.span("v", "a", said={"enduser.id": "ann", "user.id": "bob"}, tenant="other")
    ledger.tick()
    assert ledger.rollup.delete(Wanted("default", "user", "ann"), unheard)["otel_traces"] == 2
    assert [row["TraceId"] for row in ledger.store.query("SELECT TraceId FROM otel_traces")] == ["v"]


def test_no_table_that_knows_of_traces_is_left_out(store):
    """Scratch is empty when the rollup is over."""
    asked = """
    SELECT DISTINCT table FROM system.columns
    WHERE database = currentDatabase() AND name IN ('TraceId', 'trace_id', 'traces', 'owner', 'user', 'session')
        AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
    """
    assert {row["table"] for row in store.query(asked)} == set(TABLES)
