"""Closed months: what was booked stays, to the last digit; what changes later is a correction in an open month."""

import json
import random
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.prices.book import parse
from tokentrace_collector.reports import months
from tokentrace_collector.reports.breakdown import Breakdown, shares
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.rollup import closing
from tokentrace_collector.rollup.closing import ClosingError
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.rollup.orders import Closing, Repricing
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books

DAY = 86_400
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
IN_OCTOBER = -30 * DAY
CALL = {"input_text": 1_000, "output_text": 100}  # 0.003 $
TEAM = "tokentrace.attribution.team"
DEARER = """
version: 1
human_review: {rate_per_hour: 90}
rates:
  - {provider: openai, model: "gpt-6*", prices: {input_text: 10}}
  - {provider: openai, model: none-such, prices: {input_text: 1}}
gpu_pools:
  - {id: h, hourly_cost: 3, match: {provider: vllm}, from: 2026-10-21T10:00:00, to: 2026-10-21T12:00:00}
"""
USUAL = DEARER.replace("90", "45").replace("hourly_cost: 3", "hourly_cost: 2").partition("rates:")
USUAL = USUAL[0] + USUAL[2][USUAL[2].index("gpu_pools") :]


def unheard(_traces):
    """Nothing is kept beside the database."""


def close(ledger, month, *, at=LATER, tenant="default"):
    ledger.arrive()
    ledger.rollup.close(Closing(month, at, tenant))


def report(ledger, *by, **more):
    return shares(Books(ledger.store), Breakdown(by, **more))


def by_month(ledger, **more):
    """Total and corrections of each month."""
    return {each["period"]: (each["total"], each["corrections"]) for each in report(ledger, per="month", **more)}


def in_books(ledger):
    (row,) = ledger.store.query(
        "SELECT sum(ifNull(amount, 0)) AS amount FROM tcoai_by_hour FINAL WHERE rating_run IN"
        " (SELECT value FROM rollup_state FINAL WHERE name = 'rating_run')"
    )
    return row["amount"]


def total(found):
    return sum((Decimal(each["total"]) for each in found), Decimal(0))


def of_october(ledger):
    """Everything that can be asked of it: by what the hours know and by what they do not, and the files."""
    period = {"since": datetime(2026, 10, 1, tzinfo=UTC), "until": datetime(2026, 11, 1, tzinfo=UTC)}
    asked = [(), ("team", "model", "role", "sub_component"), ("customer", "service")]
    files = [written(Books(ledger.store), Export(**period, profile=each)) for each in ("provider", "chargeback")]
    return [report(ledger, *by, per="hour", **period) for by in asked], files


def fill(ledger, *, without=()):
    """Requests of October and November, with every kind of charge."""
    dice = random.Random(11)
    for number in range(12):
        at = IN_OCTOBER + dice.uniform(0, 7000) + (31 * DAY if number % 3 == 2 else 0)
        trace, user = f"{number:032x}", ("ann", "bob")[number % 2]
        tokens = {"input_text": dice.randrange(1, 5000), "output_text": dice.randrange(1, 900)}
        if user in without:
            continue
        said = {"user.id": user, TEAM: f"team {number % 3}", "tokentrace.attribution.customer.id": f"c{number % 4}"}
        ledger.call(trace, "call", at=at, tokens=tokens, meters={"web_search": 1}, said=said)
        ledger.call(trace, "none", "call", at=at, tokens=tokens, model="none-such", said=said)
        ledger.call(trace, "own", at=at, seconds=99, tokens=tokens, provider="vllm", model="own", said=said)
        ledger.call(trace, "lost", at=at, said=said | {"tokentrace.usage.source": "missing"})
        ledger.review(trace, "review", "call", at=at, active=10 + number, by=user, said=said)
        if number % 4 == 1:
            named = json.dumps([f"{each:032x}:{each}" for each in (number, number - 1, 99)])
            ledger.review(
                f"{50 + number:032x}", "shared", at=at + DAY, active=100 + number, by="eve",
                said={"user.id": user, "tokentrace.review.session": "s", "tokentrace.review.traces": named},
            )  # fmt: skip
    ledger.tick()


@pytest.fixture
def books(ledger):
    ledger.priced_by(USUAL)
    fill(ledger)
    return ledger


def test_closing_changes_no_figure(books):
    before = of_october(books), report(books, "team", per="month")
    close(books, OCTOBER)
    assert (of_october(books), report(books, "team", per="month")) == before


def test_a_closed_month_stays_whatever_comes(books):
    """Late spans, an earlier one than all others, other prices, a rebuild."""
    close(books, OCTOBER)
    before, november = of_october(books), by_month(books)["2026-11"]
    books.call("late", "1", at=IN_OCTOBER + 60, tokens=CALL, said={TEAM: "team 1"})
    books.call("earlier", "1", at=IN_OCTOBER - 40 * DAY, tokens=CALL)
    books.tick()
    assert of_october(books) == before
    assert by_month(books)["2026-11"] == (str(Decimal(november[0]) + Decimal("0.006")), "0.006")
    books.rollup.reprice(Repricing(parse(DEARER), adopt=True))
    books.rollup.rebuild()
    assert of_october(books) == before
    for by in ((), ("team",), ("customer",), ("charge_period",), ("user",)):
        assert total(report(books, *by)) == in_books(books)


def test_a_correction_is_booked_when_its_month_is_closed(books):
    """And is never corrected twice."""
    close(books, OCTOBER)
    books.call("late", "1", at=IN_OCTOBER + 60, tokens=CALL)
    books.tick()
    before = by_month(books)
    close(books, NOVEMBER)
    assert by_month(books) == before
    books.call("later", "1", at=IN_OCTOBER + 90, tokens=CALL)
    books.call("later", "2", at=90, tokens=CALL)
    books.tick()
    assert by_month(books) == before | {"2026-12": ("0.006", "0.006")}
    bookings = [
        (each["booking_period"], each["charge_period"], each["amount"])
        for month in months.months(Books(books.store))
        for each in month["corrections"]
    ]
    assert bookings == [
        ("2026-11", "2026-10", "0.003"), ("2026-12", "2026-10", "0.003"), ("2026-12", "2026-11", "0.003"),
    ]  # fmt: skip
    assert total(report(books)) == in_books(books)


def test_the_numbers_of_the_method(ledger):
    """1,000 tokens in at 2 $ per million and 100 out at 10 $ are 0.003 $; at 10 $ in, 0.011 $: corrected by 0.008 $."""
    ledger.priced_by("version: 1\nrates: [{provider: openai, model: gpt-6*, prices: {input_text: 2, output_text: 10}}]")
    ledger.call("a", "1", at=IN_OCTOBER, tokens=CALL, said={TEAM: "shop"})
    ledger.call("b", "1", tokens=CALL, said={TEAM: "shop"})
    close(ledger, OCTOBER)
    dearer = "version: 1\nrates: [{provider: openai, model: gpt-6*, prices: {input_text: 10, output_text: 10}}]"
    ledger.rollup.reprice(Repricing(parse(dearer), adopt=True))
    assert by_month(ledger) == {"2026-10": ("0.003", "0"), "2026-11": ("0.019", "0.008")}
    assert {each["group"]["charge_period"]: each["total"] for each in report(ledger, "charge_period")} == {
        "2026-10": "0.011", "2026-11": "0.011",
    }  # fmt: skip
    (november,) = report(ledger, since=datetime(2026, 11, 1, tzinfo=UTC))
    assert november["lines"] == {"known": 2, "of": 2}


def test_what_is_known_of_a_closed_month_makes_nothing_known_of_another(ledger):
    ledger.priced_by("version: 1\n")
    for at in (IN_OCTOBER, 0):
        ledger.call("a" if at else "b", "1", at=at, tokens={"input_text": 1_000}, model="none-such")
    close(ledger, OCTOBER)
    book = "version: 1\nrates: [{provider: openai, model: none-such, to: 2026-11-01, prices: {input_text: 1}}]"
    ledger.rollup.reprice(Repricing(parse(book), adopt=True))
    lines = {each["period"]: each["lines"] for each in report(ledger, per="month")}
    assert lines == {"2026-10": {"known": 0, "of": 1}, "2026-11": {"known": 0, "of": 1}}
    (all_time,) = report(ledger)
    assert (all_time["total"], all_time["lines"]) == ("0.001", {"known": 1, "of": 2})


def test_what_cancels_out_is_no_line(books):
    """A rebuild works every hour out anew, and corrects nothing."""
    close(books, OCTOBER)
    before = report(books, "team", "model", per="month")
    books.rollup.rebuild()
    assert report(books, "team", "model", per="month") == before
    assert [month["corrections"] for month in months.months(Books(books.store))] == [[]]


@pytest.mark.parametrize(
    ("month", "at", "told"),
    [
        (NOVEMBER, LATER, "2026-10 is open. Close that first"),
        (DECEMBER, datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "has not ended. It can be closed from 2027-01-01"),
        (date(2026, 9, 1), LATER, "2026-10 is the first month that can"),
    ],
)
def test_a_month_that_cannot_be_closed_is_refused_with_a_remedy(books, month, at, told):
    with pytest.raises(ClosingError, match=told):
        close(books, month, at=at)


def test_nothing_charged_is_nothing_to_close(ledger):
    with pytest.raises(ClosingError, match="nothing has been charged"):
        close(ledger, OCTOBER)


def test_a_month_is_closed_from_its_end_on_and_once(books):
    at = datetime(2026, 11, 1, tzinfo=UTC)
    close(books, OCTOBER, at=at)
    close(books, OCTOBER, at=LATER)
    (month,) = months.months(Books(books.store))
    assert (month["booking_period"], month["closed_at"]) == ("2026-10", "2026-11-01T00:00:00Z")


def test_a_tenant_closes_its_own_months(books):
    books.call("x", "1", at=IN_OCTOBER, tokens=CALL, tenant="acme")
    close(books, OCTOBER)
    books.call("y", "1", at=IN_OCTOBER, tokens=CALL, tenant="acme")
    books.tick()
    (october,) = shares(Books(books.store, "acme"), Breakdown(per="month"))
    assert (october["period"], october["total"], october["corrections"]) == ("2026-10", "0.006", "0")
    assert months.months(Books(books.store, "acme")) == []


def test_figures_of_an_earlier_run_are_as_they_were(books):
    before = by_month(books)
    (run,) = books.store.query("SELECT value FROM rollup_state FINAL WHERE name = 'rating_run'")
    close(books, OCTOBER)
    books.rollup.reprice(Repricing(parse(DEARER), adopt=True))
    assert by_month(books, run=run["value"]) == before


def expire(ledger, until):
    """Only sums are kept of the hours before, which other prices write again as they are."""
    for table in ("call_costs", "capacity_lines"):
        ledger.store.run(
            f"ALTER TABLE {table} DELETE WHERE hour < {{until:DateTime}}", until=until, settings={"mutations_sync": 2}
        )
    ledger.store.run("INSERT INTO tcoai_by_hour SELECT * REPLACE (version + 99 AS version) FROM tcoai_by_hour FINAL")
    ledger.store.insert(
        "rollup_state",
        ("tenant", "name", "value", "version"),
        [["default"], ["kept"], [f"{until:%Y-%m-%d %H:%M:%S}"], [99]],
    )


def test_that_costs_expire_is_no_correction(books):
    close(books, OCTOBER)
    before = of_october(books), report(books, "team", per="month")
    expire(books, datetime(2026, 11, 1, tzinfo=UTC))
    assert (of_october(books), report(books, "team", per="month")) == before
    assert [month["corrections"] for month in months.months(Books(books.store))] == [[]]


def test_a_month_of_which_only_sums_are_kept_cannot_be_closed(books):
    expire(books, datetime(2026, 11, 1, tzinfo=UTC))
    with pytest.raises(ClosingError, match="of 2026-10, which is open, only sums are kept"):
        close(books, OCTOBER)


class CutShortError(Exception):
    """The process dies."""


@contextmanager
def dying(ledger, says):
    """A rollup that dies when it comes to a statement."""

    class Dying(Store):
        def run(self, sql, /, **more):
            if says in sql:
                raise CutShortError
            super().run(sql, **more)

        def insert(self, table, *data, **more):
            if says == table:
                raise CutShortError
            super().insert(table, *data, **more)

    with pytest.raises(CutShortError):
        yield Rollup(Dying(ledger.store.address, ledger.store._client), ledger.book)


@pytest.mark.parametrize("table", ["INSERT INTO booked_lines", "closed_months"])
def test_a_closing_that_was_cut_short_is_done_again(books, table):
    """Also where something has come between."""
    before = by_month(books)
    with dying(books, table) as rollup:
        rollup.close(Closing(OCTOBER, LATER))
    assert by_month(books) == before
    books.call("between", "1", at=IN_OCTOBER, tokens=CALL)
    close(books, OCTOBER)
    after = {"2026-10": (str(Decimal(before["2026-10"][0]) + Decimal("0.003")), "0"), "2026-11": before["2026-11"]}
    assert by_month(books) == after
    assert total(report(books)) == in_books(books)


@pytest.mark.parametrize("wanted", [Wanted("default", "user", "ann"), Wanted("default", "trace", f"{1:032x}")])
def test_a_deletion_is_no_correction(books, wanted):
    """Sums are those of a store that never had it, and what there was to correct remains."""
    close(books, OCTOBER)
    books.call("late", "1", at=IN_OCTOBER, tokens=CALL)
    books.tick()
    before = by_month(books)
    books.rollup.delete(wanted, unheard)
    (month, corrected) = months.months(Books(books.store))
    assert [each["amount"] for each in corrected["corrections"]] == ["0.003"]
    assert month["corrections"] == []
    assert Decimal(by_month(books)["2026-10"][0]) < Decimal(before["2026-10"][0])
    assert total(report(books)) == total(report(books, "customer")) == in_books(books)


def test_a_closed_month_without_a_user_is_one_that_never_had_them(books, fresh_ledger):
    close(books, OCTOBER)
    books.rollup.delete(Wanted("default", "user", "ann"), unheard)
    never = fresh_ledger().priced_by(USUAL)
    fill(never, without=("ann",))
    close(never, OCTOBER)
    assert of_october(books) == of_october(never)


@pytest.mark.parametrize(
    "says", ["ALTER TABLE call_costs DELETE", "ALTER TABLE otel_traces DELETE", "TRUNCATE TABLE deletion_corrections"]
)
def test_a_deletion_that_was_cut_short_is_no_correction_either(books, says):
    close(books, OCTOBER)
    with dying(books, says) as rollup:
        rollup.delete(Wanted("default", "user", "ann"), unheard)
    if "call_costs" in says:
        with pytest.raises(ClosingError, match="Repeat it first"):
            close(books, NOVEMBER)
    books.rollup.delete(Wanted("default", "user", "ann"), unheard)
    assert [month["corrections"] for month in months.months(Books(books.store))] == [[]]
    assert total(report(books)) == in_books(books)


def test_of_a_deleted_tenant_nothing_is_booked(books):
    close(books, OCTOBER)
    books.rollup.delete(Wanted("default"), unheard)
    assert months.months(Books(books.store)) == []
    # What the book rents is paid, whoever used it.
    assert [(each["total"], each["components"]["infrastructure"]) for each in report(books)] == [("4", "4")]
    assert books.store.query("SELECT 1 FROM booked_lines") == []


STEPS = st.one_of(
    st.tuples(st.just("call"), st.integers(0, 80), st.integers(1, 5_000), st.sampled_from(["gpt-6-sol", "none-such"])),
    st.tuples(st.just("close")),
    st.tuples(st.just("price"), st.integers(1, 9)),
)


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, min_size=3, max_size=9))
def test_whatever_is_closed_between_it_adds_up(fresh_ledger, steps):
    """What is booked and is to be corrected is what there is, and what was closed is what it was."""
    ledger, first, closed = fresh_ledger(), date(2026, 9, 1), {}
    month = first
    ledger.call("first", "1", at=-60 * DAY, tokens=CALL)
    ledger.tick()
    for number, step in enumerate(steps):
        if step[0] == "call":
            day, tokens, model = step[1:]
            ledger.call(f"t{number}", "1", at=(day - 60) * DAY, tokens={"input_text": tokens}, model=model)
            ledger.tick()
        elif step[0] == "price":
            rate = f"version: 1\nrates: [{{provider: openai, model: gpt-6*, prices: {{input_text: {step[1]}}}}}]"
            ledger.rollup.reprice(Repricing(parse(rate), adopt=True))
        else:
            close(ledger, month)
            closed[f"{month:%Y-%m}"] = None
            month = closing.following(month)
        found = by_month(ledger)
        assert {each: found.get(each) for each in closed if closed[each]} == {
            each: was for each, was in closed.items() if was
        }
        closed = {each: found.get(each) for each in closed}
        assert total(report(ledger)) == total(report(ledger, "customer", per="day")) == in_books(ledger)
