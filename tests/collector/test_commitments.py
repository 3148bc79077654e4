"""Commitments: the worked numbers of the method, through the real tables; what several of them do; what is refused."""

from decimal import Decimal

import pytest

from tokentrace_collector.reports.commitments import Question, utilisation
from tokentrace_collector.rollup.deletion import Wanted
from tokentrace_collector.tenants import Books

BOOK = "version: 1\nrates: [{{provider: '*', model: m, prices: {{input_text: 2000}}}}]\ncommitments: [{0}]"
TERM = "from: 2026-11-20T10:00:00, to: 2026-11-20T12:00:00, match: {{provider: {0}}}"
CAPACITY = "{{id: {0}, kind: usage, settle: term, price: 7200, quantity: 6000000, weights: {{input: 1}}, " + TERM + "}}"
SPENDING = "{{id: {0}, kind: spend, settle: term, amount: 10000, discount: 0.2, " + TERM + "}}"
LINEAR = (
    "{{id: {0}, scheme: linear, kind: usage, settle: term, price: 7200, quantity: 6000000, weights: {{input: 1}}, "
    + TERM
    + "}}"
)
THOUSAND = 1_000
WORKED = [
    ("t3", CAPACITY, 6000, ["7200", "0", "0"], 0.6, ["1.2", "1.2", "4800"]),
    ("t3", CAPACITY, 4800, ["5760", "1440", "0"], 0.6, ["1.2", "1.5", "2400"]),
    ("t3", CAPACITY, 3600, ["4320", "2880", "0"], 0.6, ["1.2", "2", "0"]),
    ("t3", CAPACITY, 1800, ["2160", "5040", "0"], 0.6, ["1.2", "4", "-3600"]),
    ("t3", CAPACITY, 7500, ["7200", "0", "3000"], 0.6, ["1.2", "1.2", "4800"]),
    ("t4", SPENDING, 10_000, ["10000", "0", "6000"], 0.8, ["0.8", "0.8", "2500"]),
    ("t4", SPENDING, 6_250, ["10000", "0", "0"], 0.8, ["0.8", "0.8", "2500"]),
    ("t4", SPENDING, 4_000, ["6400", "3600", "0"], 0.8, ["0.8", "1.25", "-2000"]),
    ("linear", LINEAR, 6000, ["7200", "0", "0"], 0.6, ["1.2", "1.2", "4800"]),
    ("linear", LINEAR, 3000, ["3600", "1800", "0"], 0.6, ["1.2", "1.8", "600"]),
]
"""Thousands of tokens at a list price of $2 each, asked for over one term; of the fee what is used, unused and beyond; from
which utilisation on it pays; and what a unit comes to in full use, and in this, and what that saves."""
NAMES = [f"{name}-{amount}" for name, _, amount, *_ in WORKED]


@pytest.fixture(scope="module")
def worked(fresh_ledger):
    ledger = fresh_ledger()
    promised = ", ".join(each.format(name) for name, (_, each, *_) in zip(NAMES, WORKED, strict=True))
    ledger.priced_by(BOOK.format(promised))
    for name, (_, _, amount, *_) in zip(NAMES, WORKED, strict=True):
        ledger.call(name, "a", provider=name, model="m", role="answer", tokens={"input_text": amount * THOUSAND})
    ledger.span("later", "x", at=2 * 3600)
    ledger.tick()
    return ledger


@pytest.fixture(scope="module")
def found(worked):
    return {each["commitment"]: each for each in utilisation(Books(worked.store), Question("month"))}


def plain(amount):
    return f"{amount.normalize():f}"


def period(ledger, name):
    asked = "SELECT * FROM commitment_periods FINAL WHERE commitment = {name:String}"
    (row,) = ledger.store.query(asked, name=name)
    return row


@pytest.mark.parametrize(("name", "worked_out"), [*zip(NAMES, WORKED, strict=True)], ids=NAMES)
def test_the_worked_numbers_of_the_method(worked, name, worked_out):
    _, _, _, figures, break_even, _ = worked_out
    row = period(worked, name)
    assert [plain(row[each]) for each in ("used", "unused", "overflow")] == figures
    assert row["break_even"] == pytest.approx(break_even)


@pytest.mark.parametrize(("name", "worked_out"), [*zip(NAMES, WORKED, strict=True)], ids=NAMES)
def test_a_unit_comes_to_the_rate_of_the_method(found, name, worked_out):
    each, unit = found[name], 1 if name.startswith("t4") else THOUSAND
    rates = [plain(Decimal(each[rate]) * unit) for rate in ("rate_full", "rate_effective")]
    assert [*rates, each["saving"]] == worked_out[5]


def test_with_what_is_beyond_a_unit_comes_to_the_blended_rate(worked):
    """T3 of the method at a demand of 7,500: 6,000 of the capacity, the rest at list."""
    assert worked.trace("t3-7500")["total"] / 7500 == Decimal("1.36")


@pytest.mark.parametrize("name", NAMES)
def test_what_stood_idle_is_infrastructure_and_the_rest_is_the_answer(worked, name):
    row, trace = period(worked, name), worked.trace(name)
    assert (trace["infrastructure"], trace["visible"]) == (row["unused"], row["used"] + row["overflow"])
    assert (trace["direct"], trace["allocated"]) == (0, trace["total"])


def test_the_report_says_how_far_each_is_used(found):
    assert (found["t3-1800"]["utilisation"], found["t3-1800"]["unused"], found["t3-1800"]["settled"]) == (
        0.3,
        "5040",
        True,
    )
    assert (found["t3-7500"]["beyond"], found["t3-7500"]["covered"]) == ("1500000", "6000000")
    assert (found["t4-4000"]["utilisation"], found["t4-4000"]["break_even"]) == (0.64, pytest.approx(0.8))


def test_what_may_still_be_used_is_at_risk_and_in_no_total(fresh_ledger):
    """Until the term is over; what was used of it is in the components at its rate."""
    ledger = fresh_ledger().priced_by(BOOK.format(CAPACITY.format("open")))
    ledger.call("t", "a", provider="open", model="m", role="answer", tokens={"input_text": 1_800_000})
    ledger.tick()
    (row,) = utilisation(Books(ledger.store), Question())
    assert (row["used"], row["unused"], row["at_risk"], row["settled"]) == ("2160", "0", "5040", False)
    assert ledger.components("t") == {"visible": "2160"}


def test_a_call_without_a_price_is_covered_and_only_what_is_beyond_is_unknown(fresh_ledger):
    """It never counts as nothing: the total is a lower bound."""
    ledger = fresh_ledger().priced_by("version: 1\ncommitments: [" + CAPACITY.format("dark") + "]")
    ledger.call("t", "a", provider="dark", model="m", role="answer", tokens={"input_text": 8_000_000})
    ledger.tick()
    asked = "SELECT kind, amount, status FROM cost_lines WHERE pool = 'dark' AND kind != 'token' ORDER BY kind"
    beyond, used = ledger.store.query(asked)
    assert (beyond["amount"], beyond["status"], used["amount"]) == (None, "unpriced", 7200)
    assert (ledger.trace("t")["tokens_covered"], ledger.trace("t")["tokens_total"]) == (6_000_000, 8_000_000)
    assert ledger.trace("t")["coverage"] == 0.75


def test_a_free_quota_is_capacity_that_costs_nothing(fresh_ledger):
    """Searches by the day: those beyond it are at list, spread over all of the day."""
    free = "id: f, kind: usage, settle: day, price: 0, quantity: 3, weights: {web_search: 1}"
    ledger = fresh_ledger().priced_by(
        "version: 1\nrates: [{provider: s, prices: {web_search: 0.01, input_text: 1000}}]\n"
        f"commitments: [{{{free}, match: {{provider: s}}, from: 2026-11-20, to: 2026-11-21}}]"
    )
    for trace in ("t1", "t2"):
        ledger.call(
            trace, "a", provider="s", model="m", role="answer", meters={"web_search": 2}, tokens={"input_text": 1}
        )
    ledger.tick()
    assert [ledger.components(trace) for trace in ("t1", "t2")] == [{"orchestration": "0.005", "visible": "0.001"}] * 2


def test_deleting_a_trace_gives_its_share_to_the_others(fresh_ledger):
    ledger = fresh_ledger().priced_by(BOOK.format(CAPACITY.format("d")))
    for trace in ("t1", "t2"):
        ledger.call(trace, "a", provider="d", model="m", role="answer", tokens={"input_text": 1_800_000})
    ledger.span("later", "x", at=2 * 3600)
    ledger.tick()
    ledger.rollup.delete(Wanted("default", "trace", "t1"), lambda _: None)
    assert ledger.components("t2") == {"visible": "2160", "infrastructure": "5040"}
