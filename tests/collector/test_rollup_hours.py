"""The sums of hours are changed by what a batch has changed, and are those of all costs whatever happens in between."""

import json
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.rollup import extents, gathered
from tokentrace_collector.store.database import Store

HOUR = 3_600
LASTS = re.compile(
    r"INSERT INTO (call_costs|capacity_lines|capacity_hours|commitment_periods|tcoai_by_trace|tcoai_by_hour)\b"
    r"|MOVE PARTITION|TRUNCATE TABLE taken_traces"
)
SHARED = re.compile(r"INSERT INTO (capacity_lines|commitment_periods|tcoai_by_trace)\b")
"""Of the same, those that share something out, and sum shares up by trace."""
BOOK = """
version: 1
rates:
  - {provider: p, model: m, prices: {input_text: 3, output_text: 7}}
  - {provider: p, model: half, prices: {input_text: 3}}
human_review: {rate_per_hour: 36}
"""
POOL = BOOK + "gpu_pools: [{id: h, hourly_cost: 7.77, match: {provider: vllm}}]\n"
PROMISE = (
    BOOK
    + """
commitments:
  - id: c
    kind: usage
    settle: hour
    price: 7.77
    quantity: 250
    weights: {input: 1}
    from: 2026-11-20
    to: 2026-11-23
    match: {provider: vllm}
"""
)


class CrashError(Exception):
    """The process is gone."""


class Fragile(Store):
    """A store whose process dies after so many of the statements whose outcome stays, if there are as many."""

    def __init__(self, store):
        super().__init__(store.address, store._client)
        self.left = 0
        self.counted = LASTS

    def run(self, sql, /, **more):
        super().run(sql, **more)
        if self.counted.search(sql):
            self._count()

    def insert(self, table, *given, **more):
        super().insert(table, *given, **more)
        if self.counted is LASTS:
            self._count()

    def _count(self):
        self.left -= 1
        if not self.left:
            raise CrashError


@pytest.fixture
def fragile_ledger(fresh_ledger):
    """Makes ledgers whose rollup may die."""

    def make(book):
        ledger = fresh_ledger().priced_by(book)
        ledger.store = Fragile(ledger.store)
        return ledger

    return make


def tick(ledger, crash):
    """Roll up, in a process that dies after so many statements; whether it did."""
    ledger.arrive()
    ledger.store.left = crash
    try:
        ledger.rollup.tick()
    except CrashError:
        return True
    finally:
        ledger.store.left = 0
    return False


def is_whole(ledger):
    """Whether everything is as all spans together give it."""
    found = ledger.everything()
    ledger.rollup.rebuild()
    again = ledger.everything()
    assert Counter(map(str, found["tcoai_by_hour"])) == Counter(map(str, again["tcoai_by_hour"]))
    return found == again


steps = st.fixed_dictionaries({
    "what": st.sampled_from(("call", "call", "foreign", "both", "lost", "review", "shared")),
    "trace": st.integers(0, 4),
    "span": st.integers(0, 2),
    "hour": st.integers(0, 3),
    "model": st.sampled_from(("m", "m", "half", "nobody's")),
    "provider": st.sampled_from(("p", "p", "vllm")),
    "tokens": st.integers(0, 9_000),
    "team": st.sampled_from(("a", "b")),
    "crash": st.integers(0, 9),
})  # fmt: skip


def told(ledger, each):
    """What a step tells: a span that is new, or that was told otherwise before."""
    place = {"at": each["hour"] * HOUR + each["span"]}
    named = {"tokentrace.attribution.team": each["team"], "gen_ai.response.id": f"resp_{each['span']:016}"}
    trace, span = f"t{each['trace']}", f"s{each['span']}"
    tokens = {"input_text": each["tokens"], "output_text": 10}
    if each["what"] in {"call", "both"}:
        ledger.call(trace, span, provider=each["provider"], model=each["model"], tokens=tokens, said=named, **place)
    if each["what"] in {"foreign", "both"}:
        said = {**named, "gen_ai.provider.name": "p"}
        usage = {"input_tokens": each["tokens"], "output_tokens": 10}
        ledger.foreign(trace, f"f{each['span']}", model=each["model"], usage=usage, said=said, **place)
    if each["what"] == "lost":
        said = {**named, "tokentrace.usage.source": "missing"}
        ledger.call(trace, span, provider="p", model=each["model"], said=said, **place)
    if each["what"] == "shared":
        reviewed = json.dumps([trace, f"t{each['hour']}"])
        said = {"tokentrace.report": "review", "tokentrace.review.traces": reviewed}
        ledger.review(f"r{each['span']}", "r", active=each["tokens"] % 400, said=said, **place)
    if each["what"] == "review":
        ledger.review(trace, f"r{each['span']}", active=each["tokens"] % 400, by="x", **place)


@settings(
    max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(arrivals=st.lists(steps, min_size=9, max_size=9), book=st.sampled_from((BOOK, POOL, PROMISE)))
def test_hours_are_those_of_a_recomputation_whatever_came_and_broke(fragile_ledger, arrivals, book):
    """Calls that are new, told again, told otherwise, by others too, or without usage; in runs that end anywhere."""
    ledger = fragile_ledger(book)
    ledger.call("first", "s", provider="vllm", tokens={"input_text": 5})
    ledger.tick()
    for each in arrivals:
        told(ledger, each)
        tick(ledger, each["crash"])
    ledger.tick()
    assert is_whole(ledger)


def test_a_run_that_breaks_after_any_of_its_statements_loses_nothing(fragile_ledger):
    """Also where the next one is about other traces of the same hours, and of what nobody used."""
    ledger = fragile_ledger(POOL)
    for number in range(4):
        provider = "vllm" if number == 3 else "p"
        ledger.call(f"t{number}", "a", provider=provider, model="m", tokens={"input_text": 100}, at=number)
    ledger.tick()
    crash = 1
    while tick(ledger, crash) or crash == 1:
        crash += 1
        for trace in ("t0", "t3"):
            provider = "vllm" if trace == "t3" else "p"
            ledger.call(
                trace, "a", provider=provider, model="m", tokens={"input_text": 100 + crash}, at=crash % 3 * HOUR
            )
        ledger.arrive()
        if crash % 2:
            ledger.call("t1", f"b{crash}", provider="p", model="m", tokens={"input_text": crash}, at=crash % 3 * HOUR)
    assert crash > 6
    assert is_whole(ledger)


@pytest.mark.parametrize("what", ["commitment", "review"])
def test_what_others_have_a_share_in_is_theirs_wherever_a_run_breaks(fragile_ledger, what):
    """The next run is not told of them again: a period that others settled, a review that is not of all any more."""
    ledger, crash, broke = fragile_ledger(PROMISE), 0, True
    ledger.store.counted = SHARED

    def used(trace, provider, hour):
        ledger.call(trace, "a", provider=provider, model="m", tokens={"input_text": 100}, at=hour * HOUR)

    def reviewed(number, active, *traces):
        said = {"tokentrace.report": "review", "tokentrace.review.traces": json.dumps(traces)}
        ledger.review(f"r{number}", "r", active=active, said=said, at=9 * HOUR)

    while broke:
        crash += 1
        used(f"t{crash}", "vllm", 2 * crash)
        if what == "review":
            reviewed(crash, 60, f"t{crash}", f"u{crash}")
        ledger.tick()
        if what == "review":
            reviewed(crash, 61, f"u{crash}")
        else:
            used(f"u{crash}", "p", 2 * crash + 1)
        broke = tick(ledger, crash)
    assert crash > 3
    assert is_whole(ledger)


def test_a_batch_that_is_large_or_lasts_for_years_gives_the_same(fragile_ledger, monkeypatch):
    """Its hours are summed up whole."""
    ledger = fragile_ledger(BOOK)

    def arrive(model, tokens):
        for number in range(3):
            ledger.call(f"t{number}", "a", provider="p", model=model, tokens={"input_text": tokens}, at=number * HOUR)
        ledger.tick()

    arrive("m", 100)
    for module, name, model in ((extents, "_MOST", "half"), (gathered, "MOST", "nobody's")):
        with monkeypatch.context() as small:
            small.setattr(module, name, 2)
            arrive(model, 9)
    ledger.span("t1", "endless", at=-400 * 24 * HOUR)
    ledger.call("t1", "b", provider="p", model="m", tokens={"input_text": 7}, at=9 * HOUR)
    ledger.tick()
    assert is_whole(ledger)


def test_an_hour_whose_last_known_price_has_gone_knows_none(fragile_ledger):
    """One line of a sum with an amount is enough to have one; whether any is left, only the lines tell."""
    ledger = fragile_ledger(BOOK + "trust_reported: [proxy]\n")
    cost = {"tokentrace.cost.reported": "0.5", "tokentrace.cost.reporter": "proxy"}
    for trace, said in (("t", cost), ("u", {})):
        ledger.call(trace, "a", provider="p", model="nobody's", tokens={"input_text": 100}, said=said)
    ledger.tick()
    ledger.call("t", "a", provider="p", model="nobody's", tokens={"input_text": 100})
    ledger.tick()
    assert is_whole(ledger)
