"""Fixed costs: what is paid by the month whoever calls, to the last unit, and whose it is where nobody called."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.reports.capacity import Question, capacity
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.tenants import Books

HOUR = 3_600


def book(*fees):
    listed = "".join(f"  - {{{each}}}\n" for each in fees)
    return f"version: 1\nrates: [{{provider: openai, prices: {{input_text: 2}}}}]\nplatform:\n{listed}"


def november(name, price="720", more=""):
    return f"id: {name}, price: {price}, from: 2026-11-01, to: 2026-12-01{more}"


def team(name):
    return {"tokentrace.attribution.team": name}


def lines(ledger, hour=10):
    asked = """
    SELECT trace_id, team, service, sub_component, amount FROM cost_lines
    WHERE kind = 'fixed' AND hour = toDateTime('2026-11-20 00:00:00', 'UTC') + {hour:UInt32} * 3600 ORDER BY pool, trace_id
    """
    return [tuple(each.values()) for each in ledger.store.query(asked, hour=hour)]


def test_without_a_policy_it_is_of_no_trace_but_of_its_team(ledger):
    """A dollar an hour, whoever calls; the requests keep what they caused."""
    ledger.priced_by(book(november("db", more=", match: {team: search, service: index}")))
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=team("search"))
    ledger.span("later", "x", at=2 * HOUR)
    ledger.tick()
    assert lines(ledger) == [("", "search", "index", "platform", 1)]
    assert capacity(Books(ledger.store), Question("month")) == []
    assert ledger.trace("t")["total"] == Decimal("0.002")


@pytest.mark.parametrize(("policy", "shares"), [("calls", ["0.25", "0.75"]), ("tokens", ["0.4", "0.6"])])
def test_it_is_shared_among_the_calls_of_the_hour(ledger, policy, shares):
    """By their number, or by their tokens, among those of its team; as infrastructure, allocated, beside what they cost."""
    ledger.priced_by(book(november("db", more=f", allocate: {policy}, match: {{team: sea*}}")))
    ledger.call("a", "1", tokens={"input_text": 400}, said=team("search"))
    for span in "123":
        ledger.call("b", span, tokens={"input_text": 200}, said=team("sea"))
    ledger.call("c", "1", tokens={"input_text": 5_000}, said=team("shop"))
    ledger.call("d", "1", tokens={"input_text": 5_000}, said=team("search"), tenant="other")
    ledger.span("later", "x", at=2 * HOUR)
    ledger.tick()
    assert [ledger.trace(each)["infrastructure"] for each in "abc"] == [*map(Decimal, shares), 0]
    assert [ledger.trace(each)["direct"] for each in "ab"] == [Decimal("0.0008"), Decimal("0.0012")]
    assert lines(ledger, 11) == [("", "", "", "platform", 1)]


def test_a_call_that_comes_later_gets_its_share(ledger):
    """The hour is shared out again, whole, and the tables are those of a recomputation."""
    ledger.priced_by(book(november("db", more=", allocate: calls")))
    ledger.call("a", "1", tokens={"input_text": 1})
    ledger.span("later", "x", at=2 * HOUR)
    ledger.tick()
    assert ledger.trace("a")["allocated"] == 1
    ledger.call("b", "1", tokens={"input_text": 1})
    ledger.tick()
    assert [ledger.trace(each)["allocated"] for each in "ab"] == [Decimal("0.5"), Decimal("0.5")]
    assert ledger.rollup.verify().verified["differences"] == []


def test_a_deleted_trace_leaves_its_share_to_the_others(ledger):
    ledger.priced_by(book(november("db", more=", allocate: calls")))
    for trace in "ab":
        ledger.call(trace, "1", tokens={"input_text": 1})
    ledger.span("later", "x", at=2 * HOUR)
    ledger.tick()
    ledger.rollup.delete(Wanted("default", "trace", "a"), lambda _: None)
    assert ledger.trace("b")["allocated"] == 1
    assert [amount for *_, amount in lines(ledger)] == [1]


def test_a_month_that_is_closed_is_corrected_where_it_turns_out_dearer(ledger):
    """What was booked stays as it was; the first open month has the difference."""
    october = "id: db, from: 2026-10-01, to: 2026-11-01, price: "
    ledger.priced_by(book(october + "100"))
    ledger.call("a", "1", tokens={"input_text": 1})
    ledger.tick()
    ledger.rollup.close(Closing(date(2026, 10, 1), datetime(2026, 11, 20, tzinfo=UTC)))
    ledger.rollup.reprice(Repricing(parse(book(october + "130")), adopt=True))
    asked = """
    SELECT booking_month, is_correction, sum(amount) AS charged FROM charges WHERE kind = 'fixed' GROUP BY ALL ORDER BY ALL
    """
    assert [tuple(each.values()) for each in ledger.store.query(asked)] == [
        (date(2026, 10, 1), 0, 100),
        (date(2026, 11, 1), 1, 30),
    ]


def test_a_month_adds_up_to_its_price(ledger):
    """100 over the 744 hours of October is no finite decimal."""
    october = "from: 2026-10-01, to: 2026-11-01"
    ledger.priced_by(
        book(f"id: db, price: 100, {october}", f"id: hourly, price: {{amount: 0.1, per: hour}}, {october}")
    )
    ledger.call("a", "1", tokens={"input_text": 1})
    ledger.tick()
    asked = """
    SELECT pool, sum(cost) AS total, sum(unallocated) AS nobodys, count() AS hours, uniqExact(cost) AS costs
    FROM capacity_hours FINAL GROUP BY pool ORDER BY pool
    """
    assert [tuple(each.values()) for each in ledger.store.query(asked)] == [
        ("db", 100, 100, 744, 2),
        ("hourly", Decimal("74.4"), Decimal("74.4"), 744, 1),
    ]


def test_the_running_hour_is_charged_up_to_the_latest_span(ledger):
    ledger.priced_by(book(november("db", more=", allocate: calls")))
    ledger.call("a", "1", tokens={"input_text": 1}, seconds=900)
    ledger.tick()
    assert ledger.trace("a")["allocated"] == Decimal("0.25")


def test_days_of_a_time_zone_have_as_many_hours_as_they_have():
    """The day on which clocks go back costs the same, by the hour less."""
    (fee,) = parse(
        book("id: db, price: {amount: 25, per: day}, time_zone: Europe/Berlin, from: 2026-10-24, to: 2026-10-27")
    ).platform
    charged = [(since, amount) for since, amount in fee.charges()]
    assert [since.hour for since, _ in charged] == [22, 22, 23]
    assert charged[1] == (datetime(2026, 10, 24, 22, tzinfo=UTC), 25)


@pytest.mark.parametrize(
    ("fee", "message"),
    [
        ("id: a, price: 1, from: 2026-11-01", "Line 4: The entry 'to' is missing."),
        ("id: a, price: 1, from: 2026-11-02, to: 2026-12-01", "Line 4: A month in UTC is cut in two. Let the term begin and end where a month does."),
        ("id: a, price: {amount: 1, per: hour}, from: 2026-11-02T10:30:00, to: 2026-12-01", "Line 4: The term begins or ends within an hour. Write whole hours."),
        ("id: a, price: {amount: 1, per: minute}, from: 2026-11-01, to: 2026-12-01", "Line 4: 'minute' is not known here. Write one of hour, day, month, term."),
        (november("a", "-1"), "Line 4: '-1' is no price. Write a decimal number from 0 to 10^9."),
        (november("a", more=", allocate: evenly"), "Line 4: 'evenly' is not known here. Write one of calls, tokens."),
        (november("a", more=", match: {host: h}"), "Line 4: There is no entry 'host' here. Known: service, team."),
        (november("a", more=', match: {team: "[ab]"}'), "Line 4: '[ab]' has a bracket. Here only `*` and `?` stand for others."),
        (november("a", more=", time_zone: Berlin"), "Line 4: There is no time zone 'Berlin'. Write one such as America/Los_Angeles."),
        (november("a") + "}\n  - {" + november("a"), "Line 5: There are two fixed costs 'a'. Give each its own id."),
        (november("a") + "}\ngpu_pools:\n  - {id: a, hourly_cost: 1, match: {host: h}", "Line 4: 'a' is a pool or a commitment already. Give each fixed cost its own id."),
        (november("a", more=", currency: EUR"), "Line 4: Nothing says what 1 EUR is. Write its rates under `fx`."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_where_it_stands(fee, message):
    with pytest.raises(BookError) as refused:
        parse(book(fee))
    assert message in str(refused.value)
