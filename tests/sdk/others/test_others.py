"""Whoever else tells of a call, the collector counts it once: real packages, real exporters, a collector of its own.

Which are there says the environment; the collector runs in the one that has its store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from others import likeness
from others.all import OTHERS
from others.instrumentations import INSTRUMENTATIONS
from others.other import ABSENT
from others.running import Row, Running, ask
from others.unlike import UNLIKE

CASES = [pytest.param(other, id=other.name) for other in OTHERS if other.is_installed]
TELLING = [other for other in INSTRUMENTATIONS if other.name in UNLIKE and other.is_installed]
ROWS = 1_000


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector of its own."""
    with Running(tmp_path_factory.mktemp("collector") / "books") as running:
        yield running


@pytest.fixture(scope="module")
def stored(collector: Running) -> dict[str, list[Row]]:
    """What everybody there is tells of each call, ours too, as the collector has read it; by who else tells."""
    for other in TELLING:
        collector.billed(other)
    return {other.name: list(rows) for other, rows in zip(TELLING, collector.rows(TELLING), strict=True)}


def test_each_has_a_name_of_its_own():
    assert len({other.name for other in OTHERS}) == len(OTHERS)


@pytest.mark.parametrize("other", CASES)
def test_each_call_costs_once(collector, other):
    billed, told = collector.billed(other)
    assert bool(told) == (other.counted != ABSENT)
    ask(f"{collector.api}/v1/rollup", post=True)
    found = ask(f"{collector.api}/v1/traces", service=other.name, limit=str(ROWS))["traces"]
    tokens: Counter[str] = Counter()
    for each in found:
        tokens.update(each["tokens"])
    counted = {"calls": sum(each["calls"] for each in found), "tokens": +tokens}
    assert counted == billed, [(each["root"], each["calls"], each["tokens"]) for each in found]


@pytest.mark.parametrize("other", [pytest.param(other, id=other.name) for other in TELLING])
def test_each_tells_of_a_call_what_ours_tells_save_for_what_is_known(stored, other):
    """An exception that is no longer needed fails here, too."""
    doors = {case.name.split(",")[0] for case in other.cases()}
    known = {each for unlike in UNLIKE[other.name] for each in unlike.differences if each[0] in doors}
    assert likeness.differences(stored[other.name], doors) == known


def test_every_exception_has_a_reason_and_is_of_somebody_known():
    assert set(UNLIKE) <= {other.name for other in INSTRUMENTATIONS}
    assert [each for exceptions in UNLIKE.values() for each in exceptions if not each.why] == []
