"""Rules and aliases of a price book: what they make of the catalogue's prices, and what is refused."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.ingest.renormalise import renormalise
from tokentrace_collector.prices import catalogue as installed, difference, globs
from tokentrace_collector.prices.book import BookError, parse
from tokentrace_collector.prices.listing import of_catalogue
from tokentrace_collector.reports import answers
from tokentrace_collector.reports.focus import Export, written
from tokentrace_collector.rollup.orders import Repricing
from tokentrace_collector.tenants import Books

EPOCH = datetime(2026, 11, 20, 10, tzinfo=UTC)
DAY = 86_400
OCTOBER = -50 * DAY
"""In seconds from the epoch: when the catalogue has no price of a batch yet."""
BATCH = {"tokentrace.billing.service_tier": "batch"}
EXACT = Context(prec=80)


def ruled(*rules, **sections):
    more = "".join(f"{name}: {text}\n" for name, text in sections.items())
    return "version: 1\n" + more + "rules:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules)


def at(host):
    return {"server.address": host}


def cost(ledger, span="a"):
    return ledger.call_cost("t", span)


def paid(ledger, span="a"):
    """What a call costs, and what it would by the price lists."""
    row = cost(ledger, span)
    return row["total"], row["list_cost"]


def amounts(ledger, span="a"):
    row = cost(ledger, span)
    return dict(zip(row["lines.unit"], row["lines.amount"], strict=True))


def test_a_discount_is_on_what_it_names_from_its_day_to_its_last(ledger):
    """An eighth off the tokens, while the agreement holds; searches cost what they cost."""
    ledger.priced_by(
        ruled(
            'id: ea, match: {provider: openai, model: "gpt-6*"}, discount: 0.125, on: [tokens], from: 2026-11-20T10:00:00, to: 2026-11-20T11:00:00'
        )
    )
    for span, when in (("before", -1), ("during", 0), ("after", 3_600)):
        ledger.call("t", span, tokens={"input_text": 1_000}, meters={"web_search": 1}, at=when)
    ledger.tick()
    assert [paid(ledger, span) for span in ("before", "during", "after")] == [
        (Decimal("0.012"), Decimal("0.012")), (Decimal("0.01175"), Decimal("0.012")), (Decimal("0.012"), Decimal("0.012")),
    ]  # fmt: skip
    assert set(cost(ledger, "during")["lines.status"]) == {"priced"}


def test_a_multiplier_is_for_the_region_that_a_call_was_served_in(ledger):
    """As the provider reports it, or as it was asked; one without a region is not in it, and a narrower rule wins."""
    ledger.priced_by(
        ruled(
            'id: residency, match: {provider: openai, region: "eu*"}, multiplier: 1.10',
            "id: zurich, match: {provider: openai, region: eu-central-2}, multiplier: 1.25",
        )
    )
    for span, region in (("a", "eu-west-1"), ("b", "eu-central-2"), ("c", "us-east-1"), ("d", "")):
        ledger.call("t", span, tokens={"input_text": 1_000}, said={"tokentrace.billing.region": region})
    ledger.tick()
    assert [paid(ledger, span)[0] for span in "abcd"] == [*map(Decimal, ("0.0022", "0.0025", "0.002", "0.002"))]
    assert {paid(ledger, span)[1] for span in "abcd"} == {Decimal("0.002")}


def test_what_was_stored_before_regions_counted_has_one_price_until_it_is_read_again(ledger):
    """One key of several regions can have one price list alone: none of them decides it."""
    ledger.priced_by(ruled('id: residency, match: {provider: openai, region: "eu*"}, multiplier: 1.10'))
    for span, region in (("a", "eu-west-1"), ("b", "us-east-1")):
        ledger.call("t", span, tokens={"input_text": 1_000}, said={"tokentrace.billing.region": region})
    ledger.arrive()
    asked = "SELECT * REPLACE (sipHash64(provider, model, request_model, tier, host) AS rate_key) FROM llm_calls"
    ledger.store.run(f"INSERT INTO llm_calls {asked}")
    ledger.tick()
    assert [paid(ledger, span)[0] for span in "ab"] == [Decimal("0.002")] * 2
    now = datetime.now(UTC)
    renormalise(ledger.store, now - timedelta(hours=1), now + timedelta(hours=1))
    ledger.tick()
    assert [paid(ledger, span)[0] for span in "ab"] == [Decimal("0.0022"), Decimal("0.002")]


def test_a_multiplier_and_a_discount_are_both_applied(ledger):
    """An eighth off at every host, and a tenth more at that of one region."""
    ledger.priced_by(
        ruled(
            "id: ea, match: {provider: openai}, discount: 0.125",
            'id: residency, match: {provider: openai, host: "eu.*"}, multiplier: 1.10',
        )
    )
    ledger.call("t", "a", tokens={"input_text": 1_000}, said=at("eu.api.openai.com"))
    ledger.call("t", "b", tokens={"input_text": 1_000}, said=at("api.openai.com"))
    ledger.tick()
    assert [paid(ledger, span) for span in "ab"] == [
        (Decimal("0.001925"), Decimal("0.002")),
        (Decimal("0.00175"), Decimal("0.002")),
    ]


def test_a_rule_for_less_than_two_others_settles_what_they_share(ledger):
    """A batch at the host of a region, where one multiplier is for the one and another for the other."""
    ledger.priced_by(
        ruled(
            'id: residency, match: {provider: openai, host: "eu.*"}, multiplier: 1.10',
            "id: old, match: {tier: batch}, to: 2026-10-14, multiplier: 0.5",
            'id: both, match: {provider: openai, host: "eu.*", tier: batch}, to: 2026-10-14, multiplier: 0.55',
        )
    )
    ledger.call("t", "a", tokens={"input_text": 1_000}, at=OCTOBER, said=BATCH | at("eu.api.openai.com"))
    ledger.call("t", "b", tokens={"input_text": 1_000}, said=BATCH | at("eu.api.openai.com"))
    ledger.tick()
    assert [paid(ledger, span)[0] for span in "ab"] == [Decimal("0.0011"), Decimal("0.0011")]


def test_a_rule_for_a_tier_knows_its_price_before_the_catalogue_does(ledger):
    """Half of the standard price until the catalogue has one of its own; which is no more than a loan without a rule."""
    ledger.call("t", "a", tokens={"input_text": 1_000}, at=OCTOBER, said=BATCH)
    ledger.call("t", "b", tokens={"input_text": 1_000}, said=BATCH)
    ledger.call("t", "c", tokens={"input_text": 1_000}, at=OCTOBER)
    ledger.tick()
    assert (paid(ledger)[0], cost(ledger)["lines.status"]) == (Decimal("0.002"), ["fallback"])
    ledger.priced_by(ruled("id: old, match: {provider: openai, tier: batch}, to: 2026-10-14, multiplier: 0.5")).tick()
    assert (paid(ledger), cost(ledger)["lines.status"]) == ((Decimal("0.001"), Decimal("0.002")), ["priced"])
    assert (paid(ledger, "b"), paid(ledger, "c")[0]) == ((Decimal("0.001"), Decimal("0.001")), Decimal("0.002"))


def test_a_rule_that_names_no_tier_does_not_vouch_for_the_price_of_one(ledger):
    ledger.priced_by(ruled("id: ea, match: {provider: openai}, discount: 0.5"))
    ledger.call("t", "a", tokens={"input_text": 1_000}, said={"tokentrace.billing.service_tier": "warp"})
    ledger.tick()
    assert (paid(ledger)[0], cost(ledger)["lines.status"]) == (Decimal("0.001"), ["fallback"])


@pytest.mark.parametrize("tier", ["", "default", "standard"])
def test_service_as_usual_is_standard_by_whatever_word(ledger, tier):
    ledger.priced_by(ruled("id: usual, match: {tier: standard}, discount: 0.5"))
    ledger.call("t", "a", tokens={"input_text": 1_000}, said={"tokentrace.billing.service_tier": tier})
    ledger.call("t", "b", tokens={"input_text": 1_000}, said=BATCH)
    ledger.tick()
    assert [paid(ledger, span)[0] for span in "ab"] == [Decimal("0.001"), Decimal("0.001")]
    assert paid(ledger, "b")[1] == Decimal("0.001")


@pytest.mark.parametrize(
    ("rules", "factor"),
    [
        (["id: a, match: {provider: openai}, discount: 0.1", "id: b, match: {provider: openai, model: gpt-6-sol}, discount: 0.2"], "0.8"),
        (['id: a, match: {model: "gpt-6*"}, discount: 0.1', 'id: b, match: {model: "gpt*"}, discount: 0.2'], "0.9"),
        (["id: a, match: {provider: openai}, discount: 0.1", "id: b, match: {provider: openai}, discount: 0.2, on: [tokens]"], "0.8"),
        (["id: a, match: {provider: openai}, discount: 0.1, on: [input_text]", "id: b, match: {provider: openai}, discount: 0.2, on: [tokens]"], "0.9"),
        (["id: a, match: {provider: openai}, discount: 0.1, to: 2026-11-01", "id: b, match: {provider: openai}, discount: 0.2, from: 2026-11-01"], "0.8"),
        (['id: a, match: {provider: "*"}, discount: 0.3'], "0.7"),
        (["id: a, match: {provider: anthropic}, discount: 0.3"], "1"),
        (["id: a, match: {provider: openai}, discount: 1"], "0"),
        (["id: a, match: {provider: openai}, multiplier: 2", "id: b, match: {provider: openai, model: gpt-6-sol}, multiplier: 1"], "1"),
    ],
)  # fmt: skip
def test_the_narrower_rule_decides(ledger, rules, factor):
    ledger.priced_by(ruled(*rules))
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    assert paid(ledger) == (Decimal("0.002") * Decimal(factor), Decimal("0.002"))


def test_reasoning_is_sold_as_output_unless_a_rule_names_it(ledger):
    tokens = {"output_text": 1_000, "output_reasoning": 1_000}
    ledger.call("t", "a", tokens=tokens)
    ledger.priced_by(ruled("id: a, match: {provider: openai}, discount: 0.5, on: [output_text]")).tick()
    assert amounts(ledger) == {"output_text": Decimal("0.005"), "output_reasoning": Decimal("0.005")}
    ledger.priced_by(
        ruled(
            "id: a, match: {provider: openai}, discount: 0.5, on: [output_text]",
            "id: b, match: {provider: openai}, discount: 0.1, on: [output_reasoning]",
        )
    ).tick()
    assert amounts(ledger) == {"output_text": Decimal("0.005"), "output_reasoning": Decimal("0.009")}


def test_a_rate_wins_over_rules(ledger):
    """And where the catalogue has no price, the rate is the list price as well."""
    ledger.priced_by(
        ruled(
            'id: a, match: {provider: "*"}, discount: 0.5',
            rates="[{model: gpt-6-sol, prices: {input_text: 1, search_units: 0.001}}, {provider: vllm, prices: {input_text: 3}}]",
        )
    )
    ledger.call("t", "a", tokens={"input_text": 1_000, "output_text": 1_000}, meters={"search_units": 1})
    ledger.call("t", "b", provider="vllm", model="own", tokens={"input_text": 1_000})
    ledger.tick()
    assert (amounts(ledger), cost(ledger)["list_cost"]) == (
        {"input_text": Decimal("0.001"), "output_text": Decimal("0.005"), "search_units": Decimal("0.001")},
        Decimal("0.013"),
    )
    assert paid(ledger, "b") == (Decimal("0.003"), Decimal("0.003"))


def test_a_rule_changes_no_review_and_nothing_without_a_price(ledger):
    ledger.priced_by(ruled('id: a, match: {provider: "*"}, discount: 0.5', human_review="{rate_per_hour: 36}"))
    ledger.review("t", "r", active=100)
    ledger.call("t", "a", "r", provider="vllm", model="own", tokens={"input_text": 1_000})
    ledger.tick()
    assert (ledger.trace("t")["human_review"], cost(ledger)["lines.status"]) == (1, ["unpriced"])


def test_another_rule_is_another_run_and_is_tried_before_it_is_adopted(ledger):
    ledger.priced_by(ruled("id: a, match: {provider: openai}, discount: 0.5"))
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    changed = parse(ruled("id: a, match: {provider: openai}, discount: 0.25"))
    ledger.rollup.reprice(Repricing(changed, adopt=True))
    assert paid(ledger) == (Decimal("0.0015"), Decimal("0.002"))
    assert ledger.store.query("SELECT count() AS runs FROM rating_runs FINAL") == [{"runs": 2}]


FIRST = "id: a, match: {provider: openai}, discount: 0.1"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (["match: {provider: x}, discount: 0.1"], "Line 3: The entry 'id' is missing."),
        (["id: a, match: {}, discount: 0.1"], 'Line 3: Nothing is matched. Name what is meant, or write `provider: "*"` for all.'),
        (["id: a, match: {country: eu}, discount: 0.1"], "Line 3: There is no entry 'country' here. Known: host, model, provider, region, tier."),
        (["id: a, match: {provider: x}"], "Line 3: A rule has either a `discount` or a `multiplier`. Write one of them."),
        (["id: a, match: {provider: x}, discount: 0.1, multiplier: 2"], "Line 3: A rule has either a `discount` or a `multiplier`."),
        (["id: a, match: {provider: x}, discount: 1.5"], "Line 3: A discount of 1.5 pays for being used. Write 0.2 for 20 %."),
        (["id: a, match: {provider: x}, discount: -0.1"], "Line 3: '-0.1' is no price. Write a decimal number from 0"),
        (["id: a, match: {provider: x}, multiplier: 0"], "Line 3: A multiplier of 0 makes everything free. Write `discount: 1`"),
        (["id: a, match: {provider: x}, multiplier: -1"], "Line 3: '-1' is no price. Write a decimal number from 0"),
        (["id: a, match: {provider: x}, multiplier: 0.0000000000001"], "has more than 12 decimal places. Round it."),
        (["id: a, match: {provider: x}, discount: 0.1, on: [token]"], "Line 3: 'token' is no bucket or meter. Use one of tokens, meters, audio_seconds,"),
        (["id: a, match: {provider: x}, discount: 0.1, on: []"], "Line 3: A rule on nothing changes nothing. Leave `on` out for everything."),
        (["id: a, match: {provider: x}, discount: 0.1, from: soon"], "Line 3: 'soon' is no date. Write 2026-07-01"),
        (["id: a, match: {provider: x}, discount: 0.1, from: 2026-02-01, to: 2026-01-01"], "Line 3: `to: 2026-01-01` does not lie after `from`."),
        ([FIRST, "id: a, match: {provider: x}, discount: 0.1"], "Line 4: There are two rules 'a'. Give each its own id."),
        ([FIRST, "id: b, match: {provider: openai}, discount: 0.2"], "Line 4: 'b' and 'a' set a discount on audio_seconds, cache_read, cache_read_audio of the same calls, and neither is narrower. Let one match more, or end where the other begins."),
        ([FIRST, 'id: b, match: {model: "gpt*"}, discount: 0.2, on: [input_text]'], "'b' and 'a' set a discount on input_text"),
        (['id: a, match: {model: "*-sol"}, discount: 0.2', 'id: b, match: {model: "gpt*", provider: "*"}, discount: 0.2'], ""),
        (['id: a, match: {model: "g?t*", host: "eu.west*"}, discount: 0.2', 'id: b, match: {model: "g[op]t-6*", host: "*.com"}, discount: 0.2'], "'b' and 'a' set"),
        ([FIRST + ", on: [tokens]", FIRST.replace("id: a", "id: b") + ", on: [input_text, web_search]"], "'b' and 'a' set a discount on input_text of"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused_where_it_stands(rules, message):
    if not message:
        assert len(parse(ruled(*rules)).rules) == len(rules)
        return
    with pytest.raises(BookError) as refused:
        parse(ruled(*rules))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "rule",
    [
        "id: b, match: {provider: openai}, multiplier: 0.2",
        "id: b, match: {provider: anthropic}, discount: 0.2",
        "id: b, match: {provider: openai, model: x}, discount: 0.2",
    ],
)
def test_rules_that_never_decide_about_the_same_do_not_disturb_each_other(rule):
    assert [each.id for each in parse(ruled(FIRST, rule)).rules] == ["a", "b"]


PATTERN = st.text("ab*?", max_size=4)
WORDS = ["".join(letters) for size in range(9) for letters in product("ab", repeat=size)]


@settings(max_examples=200, deadline=None)
@given(PATTERN, PATTERN)
def test_two_globs_meet_where_a_name_matches_both(one, other):
    """Of every short word: two patterns of four meet in one of eight letters, if anywhere."""
    assert globs.meet(one, other) == any(fnmatchcase(word, one) and fnmatchcase(word, other) for word in WORDS)


LIST = {"input_text": ("0.000002", "0.000004"), "cache_read": ("0.0000002", "0.0000004"), "output_text": ("0.00001", "0.000015"),
        "web_search": ("0.01", "0.01")}  # fmt: skip
GROUPS = {"tokens": {"input_text", "cache_read", "output_text"}, "meters": {"web_search"}}
HOSTS = ("", "eu.example", "eu.else")
REGIONS = ("", "eu", "us")
GLOBS = {
    "provider": ("openai", "open*", "x_ai"),
    "model": ("gpt*", "gpt-6*", "gpt-6-sol", "*-luna"),
    "host": ("eu.*", "eu.else"),
    "region": ("eu", "u*"),
    "tier": ("standard",),
}
moments = st.integers(-40, 5).map(lambda day: EPOCH + timedelta(days=day))
factors = st.integers(1, 10**12).map(lambda digits: Decimal(digits).scaleb(-12))
rule = st.fixed_dictionaries({
    "match": st.fixed_dictionaries({}, optional={name: st.sampled_from(known) for name, known in GLOBS.items()}).filter(bool),
    "kind": st.sampled_from(["discount", "multiplier"]),
    "amount": factors,
    "on": st.sampled_from([(), ("tokens",), ("meters",), ("input_text",), ("input_text", "web_search")]),
    "period": st.one_of(st.none(), st.tuples(moments, moments).filter(lambda one: one[0] < one[1])),
})  # fmt: skip
made = st.fixed_dictionaries({
    "host": st.sampled_from(HOSTS),
    "region": st.sampled_from(REGIONS),
    "at": st.integers(-45 * DAY, 8 * DAY),
    "tokens": st.dictionaries(st.sampled_from(sorted(GROUPS["tokens"])), st.integers(1, 300_000), min_size=1),
    "searches": st.integers(1, 9),
})  # fmt: skip


def text_of(number, one):
    match = ", ".join(f'{name}: "{glob}"' for name, glob in one["match"].items())
    parts = [f"id: r{number}, match: {{{match}}}, {one['kind']}: {one['amount']:f}"]
    parts += [f"on: [{', '.join(one['on'])}]"] if one["on"] else []
    parts += [f"from: {one['period'][0].isoformat()}, to: {one['period'][1].isoformat()}"] if one["period"] else []
    return ", ".join(parts)


def is_usable(rules):
    try:
        return bool(parse(ruled(*(text_of(number, one) for number, one in enumerate(rules)))).rules)
    except BookError:
        return False


def price(unit, call, rules):
    """A price by hand: the narrowest rule of each kind, the list price times the one, times what the other leaves."""
    inputs = sum(count for name, count in call["tokens"].items() if name != "output_text")
    amount = Decimal(LIST[unit][inputs > 272_000])
    said = {
        "provider": "openai",
        "model": "gpt-6-sol",
        "host": call["host"],
        "region": call["region"],
        "tier": "standard",
    }
    moment = EPOCH + timedelta(seconds=call["at"])
    for kind in ("discount", "multiplier"):
        best, found = None, None
        for one in rules:
            units = {name for group in one["on"] for name in GROUPS.get(group, {group})}
            since, until = one["period"] or (EPOCH - timedelta(999), EPOCH + timedelta(999))
            if (
                one["kind"] == kind
                and (not one["on"] or unit in units)
                and since <= moment < until
                and all(fnmatchcase(said[name], glob) for name, glob in one["match"].items())
            ):
                letters = sum(len(glob.replace("*", "")) for glob in one["match"].values())
                narrow = (len(one["match"]), letters, 3 - min(len(units) or 3, 3), bool(units))
                if best is None or narrow > best:
                    best, found = narrow, one["amount"]
        if found is not None:
            amount = EXACT.multiply(amount, 1 - found if kind == "discount" else found)
    return amount.quantize(Decimal("1e-18"), ROUND_HALF_EVEN)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=st.lists(rule, min_size=1, max_size=5).filter(is_usable), calls=st.lists(made, min_size=12, max_size=12))
def test_what_is_charged_is_the_list_price_times_the_terms(shared_ledger, rules, calls):
    """Rated in SQL, to the last of eighteen digits, for any rules, moments and sizes."""
    book = ruled(*(text_of(number, one) for number, one in enumerate(rules)))
    shared_ledger.priced_by(book)
    for number, call in enumerate(calls):
        shared_ledger.call(
            f"p{number}", "a", tokens=call["tokens"], meters={"web_search": call["searches"]}, at=call["at"],
            said=at(call["host"]) | {"tokentrace.billing.region": call["region"]},
        )  # fmt: skip
    shared_ledger.tick()
    for number, call in enumerate(calls):
        found = shared_ledger.store.query(
            "SELECT list_cost, contracted_cost, total FROM call_costs FINAL WHERE trace_id = {trace:String}",
            trace=f"p{number}",
        )
        used = {**call["tokens"], "web_search": call["searches"]}
        contracted = sum(EXACT.multiply(price(unit, call, rules), Decimal(count)) for unit, count in used.items())
        listed = sum(EXACT.multiply(price(unit, call, ()), Decimal(count)) for unit, count in used.items())
        assert found == [{"list_cost": listed, "contracted_cost": contracted, "total": contracted}]
    shared_ledger.store.run("TRUNCATE TABLE otel_traces")
    shared_ledger.store.run("TRUNCATE TABLE llm_calls")


BOTH = ruled(
    'id: ea, match: {provider: openai, model: "gpt-6-sol"}, discount: 0.125, on: [tokens], from: 2026-07-01',
    'id: eu, match: {provider: openai, model: "gpt-6-sol", host: "eu.*"}, multiplier: 1.1, on: [input_text]',
    "id: old, match: {model: gpt-6-sol, tier: batch}, to: 2026-10-14, multiplier: 0.5, on: [input_text]",
)


def test_a_comparison_has_the_prices_of_a_region_apart():
    """Also where a host has its own: nothing is the same price in two places under one name."""
    rules = [
        "id: eu, match: {model: gpt-6-sol, region: eu}, multiplier: 1.1",
        'id: own, match: {model: gpt-6-sol, host: "own.*"}, discount: 0.5',
    ]
    snapshot = installed.snapshot()
    found = difference.differences(of_catalogue(snapshot), of_catalogue(snapshot, parse(ruled(*rules))), EPOCH)
    told = {
        each["context"]: each["after"]
        for each in found
        if (each["provider"], each["unit"], each["above_tokens"]) == ("openai", "input_text", 0)
        and not each["context"].startswith(("batch", "flex", "priority", "fast"))
    }
    assert told == {"@region=eu": "0.0000022", "@own.*": "0.000001", "@own.* @region=eu": "0.0000011"}


def test_a_comparison_of_prices_has_what_rules_make_of_them():
    """By the day, for each tier, and apart for the hosts that a rule names."""
    snapshot = installed.snapshot()
    found = difference.differences(of_catalogue(snapshot), of_catalogue(snapshot, parse(BOTH)), EPOCH)
    assert {each["model"] for each in found} == {"gpt-6-sol"}
    told = {
        (each["context"], each["valid_from"][:10], each["before"], each["after"])
        for each in found
        if (each["provider"], each["unit"], each["above_tokens"]) == ("openai", "input_text", 0)
    }
    assert told >= {
        ("", "2026-07-01", "0.000002", "0.00000175"),
        ("batch", "1970-01-01", None, "0.000001"),
        ("batch", "2026-07-01", None, "0.000000875"),
        ("batch", "2026-10-14", "0.000001", "0.000000875"),
        ("@eu.*", "1970-01-01", None, "0.0000022"),
        ("@eu.*", "2026-07-01", None, "0.000001925"),
    }


def test_the_prices_that_are_shown_are_those_of_the_rules(ledger):
    ledger.priced_by(BOTH)
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.call("t", "b", tokens={"input_text": 1_000}, said=at("eu.api.openai.com"))
    ledger.tick()
    shown: dict[str, Decimal] = {}
    for each in answers.prices(Books(ledger.store), "openai", "gpt-6-sol", EPOCH):
        # The catalogue's own follow those of the book.
        shown.setdefault(each["context"], Decimal(each["cells"][0]["prices"]["input_text"]["amount"]))
    assert (shown[""], shown["@eu.*"]) == (Decimal("0.00000175"), Decimal("0.000001925"))


def test_a_bill_has_both_the_list_cost_and_the_contracted_cost(ledger):
    ledger.priced_by(ruled("id: ea, match: {provider: openai}, discount: 0.125"))
    ledger.call("t", "a", tokens={"input_text": 1_000_000})
    ledger.tick()
    period = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    (row,) = csv.DictReader(io.StringIO(written(Books(ledger.store), Export(*period)).decode()))
    told = {name: Decimal(row[name]) for name in ("ListCost", "ContractedCost", "EffectiveCost", "BilledCost")}
    assert told == {"ListCost": 4, "ContractedCost": Decimal("3.5"), "EffectiveCost": Decimal("3.5"), "BilledCost": Decimal("3.5")}  # fmt: skip
    assert (Decimal(row["ListUnitPrice"]), Decimal(row["ContractedUnitPrice"])) == (4, Decimal("3.5"))
