"""Costs divided by whom, what and when: every division adds up to the same, to the last digit."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace_collector.reports.breakdown import DIMENSIONS, Breakdown, BreakdownError, shares
from tokentrace_collector.rollup.orders import Closing
from tokentrace_collector.tenants import Books

DAY = 86_400
ATTRIBUTION = "tokentrace.attribution."
KEYS = {"team": "team", "customer": "customer.id"}


def attributed(**tags):
    return {ATTRIBUTION + KEYS[tag]: value for tag, value in tags.items()}


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Three teams on four days: calls of two models, one without a price, a failure, a review."""
    ledger = fresh_ledger().priced_by("version: 1\nhuman_review: {rate_per_hour: 60}\n")
    spent = {"input_text": 1000, "output_text": 100}
    ledger.call("a1", "s1", tokens=spent, role="answer", said=attributed(team="search", customer="ada"))
    ledger.call("a1", "s2", tokens=spent, role="plan", model="gpt-5", said=attributed(team="search", customer="ada"))
    ledger.call("a2", "s1", at=DAY, tokens=spent, said=attributed(team="search", customer="bob"))
    ledger.call("a3", "s1", at=2 * DAY, tokens=spent, failed=True, said=attributed(team="shop", customer="ada"))
    ledger.call("a4", "s1", at=11 * DAY, tokens=spent, model="none-such", said=attributed(team="shop"))
    ledger.call("a5", "s1", at=11 * DAY, tokens={"input_text": 7, "output_reasoning": 50})
    ledger.review("a5", "s2", "s1", at=11 * DAY, active=90)
    ledger.tick()
    return ledger.store


def total(found):
    return sum(Decimal(each["total"]) for each in found)


def groups(found):
    return [each["group"] and tuple(each["group"].values()) for each in found]


def whole(books):
    (row,) = books.query("SELECT sum(total) AS total FROM tcoai_by_trace FINAL")
    return row["total"]


def test_everything_is_one_line_that_says_how_much_of_it_is_known(books):
    (found,) = shares(Books(books), Breakdown())
    assert (Decimal(found["total"]), found["group"], found["period"]) == (whole(books), {}, None)
    assert sum(map(Decimal, found["components"].values())) == Decimal(found["total"])
    assert found["lines"]["of"] - found["lines"]["known"] == 2


def test_the_dearest_comes_first_and_what_names_nobody_has_no_name(books):
    assert groups(shares(Books(books), Breakdown(("team",)))) == [("",), ("search",), ("shop",)]


def test_what_only_the_lines_know_adds_up_to_the_same(books):
    found = shares(Books(books), Breakdown(("customer",)))
    assert (sorted(groups(found)), total(found)) == ([("",), ("ada",), ("bob",)], whole(books))


@pytest.mark.parametrize(
    ("per", "zone", "periods"),
    [
        ("day", "UTC", ["2026-11-20", "2026-11-21", "2026-11-22", "2026-12-01"]),
        ("day", "Pacific/Kiritimati", ["2026-11-21", "2026-11-22", "2026-11-23", "2026-12-02"]),
        ("week", "UTC", ["2026-W47", "2026-W49"]),
        ("week", "Pacific/Kiritimati", ["2026-W47", "2026-W48", "2026-W49"]),
        ("month", "Europe/Berlin", ["2026-11", "2026-12"]),
        ("hour", "Europe/Berlin", [f"{day}T11:00+01:00" for day in ("2026-11-20", "2026-11-21", "2026-11-22", "2026-12-01")]),
    ],
)  # fmt: skip
def test_time_is_divided_as_the_calendar_of_a_place_has_it(books, per, zone, periods):
    found = shares(Books(books), Breakdown(per=per, zone=zone))
    assert ([each["period"] for each in found], total(found)) == (periods, whole(books))


def test_the_last_hour_of_a_day_is_still_of_that_day(books):
    until = datetime(2026, 11, 22, 10, 59, tzinfo=UTC)
    since = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
    assert groups(shares(Books(books), Breakdown(("team",), since=since, until=until))) == [("search",)]


def test_some_are_chosen(books):
    by_team = shares(Books(books), Breakdown(only={"team": "search"}))
    by_customer = shares(Books(books), Breakdown(("customer",), only={"team": "search"}))
    assert (len(by_team), groups(by_customer)) == (1, [("ada",), ("bob",)])
    assert total(by_team) == total(by_customer)
    assert shares(Books(books), Breakdown(only={"team": "nobody"})) == []


def test_what_names_none_can_be_chosen_too(books):
    (found,) = shares(Books(books), Breakdown(only={"team": ""}))
    assert Decimal(found["components"]["human_review"]) == Decimal("1.5")


def test_all_others_are_one_line_with_their_sum(books):
    found = shares(Books(books), Breakdown(("team",), limit=1))
    assert (groups(found), total(found)) == ([("",), None], whole(books))


def test_the_dearest_of_all_time_are_told_in_every_period(books):
    found = shares(Books(books), Breakdown(("team",), per="month", limit=1))
    assert [(each["period"], each["group"]) for each in found] == [
        ("2026-11", None), ("2026-12", {"team": ""}), ("2026-12", None),
    ]  # fmt: skip
    assert total(found) == whole(books)


@settings(deadline=None, max_examples=25)
@given(
    by=st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=3),
    per=st.sampled_from(["all", "hour", "day", "week", "month"]),
    zone=st.sampled_from(["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia"]),
    limit=st.integers(0, 3),
)
def test_however_it_is_divided_it_adds_up(books, by, per, zone, limit):
    found = shares(Books(books), Breakdown(tuple(by), per, zone, limit=limit))
    assert total(found) == whole(books)
    for each in found:
        assert sum(map(Decimal, each["components"].values())) == Decimal(each["total"])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"by": ("colour",)}, "colour"),
        ({"only": {"shape": "round"}}, "shape"),
        ({"per": "fortnight"}, "fortnight"),
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"zone": "../etc/passwd"}, "../etc/passwd"),
        ({"limit": -1}, "-1"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(wrong, named):
    with pytest.raises(BreakdownError, match=named):
        Breakdown(**wrong)


@pytest.mark.parametrize("by", [("team",), ("team", "customer")])
def test_a_call_of_whose_usage_nothing_is_known_is_no_call_without_cost(fresh_ledger, by):
    """Whether the hours are asked or the lines."""
    ledger = fresh_ledger()
    said = {"tokentrace.usage.source": "missing"} | attributed(team="lost", customer="ada")
    ledger.call("a1", "s1", said=said)
    ledger.call("a2", "s1", tokens={"input_text": 1000}, said=attributed(team="found", customer="ada"))
    ledger.tick()
    found = {
        each["group"]["team"]: (each["total"], each["lines"]) for each in shares(Books(ledger.store), Breakdown(by))
    }
    assert found == {"lost": ("0", {"known": 0, "of": 1}), "found": ("0.002", {"known": 1, "of": 1})}


OWN_AND_PROMISED = """
version: 1
rates: [{provider: promised, model: m, prices: {input_text: 2}}, {provider: api, model: m, prices: {input_text: 2}}]
gpu_pools:
  - {id: own, hourly_cost: 36, match: {provider: vllm}, from: 2026-10-31T23:00:00Z, to: 2026-11-01T02:00:00Z}
commitments:
  - {id: c, kind: usage, settle: hour, price: 12, quantity: 2000000, weights: {input: 1}, match: {provider: promised}, from: 2026-10-31T23:00:00, to: 2026-11-01T02:00:00}
"""
"""Hours of 36 $ that a machine is busy for a part of, and capacity of 12 $ that is used by halves, or not enough."""


@pytest.fixture(scope="module")
def capable(fresh_ledger):
    """Own machines, a commitment and an API, around the end of a month that is closed, and something that came late."""
    ledger = fresh_ledger().priced_by(OWN_AND_PROMISED)
    began = (datetime(2026, 10, 31, 23, tzinfo=UTC) - datetime(2026, 11, 20, 10, tzinfo=UTC)).total_seconds()

    def call(name, provider, hour, tokens, **more):
        said = attributed(team="search" if hour else "shop", customer="ada")
        ledger.call(name, "s", provider=provider, model="m", at=began + hour * 3600, tokens=tokens, said=said, **more)

    call("g1", "vllm", 0, {"output_text": 300, "output_reasoning": 100}, seconds=600, role="answer")
    call("g2", "vllm", 1, {"output_text": 5}, seconds=1200, failed=True)
    call("c1", "promised", 0, {"input_text": 1_000_000}, role="plan")
    call("c2", "promised", 1, {"input_text": 3_000_000}, role="answer")
    call("a1", "api", 1, {"input_text": 1_000}, role="answer")
    call("x1", "none-such", 1, {"input_text": 9})
    ledger.span("later", "x", at=began + 5 * 3600)
    ledger.tick()
    ledger.rollup.close(Closing(date(2026, 10, 1), datetime(2026, 11, 20, tzinfo=UTC)))
    call("c3", "promised", 0, {"input_text": 500_000}, role="answer")
    call("g3", "vllm", 0, {"output_text": 100}, seconds=60, role="answer")
    ledger.tick()
    return ledger.store


@settings(deadline=None, max_examples=8)
@given(
    by=st.lists(st.sampled_from(sorted({*DIMENSIONS} - {"sub_component"})), unique=True, max_size=2),
    per=st.sampled_from(["all", "hour", "month"]),
    only=st.sampled_from([{}, {"team": "search"}, {"provider": "vllm"}, {"charge_period": "2026-10"}]),
)
def test_used_capacity_as_infrastructure_changes_no_sum(capable, by, per, only):
    """Whichever source is asked: everything but the components stays what it is, and these add up."""
    plain, moved = (
        {(each["period"], str(each["group"]), each["currency"]): each for each in shares(Books(capable), asked)}
        for asked in (
            Breakdown(tuple(by), per, only=only),
            Breakdown(tuple(by), per, only=only, infra_view="all"),
        )
    )
    assert plain.keys() == moved.keys()
    for key, one in plain.items():
        other = moved[key]
        moves = {"components": {}, "ratios": {}}
        assert one | moves == other | moves
        assert sum(map(Decimal, other["components"].values())) == Decimal(one["total"])


def test_used_capacity_is_infrastructure_where_that_is_wanted(capable):
    """And is told from what stood idle; what a provider is paid by use is not capacity."""
    by = ("provider", "sub_component")
    found = {
        tuple(each["group"].values()): {name for name, cost in each["components"].items() if Decimal(cost)}
        for each in shares(Books(capable), Breakdown(by, infra_view="all"))
        if each["group"]["provider"] in {"vllm", "promised", "api"}
    }
    assert {key for key, components in found.items() if components == {"infrastructure"}} == {
        ("vllm", "gpu_idle"),
        ("vllm", "gpu_used"),
        ("promised", "commitment_used"),
        ("promised", "commitment_unused"),
    }
    assert {key[0] for key, components in found.items() if components - {"infrastructure"}} == {"promised", "api"}


def test_infrastructure_is_all_that_is_paid_by_the_hour(capable):
    """Three hours of 36 and three of 12, and nothing of what was beyond."""
    (plain,), (moved,) = (shares(Books(capable), Breakdown(infra_view=view)) for view in ("unused", "all"))
    assert Decimal(moved["components"]["infrastructure"]) == 3 * (36 + 12)
    assert Decimal(plain["components"]["infrastructure"]) < 3 * (36 + 12)
    assert Decimal(moved["components"]["visible"]) == Decimal("2.002")
    assert {name: moved["components"][name] for name in ("hidden_reasoning", "errors")} == {
        "hidden_reasoning": "0",
        "errors": "0",
    }


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"infra_view": "used"}, "'used' is unknown. Known: unused, all."),
        ({"infra_view": "all", "run": "5a1f"}, "Leave out"),
    ],
)
def test_a_view_that_nobody_has_is_refused(wrong, named):
    with pytest.raises(BreakdownError, match=named):
        Breakdown(**wrong)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-6.1-sol", "gpt-6"),
        ("gpt-4o-mini", "gpt-4o"),
        ("ft:gpt-6-sol:acme::a1", "gpt-6"),
        ("o3-mini", "o3"),
        ("claude-opus-5-5", "claude-opus-5"),
        ("us.anthropic.claude-sonnet-5-5-20261001-v1:0", "claude-sonnet-5"),
        ("openai/gpt-6-sol", "gpt-6"),
        ("Qwen/Qwen3-32B", "qwen3"),
        ("gemini-3.8-flash", "gemini-3"),
        ("mistral-large-2411", "mistral-large"),
        ("command-r-plus-08-2024", "command-r-plus"),
        ("text-embedding-3-small", "text-embedding-3"),
        ("4711", "4711"),
        ("", ""),
    ],
)
def test_a_model_is_of_a_family(related, model, family):
    """Its name without the vendor's, up to the major version."""
    (found,) = shares(Books(related), Breakdown(("model_family",), only={"model": model}))
    assert found["group"] == {"model_family": family}
    chosen = shares(Books(related), Breakdown(("model",), only={"model_family": family}))
    assert model in [each["group"]["model"] for each in chosen]


@pytest.fixture(scope="module")
def related(fresh_ledger):
    """Calls of models of many names, each of several classes of tokens."""
    ledger = fresh_ledger().priced_by(
        "version: 1\nrates: [{provider: p, prices: {input_text: 1, cache_read: 0.1, output_text: 4, web_search: 0.01}}]"
    )
    (names,) = (mark.args[1] for mark in test_a_model_is_of_a_family.pytestmark)
    for number, (model, _) in enumerate(names):
        tokens = {"input_text": 1_000, "cache_read": 3_000, "output_text": 100}
        ledger.call(f"m{number}", "a", provider="p", model=model, tokens=tokens, meters={"web_search": 2})
    ledger.tick()
    return ledger.store


def test_costs_are_divided_by_class_of_token(related):
    """And by that of what is billed otherwise; they add up to all of it. What nobody names has no price."""
    found = shares(Books(related), Breakdown(("token_class",)))
    costs = {each["group"]["token_class"]: (each["total"], each["tokens"]) for each in found}
    assert costs == {
        "input_text": ("0.013", "14000"),
        "cache_read": ("0.0039", "42000"),
        "output_text": ("0.0052", "1400"),
        "web_search": ("0.26", "0"),
    }
    (whole,) = shares(Books(related), Breakdown())
    assert Decimal(whole["total"]) == sum(Decimal(total) for total, _ in costs.values())


def test_a_request_over_midnight_is_dated_by_its_lines(ledger):
    """A dollar two minutes before December and four after it; the request is of the day on which it began."""
    ledger.priced_by("version: 1\nrates: [{provider: p, model: m, prices: {input_text: 1}}]")
    before = (datetime(2026, 11, 30, 23, 58, tzinfo=UTC) - datetime(2026, 11, 20, 10, tzinfo=UTC)).total_seconds()
    for span, at, count in (("a", before, 1_000_000), ("b", before + 180, 4_000_000)):
        ledger.call("t", span, provider="p", model="m", at=at, tokens={"input_text": count})
    ledger.tick()
    months = shares(Books(ledger.store), Breakdown(per="month"))
    assert [(each["period"], each["total"]) for each in months] == [("2026-11", "1"), ("2026-12", "4")]
    assert (ledger.trace("t")["day"], ledger.trace("t")["total"]) == (date(2026, 11, 30), 5)
    (whole,) = shares(Books(ledger.store), Breakdown(per="month", zone="America/Los_Angeles"))
    assert (whole["period"], whole["total"]) == ("2026-11", "5")


def test_costs_are_divided_by_what_their_role_rests_on(fresh_ledger):
    """What the application named, and what was inferred of the span of another instrumentation."""
    ledger = fresh_ledger().priced_by("version: 1\nrates: [{provider: p, prices: {input_text: 1, output_text: 0}}]")
    named = {"tokentrace.role_source": "explicit"}
    ledger.call("t", "a", at=1, provider="p", model="m", tokens={"input_text": 5_000_000}, role="plan", said=named)
    ledger.foreign(
        "t", "b", at=3, usage={"input_tokens": 2_000_000, "output_tokens": 1},
        said={"gen_ai.operation.name": "chat", "gen_ai.provider.name": "p", "gen_ai.response.model": "m"},
    )  # fmt: skip
    ledger.tick()
    found = shares(Books(ledger.store), Breakdown(("role", "role_source")))
    assert [(*each["group"].values(), each["total"]) for each in found] == [
        ("plan", "explicit", "5"),
        ("answer", "inferred:last_call", "2"),
    ]
