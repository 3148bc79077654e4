"""Two collectors over one database: the figures are those of one, whoever runs when."""

import math
import threading
import time

import pytest

from tokentrace_collector.rollup.lease import LostError, TakenError
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store.database import Store, StoreError

LONG = 300
CALL = {"input_text": 1_000, "output_text": 100}
STAGES = ["rollup_spans", "rollup_lines", "call_costs", "tcoai_by_trace", "tcoai_by_hour"]


class Interrupted(Store):
    """A store where something happens before the first statement that fills a table."""

    def __init__(self, store, table, happens):
        super().__init__(store.address, store._client)
        self._table = f"INSERT INTO {table}"
        self._happens = [happens]

    def run(self, sql, /, **more):
        if self._table in sql and self._happens:
            self._happens.pop()()
        super().run(sql, **more)


@pytest.fixture
def rival(ledger):
    """The rollup of another collector."""
    handle = ledger.store.sibling()
    yield Rollup(handle)
    handle.close()


def spent(ledger):
    return [ledger.trace(trace)["total"] for trace in ("one", "two")]


def arrivals(ledger):
    ledger.call("one", "a", tokens=CALL)
    ledger.arrive()
    yield
    ledger.call("two", "b", tokens=CALL, at=3_600)
    ledger.arrive()


@pytest.mark.parametrize("table", STAGES)
def test_a_rollup_that_comes_while_another_runs_leaves_it_alone(ledger, rival, table):
    """And does its own work the next time."""
    ledger.tick()
    rival.tick()
    arriving, outcomes = arrivals(ledger), []

    def come():
        next(arriving, None)
        outcomes.append(rival.tick())

    next(arriving)
    mine = Rollup(Interrupted(ledger.store, table, come)).tick()
    assert (mine.traces, mine.is_elsewhere, outcomes[0].traces, outcomes[0].is_elsewhere) == (1, False, 0, True)
    assert rival.tick().traces == 1
    found = ledger.everything()
    assert spent(ledger) == [ledger.trace("one")["total"]] * 2 != [0, 0]
    ledger.rollup.rebuild()
    assert ledger.everything() == found


def test_rollups_at_the_same_time_give_the_figures_of_one(ledger, rival):
    """Both work at the same list until nothing is left of it."""
    for number in range(20):
        ledger.call(f"t{number}", "a", tokens=CALL, at=number * 600)
        ledger.arrive()
    ledger.rollup.tick()
    stop, failures = threading.Event(), []

    def roll(rollup):
        try:
            while not stop.is_set():
                rollup.tick()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=roll, args=(each,)) for each in (rival, Rollup(ledger.store.sibling()))]
    for thread in threads:
        thread.start()
    for number in range(10):
        ledger.call(f"t{number}", f"b{number}", tokens=CALL, at=number * 600)
        ledger.arrive()
    stop.set()
    for thread in threads:
        thread.join(LONG)
    assert failures == []
    ledger.rollup.tick()
    found = ledger.everything()
    ledger.rollup.rebuild()
    assert ledger.everything() == found
    assert len(found["tcoai_by_trace"]) == 20


def test_nothing_to_do_is_not_done_elsewhere(ledger, rival):
    """So an idle collector writes nothing, and is never in the way."""
    ledger.tick()
    claims = "SELECT count() AS claims FROM rollup_leases"
    (before,) = ledger.store.query(claims)
    assert (rival.tick().is_elsewhere, ledger.rollup.tick().traces) == (False, 0)
    assert ledger.store.query(claims) == [before]


def test_a_rebuild_waits_for_its_turn_and_says_so_if_it_is_in_vain(ledger, rival):
    """Who asked for it is waiting for the answer."""
    ledger.tick()
    ledger.call("one", "a", tokens=CALL)
    ledger.arrive()
    told = []

    def come():
        with pytest.raises(TakenError) as raised:
            Rollup(ledger.store.sibling(), patience=0).rebuild()
        told.append(raised.value.is_transient)

    Rollup(Interrupted(ledger.store, "call_costs", come)).tick()
    assert told == [True]
    assert rival.rebuild().traces == 1


def test_a_rollup_that_lost_its_lease_stops(ledger, monkeypatch):
    """And its work is done again by whoever comes next."""
    ledger.tick()
    ledger.call("one", "a", tokens=CALL)
    ledger.arrive()
    with monkeypatch.context() as late:
        stale = Rollup(
            Interrupted(ledger.store, "rollup_lines", lambda: late.setattr(time, "monotonic", lambda: math.inf))
        )
        with pytest.raises(LostError, match="ran out"):
            stale.tick()
    assert ledger.store.query("SELECT count() AS rows FROM call_costs") == [{"rows": 0}]
    ledger.tick()
    assert ledger.trace("one")["total"] > 0
