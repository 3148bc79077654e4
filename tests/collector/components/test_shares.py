"""Capacity and fixed costs that several tenants pay: each its contract share of every hour, whatever the others do."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.prices import catalogue
from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.prices.listing import of_catalogue
from tokentrace_collector.reports.capacity import Question, capacity
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.tenants import Books

HOUR = 3_600
BOOK = """
version: 1
gpu_pools:
  - {{id: h, {hour}, tenants: {shares}, match: {{provider: vllm}}, weights: {{input: 0.08, cached: 0.008, output: 1}}{capacity},
     from: 2026-11-20T10:00:00Z, to: 2026-11-20T{end}Z}}
platform:
  - {{id: db, price: {{amount: {fee}, per: day}}, tenants: {shares}, allocate: {policy}, from: 2026-11-20, to: 2026-11-21}}
"""
TABLES = ("call_costs", "capacity_hours", "capacity_lines", "tcoai_by_trace", "tcoai_by_hour")


def book(
    shares="{acme: 0.6, beta: 0.4}", *, hour="hourly_cost: 10", capacity="", end="12:00:00", fee="24", policy="calls"
):
    return BOOK.format(shares=shares, hour=hour, capacity=capacity, end=end, fee=fee, policy=policy)


def own(ledger, tenant, trace, tokens, *, at=0, seconds=60):
    ledger.call(
        trace, "a", tenant=tenant, provider="vllm", model="own", role="answer", tokens={"output_text": tokens}, at=at,
        seconds=seconds,
    )  # fmt: skip


def hours(ledger, *columns, pool="h"):
    """What the columns are of each tenant, hour by hour."""
    asked = f"SELECT tenant, {', '.join(columns)} FROM capacity_hours FINAL WHERE pool = {{pool:String}} ORDER BY tenant, hour"
    found: dict[str, list] = {}
    for tenant, *values in (row.values() for row in ledger.store.query(asked, pool=pool)):
        found.setdefault(tenant, []).append(tuple(values))
    return found


def figures(ledger, tenant):
    """Every row of a tenant, without the number of the run that wrote it."""
    asked = "SELECT * EXCEPT version FROM {table} FINAL WHERE tenant = {{tenant:String}} ORDER BY ALL"
    return {table: ledger.store.query(asked.format(table=table), tenant=tenant) for table in TABLES}


def test_an_hour_is_divided_by_contract_share_and_then_among_the_calls(ledger):
    """The worked hours of `collector/README.md`: what one tenant leaves idle stays with it, though the other is busy all the time."""
    ledger.priced_by(book())
    own(ledger, "acme", "a1", 100, seconds=1_800)
    own(ledger, "acme", "a2", 300, seconds=900)
    own(ledger, "beta", "b1", 9_000, at=HOUR, seconds=HOUR)
    ledger.span("later", "x", at=3 * HOUR)
    ledger.tick()
    assert hours(ledger, "cost", "used", "idle", "unallocated") == {
        "acme": [(6, 3, 3, 0), (6, 0, 6, 6)],
        "beta": [(4, 0, 4, 4), (4, 4, 0, 0)],
    }
    # A quarter of what served it, and of what nobody used.
    assert (ledger.components("a1"), ledger.components("b1")) == (
        {"visible": "0.75", "infrastructure": "1.05"}, {"visible": "4", "infrastructure": "0.4"},
    )  # fmt: skip
    sentinels = ledger.store.query(
        "SELECT tenant, toHour(hour, 'UTC') AS hour, amount FROM capacity_lines FINAL WHERE trace_id = '' AND kind = 'idle' ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in sentinels] == [("acme", 11, 6), ("beta", 10, 4)]
    assert ledger.rollup.verify().verified["differences"] == []


def test_each_has_its_share_of_the_capacity_and_of_the_power(ledger):
    """36,000 weighted tokens an hour, of which 14,400 are beta's: it asks for more, and acme's are idle all the same."""
    ledger.priced_by(book(hour="hourly: {rental: 10, kw: 5}", capacity=", capacity: 10", end="11:00:00"))
    own(ledger, "acme", "a", 5_400)
    own(ledger, "beta", "b", 20_000)
    ledger.span("later", "x", at=3 * HOUR)
    ledger.tick()
    assert hours(ledger, "cost", "used", "kappa_too_low") == {"acme": [(6, Decimal("1.5"), 0)], "beta": [(4, 4, 1)]}
    (acme,), (beta,) = (capacity(Books(ledger.store, tenant), Question("hour")) for tenant in ("acme", "beta"))
    told = [
        (each["cost"], each["utilisation"], each["overloaded_hours"], each["kwh"]["total"], each["kwh"]["used"])
        for each in (acme, beta)
    ]
    assert told == [("6", 0.25, 0, "3", "0.75"), ("4", 1.0, 1, "2", "2")]
    # A token in full use costs both the same.
    assert (acme["rate_full"], beta["rate_effective"]) == ("277.777777777777777778", "200")
    assert capacity(Books(ledger.store), Question("hour")) == []


def test_a_fixed_cost_stays_with_each_tenant_unless_a_policy_is_named(ledger):
    listed = "version: 1\nplatform: [{id: db, price: {amount: 24, per: day}, tenants: {acme: 1/4, beta: 3/4}, from: 2026-11-20, to: 2026-11-21}]"
    ledger.priced_by(listed)
    ledger.call("a", "1", tenant="acme", tokens={"input_text": 1})
    ledger.span("later", "x", at=3 * HOUR)
    ledger.tick()
    assert hours(ledger, "cost", "unallocated", pool="db")["beta"][:13] == [(Decimal("0.75"), Decimal("0.75"))] * 13
    assert ledger.trace("a")["allocated"] == 0
    ledger.priced_by(listed.replace("tenants", "allocate: calls, tenants")).tick()
    assert ledger.trace("a")["allocated"] == Decimal("0.25")


@pytest.mark.parametrize("gone", ["acme", "beta"])
def test_what_is_deleted_of_a_tenant_leaves_the_figures_of_the_others(ledger, gone):
    ledger.priced_by(book())
    own(ledger, "acme", "a", 100, seconds=600)
    own(ledger, "beta", "b", 300, seconds=900)
    ledger.span("later", "x", at=3 * HOUR)
    ledger.tick()
    (other,) = {"acme", "beta"} - {gone}
    before = figures(ledger, other)
    ledger.rollup.delete(Wanted(gone), lambda _: None)
    assert figures(ledger, other) == before
    ledger.call("late", "a", tenant=gone, tokens={"input_text": 1}, at=HOUR)
    ledger.tick()
    assert figures(ledger, other) == before
    # Its share of the hours is still owed; nobody takes it over.
    assert hours(ledger, "cost", "used")[gone] == [(6 if gone == "acme" else 4, 0)] * 2


def test_a_listing_of_prices_has_what_each_pays():
    """`prices diff` shows a new share as a change of price."""
    listing = of_catalogue(catalogue.snapshot(), parse(book("{acme: 1/3, beta: 2/3}")))
    told = {place[2]: steps[0].cells[0, 0] for place, steps in listing.prices.items() if place[0] == "capacity"}
    assert told == {"acme": Decimal("3.333333333333333333"), "beta": Decimal("6.666666666666666667")}


work = st.tuples(st.integers(-HOUR, 2 * HOUR), st.integers(1, 2 * HOUR), st.integers(0, 10**9))


paid = st.integers(0, 10**20).map(lambda units: f"{Decimal(units).scaleb(-18):f}")
terms = st.fixed_dictionaries({
    "counts": st.lists(st.integers(1, 97), min_size=2, max_size=4),
    "cost": paid,
    "fee": paid,
    "capacity": st.one_of(st.just(""), st.integers(1, 10**6).map(lambda most: f", capacity: {most}")),
    "end": st.sampled_from(["12:00:00", "11:17:07"]),
    "policy": st.sampled_from(["calls", "tokens"]),
})  # fmt: skip


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=terms, one=st.lists(work, max_size=3), others=st.lists(work, min_size=1, max_size=3))
def test_the_shares_are_the_hour_and_the_volume_of_others_changes_nothing(fresh_ledger, said, one, others):
    """Σ tenants = the cost of the pool, by largest remainder, worked out again in fractions; used and idle are never negative."""
    counts, whole = said["counts"], sum(said["counts"])
    shares = "{" + ", ".join(f"t{number}: {count}/{whole}" for number, count in enumerate(counts)) + "}"
    more = {name: said[name] for name in ("capacity", "end", "fee", "policy")}
    priced = book(shares, hour=f"hourly_cost: {said['cost']}", **more)

    def filled(calls):
        ledger = fresh_ledger().priced_by(priced)
        for number, (at, seconds, tokens) in enumerate(one):
            own(ledger, "t0", f"own {number}", tokens, at=at, seconds=seconds)
        for number, (at, seconds, tokens) in enumerate(calls):
            own(ledger, "t1", f"other {number}", tokens, at=at, seconds=seconds)
        ledger.span("later", "x", at=6 * HOUR)
        ledger.tick()
        return ledger

    ledger = filled(others)
    assert figures(ledger, "t0") == figures(filled(()), "t0")
    booked = hours(ledger, "cost", "used", "idle", "charged_seconds")
    assert all(
        used >= 0 and idle >= 0 and used + idle == cost for rows in booked.values() for cost, used, idle, _ in rows
    )
    for place, rows in enumerate(zip(*(booked[f"t{number}"] for number in range(len(counts))), strict=True)):
        seconds = rows[0][3]
        assert seconds == (HOUR if place == 0 or said["end"] == "12:00:00" else 17 * 60 + 7)
        units = round(Fraction(said["cost"]) * 10**18 * seconds / HOUR)
        assert [Fraction(row[0]) * 10**18 for row in rows] == divided(units, counts)
    fees = hours(ledger, "cost", pool="db")
    # The day up to the end of the last span.
    owed = [
        round(Fraction(said["fee"]) * 10**18 * min(second, 16 * HOUR + 1) / (24 * HOUR))
        for second in range(0, 18 * HOUR, HOUR)
    ]
    for row, (before, after) in zip(zip(*fees.values(), strict=True), itertools.pairwise(owed), strict=True):
        assert [Fraction(amount) * 10**18 for (amount,) in row] == divided(after - before, counts)
    lines = ledger.store.query(
        "SELECT tenant, pool, sum(amount) AS amount FROM capacity_lines FINAL GROUP BY ALL ORDER BY ALL"
    )
    assert {(row["tenant"], row["pool"]): row["amount"] for row in lines} == {
        (tenant, pool): total
        for pool in ("h", "db")
        for tenant, rows in hours(ledger, "cost", pool=pool).items()
        if (total := sum(cost for (cost,) in rows))
    }


def divided(units, counts):
    """Whole units by largest remainder, ties by place."""
    exact = [Fraction(units * count, sum(counts)) for count in counts]
    parts = [int(each) for each in exact]
    order = sorted(range(len(counts)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: units - sum(parts)]:
        parts[place] += 1
    return parts


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("tenants: {acme: 0.6, beta: 0.5}, from: 2026-11-01", "Line 3: The shares come to 1.1. Write shares that come to 1, such as 0.6 and 0.4."),
        ("tenants: {acme: 1/3, beta: 1/3}, from: 2026-11-01", "Line 3: The shares come to 2/3. Write shares that come to 1, such as 0.6 and 0.4."),
        ("tenants: {}, from: 2026-11-01", "Line 3: The shares come to 0. Write shares that come to 1"),
        ("tenants: {acme: 1, beta: 0}, from: 2026-11-01", "Line 3: A share of 0 is none of a whole. Write 0.4 or 2/5, or leave out 'beta'."),
        ("tenants: {acme: 60}, from: 2026-11-01", "Line 3: A share of 60 is none of a whole. Write 0.4 or 2/5, or leave out 'acme'."),
        ("tenants: {acme: 60%, beta: 40%}, from: 2026-11-01", "Line 3: '60%' is no decimal number."),
        ("tenants: {acme: 0.5, acme: 0.5}, from: 2026-11-01", "Line 3: The entry 'acme' stands here twice."),
        ("tenants: {acme: 0.3333333, beta: 0.6666667}, from: 2026-11-01", "Line 3: '0.3333333' has more than 6 decimal places. Round it."),
        ("tenants: {a: 1/999983, b: 999982/999983}, from: 2026-11-01", ""),
        ("tenants: {a: 1/999983, b: 999981/999983, c: 1/999979, d: 0.5}, from: 2026-11-01", "Line 3: The shares come to "),
        ("tenants: {a: 1/2003, b: 2002/4006, c: 1/3001, d: 2999/6002, e: 1/2003, f: 1/3001}, from: 2026-11-01", "Line 3: The shares come to "),
        ("tenants: {a: 1/2003, b: 1001/2003, c: 1/2003, d: 1000/2003}, from: 2026-11-01", ""),
        ("tenants: {a: 1/4006, b: 2002/4006, c: 1/6002, d: 3000/6002}, from: 2026-11-01", "Line 3: These shares have no common denominator up to 1000000. Round them."),
        ("tenants: {acme: 1}", "Line 3: Nothing says since when the tenants share this. Write `from`."),
        ("tenant: acme, tenants: {acme: 1}, from: 2026-11-01", "Line 3: It is `tenant: acme`'s already. Leave out that, or `tenants`."),
        ("tenants: [acme, beta], from: 2026-11-01", "Line 3: Here belong entries of the form `name: value`."),
    ],
)  # fmt: skip
def test_shares_that_are_no_whole_are_refused_where_they_stand(entries, message):
    text = f"version: 1\ngpu_pools:\n  - {{id: h, hourly_cost: 1, match: {{host: x}}, {entries}}}"
    if not message:
        assert sum(fraction for _, fraction in parse(text).pools[0].tenants.shares) == 1
        return
    with pytest.raises(BookError) as refused:
        parse(text)
    assert message in str(refused.value)
