"""The rollup's lease: one at a time, whoever crashes and however many want it at once."""

import threading
from collections.abc import Callable
from time import monotonic, sleep

import pytest

from tokentrace_collector.rollup import lease
from tokentrace_collector.rollup.lease import Lease, LostError, TakenError
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store, StoreError

LONG = 300


def alive(store):
    return [row["claim"] for row in store.query("SELECT claim FROM rollup_leases FINAL WHERE until > now64(6)")]


def claim(store, name, life=LONG):
    """What another process of the same engine writes: one claim."""
    store.run(schema.sql("rollup/lease"), claim=name, turn=1, life=life * 1_000)


def eventually(happens: Callable[[], object]):
    until = monotonic() + LONG
    while not (found := happens()):
        assert monotonic() < until
        sleep(0.01)
    return found


class Overhearing(Store):
    """A store that calls somebody before it asks."""

    def __init__(self, store, before):
        super().__init__(store.address, store._client)
        self._before = before

    def query(self, sql, /, **parameters):
        self._before(sql)
        return super().query(sql, **parameters)


@pytest.fixture
def other(store):
    handle = store.sibling()
    yield handle
    handle.close()


def test_who_comes_while_it_is_held_does_not_get_it(store, other):
    with Lease(store).held(), pytest.raises(TakenError, match="Another collector") as raised, Lease(other).held():
        pass
    assert raised.value.is_transient
    with Lease(other).held(), pytest.raises(TakenError), Lease(store).held():
        pass
    assert alive(store) == []


def test_what_fails_inside_frees_it(store, other):
    with pytest.raises(ZeroDivisionError), Lease(store).held():
        raise ZeroDivisionError
    with Lease(other).held():
        assert len(alive(store)) == 1


def test_who_waits_gets_it_when_it_is_free(store, other):
    asked, got = threading.Event(), []

    def wait():
        with Lease(Overhearing(other, lambda _: asked.set())).held(patience=LONG):
            got.append(list(alive(other)))

    waiting = threading.Thread(target=wait)
    with Lease(store).held():
        waiting.start()
        assert asked.wait(LONG)
        assert not got
    waiting.join(LONG)
    assert [len(each) for each in got] == [1]


def test_many_at_once_have_it_one_after_the_other(store):
    """None of them sees the others before it has written."""
    inside, most, had = [], [], []

    def work(number):
        handle = store.sibling()
        for turn in range(3):
            with Lease(handle).held(patience=LONG):
                inside.append(number)
                most.append(len(inside))
                handle.query("SELECT count() FROM rollup_leases")
                inside.remove(number)
                had.append((number, turn))
        handle.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert (len(had), max(most)) == (9, 1)


@pytest.mark.parametrize(("name", "stays"), [("-", False), ("-~", True)])
def test_of_two_who_see_each_other_the_first_by_name_stays(store, name, stays):
    """The other one takes its claim back, whichever it is."""
    rival, looks = f"{lease._PROCESS}{name}", []

    def before(_):
        # When it has written its own claim, it looks: there is the rival's; and when it looks for the third time, it is gone.
        looks.append(alive(store))
        if len(looks) == 2:
            claim(store, rival)
        elif len(looks) == 4 and stays:
            store.run(schema.sql("rollup/lease_end"), claim=rival)

    contended = Lease(Overhearing(store, before)).held()
    if stays:
        with contended:
            assert len(looks) == 4
            assert len(alive(store)) == 1
    else:
        with pytest.raises(TakenError), contended:
            pass
        assert alive(store) == [rival]
        assert len(looks) == 3
    assert [len(look) for look in looks[:3]] == [0, 1, 2]


def test_who_holds_it_is_not_disturbed_by_a_claim_before_its_own(store):
    """The other one waits in vain for it to be taken back."""
    with Lease(store).held() as hold:
        claim(store, f"{lease._PROCESS}-")
        hold.check()
    assert alive(store) == [f"{lease._PROCESS}-"]


def test_the_claim_of_who_crashed_dies(store):
    claim(store, f"{lease._PROCESS}-crashed", life=1)
    with pytest.raises(TakenError), Lease(store).held():
        pass
    with Lease(store).held(patience=LONG):
        pass


def test_what_a_process_claimed_that_had_the_embedded_engine_before_is_over(store):
    claim(store, "0123-crashed")
    with Lease(store).held():
        assert len(alive(store)) == 2


def test_it_is_held_for_as_long_as_it_takes(store, other):
    """Longer than a claim lives by itself."""
    turns = "SELECT max(turn) AS turn FROM rollup_leases"
    with Lease(store, life=4.5).held() as hold:
        eventually(lambda: other.query(turns)[0]["turn"] > 4)
        hold.check()
        with pytest.raises(TakenError), Lease(other).held():
            pass


def test_who_cannot_renew_it_stops_before_the_others_may_begin(store, other, monkeypatch):
    def unreachable(_store):
        raise StoreError("The server is gone.", is_transient=True)

    monkeypatch.setattr(Store, "sibling", unreachable)
    with (
        Lease(store, life=1).held() as hold,
        Lease(other).held(patience=LONG),
        pytest.raises(LostError, match="ran out"),
    ):
        hold.check()


def test_a_claim_that_died_is_not_called_back(store):
    claim(store, "mine", life=0)
    store.run(schema.sql("rollup/lease"), claim="mine", turn=2, life=30_000)
    assert alive(store) == []
