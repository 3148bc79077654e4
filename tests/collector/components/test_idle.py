"""Who carries what stood idle of an hour: its calls, nobody, or the teams that have reserved it (the method, §5.6)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.prices.book import BookError, parse

HOUR = "2026-11-20T10:00:00"


def book(idle, cost="10"):
    return (
        f"version: 1\ngpu_pools: [{{id: h, hourly_cost: {cost}, capacity: 1, match: {{provider: vllm}}, idle: {idle},"
        f" from: {HOUR}, to: 2026-11-20T12:00:00}}]"
    )


def called(ledger, trace, team, tokens, at=0.0):
    ledger.call(
        trace,
        "a",
        provider="vllm",
        model="m",
        role="answer",
        tokens={"output_text": tokens},
        at=at,
        said={"tokentrace.attribution.team": team},
    )


def idle(ledger):
    """Of the first hour: amount by team and trace."""
    rows = ledger.store.query(
        "SELECT team, trace_id, amount FROM capacity_lines FINAL"
        " WHERE kind = 'idle' AND hour = toDateTime('2026-11-20 10:00:00', 'UTC') AND amount > 0"
    )
    return {(row["team"], row["trace_id"]): row["amount"] for row in rows}


def hour(ledger):
    (row,) = ledger.store.query(
        "SELECT * FROM capacity_hours FINAL WHERE hour = toDateTime('2026-11-20 10:00:00', 'UTC')"
    )
    return row


# 3,600 tokens fill an hour of 10, so that 900 of search and 360 of shop use 2.5 and 1, and 6.5 stand idle.
@pytest.mark.parametrize(
    ("policy", "carried", "unallocated"),
    [
        ("weighted", {("search", "s"): "4.642857142857142857", ("shop", "b"): "1.857142857142857143"}, "0"),
        ("none", {("", ""): "6.5"}, "6.5"),
        ("{search: 0.6, shop: 0.4}", {("search", "s"): "3.9", ("shop", "b"): "2.6"}, "0"),
        ("{search: 0.6, ml: 0.4}", {("search", "s"): "3.9", ("ml", ""): "2.6"}, "2.6"),
        ("{ml: 1/3, law: 2/3}", {("ml", ""): "2.166666666666666667", ("law", ""): "4.333333333333333333"}, "6.5"),
    ],
)
def test_what_stood_idle_is_carried_as_the_book_says(ledger, policy, carried, unallocated):
    ledger.priced_by(book(policy))
    called(ledger, "s", "search", 900)
    called(ledger, "b", "shop", 360, at=60)
    ledger.span("end", "x", at=7_200)
    ledger.tick()
    assert idle(ledger) == {of: Decimal(amount) for of, amount in carried.items()}
    assert (hour(ledger)["used"], hour(ledger)["idle"]) == (Decimal("3.5"), Decimal("6.5"))
    assert hour(ledger)["unallocated"] == Decimal(unallocated)
    own = {trace: ledger.trace(trace)["total"] for trace in ("s", "b")}
    assert own == {
        trace: Decimal(used) + sum((amount for of, amount in idle(ledger).items() if of[1] == trace), Decimal(0))
        for trace, used in (("s", "2.5"), ("b", "1"))
    }
    assert ledger.rollup.verify().verified["differences"] == []


def test_an_hour_of_nobody_is_of_the_teams_that_reserved_it(ledger):
    ledger.priced_by(book("{search: 0.25, shop: 0.75}"))
    ledger.span("end", "x", at=7_200)
    called(ledger, "later", "shop", 9, at=3_700)
    ledger.tick()
    assert idle(ledger) == {("search", ""): Decimal("2.5"), ("shop", ""): Decimal("7.5")}
    found = ledger.store.query(
        "SELECT team, sum(amount) AS amount FROM tcoai_by_hour FINAL GROUP BY team ORDER BY team"
    )
    assert {row["team"]: row["amount"] for row in found} == {
        "search": Decimal(5) - Decimal("0.00625"),
        "shop": Decimal(15) + Decimal("0.00625"),
    }


counts = st.dictionaries(st.sampled_from("abcde"), st.lists(st.integers(1, 2_000), min_size=1, max_size=3), max_size=5)
reservations = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 999), min_size=1, max_size=4)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=counts, reserved=reservations, cents=st.integers(1, 10**6))
def test_reservations_are_paid_to_the_last_digit(fresh_ledger, calls, reserved, cents):
    """By whole units of 1e-18, the largest remainder first; inside of a team by what its calls used."""
    whole = sum(reserved.values())
    written = ", ".join(f"{team}: {share}/{whole}" for team, share in reserved.items())
    ledger = fresh_ledger().priced_by(book(f"{{{written}}}", cost=Decimal(cents) / 100))
    for team, sizes in calls.items():
        for number, tokens in enumerate(sizes):
            called(ledger, f"{team}{number}", team, tokens)
    ledger.span("end", "x", at=7_200)
    ledger.tick()
    found, cost = idle(ledger), hour(ledger)["idle"]
    assert sum(found.values()) == cost
    units = int(cost.scaleb(18))
    floors = {team: units * share // whole for team, share in reserved.items()}
    order = sorted(reserved, key=lambda team: (-(units * reserved[team] % whole), team))
    due = {team: floors[team] + (team in order[: units - sum(floors.values())]) for team in reserved}
    for team, owed in due.items():
        own = {trace: amount for (of, trace), amount in found.items() if of == team}
        assert sum(own.values()) == Decimal(owed).scaleb(-18)
        for number, tokens in enumerate(calls.get(team, ())):
            exact = Fraction(owed * tokens, sum(calls[team]))
            assert abs(int(own.get(f"{team}{number}", Decimal(0)).scaleb(18)) - exact) < 1
    assert all(team in reserved for team, _ in found)
    bare = sum((Decimal(owed).scaleb(-18) for team, owed in due.items() if team not in calls), Decimal(0))
    assert hour(ledger)["unallocated"] == (bare if calls else hour(ledger)["cost"])
    before = ledger.everything()
    ledger.rollup.rebuild()
    assert ledger.everything() == before


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("even", "`idle: even` says nobody who pays it. Write `weighted`, `none`, or the shares of teams."),
        ("{a: 0.5, b: 0.4}", "The shares come to 0.9. Write shares that come to 1, such as 0.6 and 0.4."),
        ("{a: 1.5}", "A share of 1.5 is none of a whole. Write 0.4 or 2/5, or leave out 'a'."),
    ],
)
def test_what_says_nobody_is_refused_where_it_stands(policy, message):
    with pytest.raises(BookError) as refused:
        parse(book(policy))
    assert str(refused.value).endswith(f"Line 2: {message}")
