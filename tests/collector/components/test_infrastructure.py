"""Infrastructure: hours of a pool that were paid for, shared out to the last unit; used ones into the parts of their calls."""

from decimal import Decimal

import pytest

POOL = "version: 1\ngpu_pools: [{{id: h, hourly_cost: {cost}, match: {{provider: vllm}}, weights: {{input: 0.08, cached: 0.008, output: 1}}{more}}}]"


def book(cost="10", more=""):
    return POOL.format(cost=cost, more=more)


def own(ledger, trace, span="a", **more):
    ledger.call(trace, span, provider="vllm", model="own", role="answer", **more)


def hour(ledger, at=0):
    asked = "SELECT * FROM capacity_hours FINAL WHERE hour = toDateTime('2026-11-20 10:00:00', 'UTC') + {at:UInt32}"
    (row,) = ledger.store.query(asked, at=at)
    return row


def test_an_hour_is_shared_by_weighted_tokens_at_a_stated_capacity(ledger):
    """T5 of the method: three traces, used and idle, to the last unit."""
    ledger.priced_by(book("11.268597260273972603", ", capacity: 18000, to: 2026-11-20T11:00:00Z"))
    for trace, (fresh, cached, out) in {
        "a": (200_000, 1_000_000, 900_000),
        "b": (50_000, 0, 2_000_000),
        "c": (4_000_000, 6_000_000, 1_500_000),
    }.items():
        own(ledger, trace, tokens={"input_text": fresh, "cache_read": cached, "output_text": out}, seconds=600)
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    rows = [ledger.trace(trace) for trace in "abc"]
    assert [str(round(row["visible"], 6)) for row in rows] == ["0.160682", "0.348492", "0.324842"]
    assert [str(round(row["infrastructure"], 6)) for row in rows] == ["2.010332", "4.360071", "4.064178"]
    assert sum(row["total"] for row in rows) == hour(ledger)["cost"] == Decimal("11.268597260273972603")


def test_requests_at_once_do_not_cost_more_than_the_hour(ledger):
    """Thirty-two requests of ten minutes, all at the same time, keep the pool busy for ten minutes."""
    ledger.priced_by(book("11.27", ", to: 2026-11-20T11:00:00Z"))
    for number in range(32):
        own(ledger, f"t{number:02}", tokens={"output_text": 1_000}, seconds=600)
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    row = hour(ledger)
    assert (row["busy_seconds"], row["used"], row["used"] + row["idle"]) == (
        600,
        Decimal("1.878333333333333333"),
        Decimal("11.27"),
    )


def test_used_capacity_falls_into_the_components_of_its_call(ledger):
    """So that own machines compare with an API; it is allocated, not direct."""
    ledger.priced_by(book("36", ", to: 2026-11-20T11:00:00Z"))
    own(ledger, "t", tokens={"output_text": 300, "output_reasoning": 100}, seconds=3_600)
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    assert ledger.components("t") == {"hidden_reasoning": "9", "visible": "27"}
    assert (ledger.trace("t")["direct"], ledger.trace("t")["allocated"]) == (0, 36)


def test_an_hour_without_traffic_is_nobodys(ledger):
    """It is booked whole, to no trace."""
    ledger.priced_by(book(more=", from: 2026-11-20T09:00:00Z, to: 2026-11-20T11:00:00Z"))
    ledger.call("t", "a", tokens={"input_text": 1})
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    rows = ledger.store.query("SELECT trace_id, hour, amount FROM capacity_lines FINAL ORDER BY hour")
    assert [(row["trace_id"], row["hour"].hour, row["amount"]) for row in rows] == [("", 9, 10), ("", 10, 10)]


def test_the_running_hour_is_charged_up_to_the_latest_span(ledger):
    """By what has happened, never by the clock."""
    ledger.priced_by(book("3600"))
    own(ledger, "t", tokens={"output_text": 1}, seconds=90)
    ledger.tick()
    first = ledger.trace("t")["total"]
    ledger.span("other", "x", at=100, seconds=20)
    ledger.tick()
    assert (first, ledger.trace("t")["total"]) == (90, 120)


def test_a_neighbour_that_comes_later_changes_what_is_allocated_only(ledger):
    """The hour is shared out again, whole."""
    ledger.priced_by(book("10", ", to: 2026-11-20T11:00:00Z"))
    own(ledger, "t", tokens={"output_text": 100}, seconds=60)
    ledger.call("t", "api", tokens={"input_text": 1_000})
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    before = ledger.trace("t")
    own(ledger, "u", tokens={"output_text": 300}, seconds=60)
    ledger.tick()
    after = ledger.trace("t")
    assert (before["direct"], before["allocated"]) == (Decimal("0.002"), 10)
    assert (after["direct"], after["allocated"], ledger.trace("u")["allocated"]) == (
        Decimal("0.002"),
        Decimal("2.5"),
        Decimal("7.5"),
    )


def test_an_hour_after_the_end_of_a_pool_is_not_booked(ledger):
    """A call that began before it may last longer, but nobody pays for that."""
    ledger.priced_by(book("10", ", to: 2026-11-20T11:00:00Z"))
    own(ledger, "t", tokens={"output_text": 100}, at=3_540, seconds=120)
    ledger.tick()
    assert ledger.store.query("SELECT count() AS hours FROM capacity_hours FINAL") == [{"hours": 1}]
    assert ledger.trace("t")["allocated"] == 10


def test_a_call_that_bears_its_cost_no_longer_gives_its_share_back(ledger):
    """The call inside it arrives late, and was served elsewhere: the hour is nobody's then."""
    ledger.priced_by(book("10", ", from: 2026-11-20T10:00:00Z, to: 2026-11-20T11:00:00Z"))
    said = {"gen_ai.provider.name": "vllm"}
    ledger.foreign("t", "outer", usage={"input_tokens": 10, "output_tokens": 10}, said=said, seconds=60)
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    assert ledger.trace("t")["allocated"] == 10
    ledger.call("t", "inner", "outer", tokens={"input_text": 1_000})
    ledger.tick()
    assert (ledger.trace("t")["allocated"], ledger.trace("t")["total"]) == (0, Decimal("0.002"))
    assert hour(ledger)["unallocated"] == 10


def test_a_call_across_the_hour_brings_its_tokens_to_both(ledger):
    """In proportion to its time in each."""
    ledger.priced_by(book("10", ", to: 2026-11-20T12:00:00Z"))
    own(ledger, "t", tokens={"output_text": 400}, at=3_540, seconds=240)
    ledger.span("later", "x", at=10_800)
    ledger.tick()
    assert [hour(ledger, at)["weight"] for at in (0, 3_600)] == [100_000_000, 300_000_000]


def test_a_pool_of_one_tenant_serves_no_other(ledger):
    """One tenant's volume never shows in another's figures."""
    ledger.priced_by(book())
    own(ledger, "t", tokens={"output_text": 1}, tenant="other", seconds=60)
    ledger.tick()
    assert ledger.trace("t")["allocated"] == 0


def test_calls_of_one_kind_are_each_served_by_the_pool_of_their_own_tenant(ledger):
    """What serves one tenant makes the same model of another neither free nor part of the hour."""
    ledger.priced_by(book())
    for number in range(3):
        own(ledger, f"ours {number}", tokens={"output_text": 1}, seconds=60)
        own(ledger, f"theirs {number}", tokens={"output_text": 1}, tenant=f"other {number}", seconds=60)
    ledger.tick()
    found = [ledger.call_cost(f"{whose} {number}", "a") for whose in ("ours", "theirs") for number in range(3)]
    assert [each["pool"] for each in found] == ["h"] * 3 + [""] * 3
    assert [each["lines.status"] for each in found] == [["allocated"]] * 3 + [["unpriced"]] * 3


@pytest.mark.parametrize("capacity", [1, 1_000_000])
def test_idle_is_never_negative(ledger, capacity):
    """More tokens than the stated capacity allows: all of the hour is used, and the figure is flagged."""
    ledger.priced_by(book("10", f", capacity: {capacity}, to: 2026-11-20T11:00:00Z"))
    own(ledger, "t", tokens={"output_text": 1_000_000}, seconds=60)
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    row = hour(ledger)
    assert (row["idle"] >= 0, row["kappa_too_low"]) == (True, int(capacity == 1))
