"""What holds of any traffic (the method, §4.8), each on random worlds through the real engine.

Of its ten properties, order and batching are in `test_rollup`, closed months in `test_closing`, retention in `test_retention`,
commitments and the invoice in `test_commitments_together`, roles in `test_roles_properties`.
"""

import json
from collections import Counter
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.rollup import recompute
from tokentrace_collector.store import schema

FEW = settings(
    max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
PRICES = {"input_text": 2, "cache_read": Decimal("0.2"), "cache_write_5m": Decimal("2.5"), "output_text": 10}
PRICED = ", ".join(f"{unit}: {price}" for unit, price in PRICES.items())
INPUT = ("cache_read", "cache_write_5m", "input_text")
"""In the order in which a prompt is read."""
HOUR = 3600
KINDS = ("system", "tool_definitions", "history", "tool_results", "retrieved", "user")
_worlds = count()


def sums(ledger, question):
    return {row["key"]: row["amount"] for row in ledger.store.query(question)}


def whole(row):
    """The total of a trace, which is that of its components, and of what is direct and allocated, measured and estimated."""
    components = sum(row[each.name] for each in schema.components())
    assert components == row["direct"] + row["allocated"] == row["measured"] + row["estimated"] == row["total"]
    return row["total"]


counts = st.integers(0, 5_000)
served = st.fixed_dictionaries({
    "at": st.integers(0, 2 * HOUR - 1),
    "seconds": st.integers(0, HOUR),
    "failed": st.booleans(),
    "tokens": st.fixed_dictionaries({"input_text": counts, "output_text": counts}),
})  # fmt: skip
machines = st.fixed_dictionaries({
    "cost": st.decimals(0, 50, places=4),
    "capacity": st.sampled_from((None, 1, 40, 1_000_000)),
    "weights": st.tuples(*[st.sampled_from((0, Decimal("0.08"), 1))] * 2),
    "calls": st.lists(served, max_size=4),
})  # fmt: skip


@FEW
@given(worlds=st.lists(machines, min_size=8, max_size=8))
def test_a_pool_is_paid_to_the_last_unit_whoever_used_it(fresh_ledger, worlds):
    """Also by nobody, for weights of nothing, and beyond what it can do (1 and 9)."""
    pools = [
        f"{{id: w{place}, hourly_cost: {each['cost']}, match: {{provider: w{place}}}, "
        f"weights: {{input: {each['weights'][0]}, output: {each['weights'][1]}}}, "
        + (f"capacity: {each['capacity']}, " if each["capacity"] else "")
        + "from: 2026-11-20T10:00:00Z, to: 2026-11-20T12:00:00Z}"
        for place, each in enumerate(worlds)
    ]
    ledger = fresh_ledger().priced_by(f"version: 1\ngpu_pools: [{', '.join(pools)}]")
    for place, each in enumerate(worlds):
        for number, call in enumerate(each["calls"]):
            ledger.call(f"w{place}-{number}", "a", provider=f"w{place}", model="own", role="answer", **call)
    ledger.span("later", "x", at=4 * HOUR)
    ledger.tick()
    for row in ledger.store.query("SELECT * FROM capacity_hours FINAL"):
        assert row["used"] + row["idle"] == row["cost"]
        assert min(row["used"], row["idle"], row["unallocated"]) >= 0
        assert row["unallocated"] in {0, row["idle"]}
    shared = sums(ledger, "SELECT pool AS key, sum(amount) AS amount FROM capacity_lines FINAL GROUP BY pool")
    assert shared == {f"w{place}": 2 * each["cost"] for place, each in enumerate(worlds) if each["cost"]}
    traces = sum(map(whole, ledger.store.query("SELECT * FROM tcoai_by_trace FINAL")))
    nobodys = "SELECT '' AS key, sum(amount) AS amount FROM capacity_lines FINAL WHERE trace_id = ''"
    assert traces + (sums(ledger, nobodys)[""] or 0) == sum(shared.values())


looks = st.fixed_dictionaries({
    "by": st.sampled_from("abc"),
    "at": st.integers(0, 400),
    "active": st.integers(1, 300),
    "trace": st.integers(0, 3),
})  # fmt: skip


@FEW
@given(worlds=st.lists(st.lists(looks, min_size=1, max_size=6), min_size=8, max_size=8))
def test_nobody_pays_attention_twice(fresh_ledger, worlds):
    """What reviews cost is the rate times the seconds in which each person looked at something, whatever overlaps (9)."""
    ledger = fresh_ledger().priced_by("version: 1\nhuman_review: {rate_per_hour: 36}")
    watched = set()
    for place, looked in enumerate(worlds):
        for number, each in enumerate(looked):
            person = f"{place}-{each['by']}"
            ledger.review(f"w{place}-{each['trace']}", f"r{number}", active=each["active"], by=person, at=each["at"])
            watched |= {(person, second) for second in range(each["at"], each["at"] + each["active"])}
    ledger.tick()
    rows = ledger.store.query("SELECT * FROM tcoai_by_trace FINAL")
    assert sum(map(whole, rows)) == sum(row["human_review"] for row in rows) == len(watched) * Decimal("0.01")


responses = st.fixed_dictionaries({
    "is_created": st.booleans(),
    "is_silent": st.booleans(),
    "reads": st.lists(st.integers(0, 3), min_size=1, max_size=3),
    "trace": st.integers(0, 3),
    "tokens": st.integers(1, 900),
    "is_weak": st.booleans(),
})  # fmt: skip


@FEW
@given(
    worlds=st.lists(st.lists(responses, min_size=1, max_size=5), min_size=8, max_size=8),
    first=st.sampled_from(("all", "calls", "readings")),
    is_divided=st.booleans(),
)
def test_a_response_is_billed_once_however_often_it_is_seen(fresh_ledger, worlds, first, is_divided):
    """In whatever traces it is read, before or after it was made, known only from there; colliding ids are all billed (4)."""
    ledger = fresh_ledger().priced_by(f"version: 1\nrates: [{{provider: p, model: m, prices: {{{PRICED}}}}}]")
    made, readings, billed = [], [], 0
    for world, seen in enumerate(worlds):
        for number, each in enumerate(seen):
            # Drawn from a thousand by a local server, which nobody can ask for a response again.
            said = {"gen_ai.response.id": "chatcmpl-7" if each["is_weak"] else f"resp_{world:08}{number:08}"}
            call = {"provider": "p", "model": "m", "role": "answer", "tokens": {"input_text": each["tokens"]}}
            billed += each["tokens"]
            if each["is_weak"]:
                made.append((f"w{world}-{each['trace']}", f"c{number}", call | {"said": said, "at": number}))
                continue
            if each["is_created"]:
                told = (
                    {"tokens": {}, "said": said | {"tokentrace.usage.source": "missing"}} if each["is_silent"] else {}
                )
                made.append((f"w{world}-{each['trace']}", f"c{number}", {**call, "said": said, "at": number} | told))
            again = call | {"said": said | {"tokentrace.usage.scope": "retrieve"}}
            readings += [
                (f"w{world}-{trace}", f"r{number}-{place}", again | {"at": 60 + place})
                for place, trace in enumerate(each["reads"])
            ]
    batches = {"all": [made + readings], "calls": [made, readings], "readings": [readings, made]}[first]
    with pytest.MonkeyPatch.context() as changed:
        if is_divided:
            changed.setattr(recompute, "_TOUCHES", 3)
            changed.setattr(recompute, "_SPANS", 4)
        for batch in batches:
            for trace, span, told in batch:
                ledger.call(trace, span, **told)
            ledger.tick()
    rows = ledger.store.query("SELECT * FROM tcoai_by_trace FINAL")
    assert sum(map(whole, rows)) == Decimal(billed) * PRICES["input_text"] / 1_000_000


prompts = st.fixed_dictionaries({
    "segments": st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 300)), max_size=6),
    "tokens": st.fixed_dictionaries(dict.fromkeys(PRICES, st.integers(0, 400))),
    "role": st.sampled_from(("answer", "answer", "plan")),
    "failed": st.sampled_from((False, False, True)),
})  # fmt: skip


def divided(segments, tokens):
    """What of each bucket is which part of the prompt: parts by largest remainder, buckets filled from its front."""
    whole, said = sum(tokens[unit] for unit in INPUT), sum(size for _, size in segments)
    parts = [(kind, *divmod(size * whole, said)) for kind, size in segments]
    missing = whole - sum(size for _, size, _ in parts)
    raised = sorted(range(len(parts)), key=lambda place: (-parts[place][2], place))[:missing]
    prompt = [kind for place, (kind, size, _) in enumerate(parts) for _ in range(size + (place in raised))]
    found = Counter()
    for unit in INPUT:
        front, prompt = prompt[: tokens[unit]], prompt[tokens[unit] :]
        found.update((unit, kind) for kind in front)
    return found


@FEW
@given(asked=st.lists(prompts, min_size=40, max_size=40))
def test_a_prompt_is_divided_into_what_was_reported(shared_ledger, asked):
    """Of each bucket as much as its parts; of an answer in the order of the prompt, the cache at its front (7)."""
    shared_ledger.priced_by(f"version: 1\nrates: [{{provider: p, model: m, prices: {{{PRICED}}}}}]")
    world = next(_worlds)
    for place, each in enumerate(asked):
        said = {"tokentrace.input.segments": json.dumps([f"{kind}:{size}" for kind, size in each["segments"]])}
        shared_ledger.call(
            f"p{world}-{place}", "a", provider="p", model="m", said=said, role=each["role"], failed=each["failed"],
            tokens={unit: tokens for unit, tokens in each["tokens"].items() if tokens},
        )  # fmt: skip
    shared_ledger.tick()
    for place, each in enumerate(asked):
        cost = shared_ledger.call_cost(f"p{world}-{place}", "a")
        by_unit, by_part = Counter(), Counter()
        for unit, kind, quantity in zip(cost["lines.unit"], cost["lines.segment"], cost["lines.quantity"], strict=True):
            by_unit[unit] += quantity
            by_part[unit, kind] += quantity if unit in INPUT else 0
        assert +by_unit == +Counter(each["tokens"])
        if each["role"] == "answer" and not each["failed"] and any(size for _, size in each["segments"]):
            assert +by_part == divided(each["segments"], each["tokens"])


guesses = st.fixed_dictionaries({
    "kind": st.sampled_from(("reported", "estimated", "partial")),
    "input": st.integers(1, 5_000),
    "output": st.integers(0, 900),
    "role": st.sampled_from(("answer", "plan")),
})  # fmt: skip


@FEW
@given(worlds=st.lists(st.lists(guesses, min_size=1, max_size=5), min_size=10, max_size=10))
def test_without_its_estimates_a_request_measures_the_same(shared_ledger, worlds):
    """And they are all of what is estimated; what is not covered is never nothing (8)."""
    shared_ledger.priced_by(f"version: 1\nrates: [{{provider: p, model: m, prices: {{{PRICED}}}}}]")
    world = next(_worlds)
    for place, calls in enumerate(worlds):
        for number, each in enumerate(calls):
            made = {"provider": "p", "model": "m", "role": each["role"], "at": number}
            tokens, source = {"input_text": each["input"], "output_text": each["output"]}, "reported"
            if each["kind"] == "partial":
                source, made["said"] = "partial_stream", {"tokentrace.estimate.counts": '["output"]'}
            elif each["kind"] == "estimated":
                source = "estimated"
            made["said"] = made.get("said", {}) | {"tokentrace.usage.source": source}
            shared_ledger.call(f"e{world}-{place}", f"s{number}", tokens=tokens, **made)
            if each["kind"] != "estimated":
                tokens = tokens if each["kind"] == "reported" else {"input_text": each["input"]}
                shared_ledger.call(f"m{world}-{place}", f"s{number}", tokens=tokens, **made)
    shared_ledger.tick()
    for place, calls in enumerate(worlds):
        told = shared_ledger.trace(f"e{world}-{place}")
        whole(told)
        guessed = sum(
            (each["kind"] == "estimated") * each["input"] * 2 + (each["kind"] != "reported") * each["output"] * 10
            for each in calls
        )
        assert told["estimated"] == Decimal(guessed) / 1_000_000
        assert (told["coverage"] < 1) == any(each["kind"] != "reported" for each in calls)
        if any(each["kind"] != "estimated" for each in calls):
            assert shared_ledger.trace(f"m{world}-{place}")["measured"] == told["measured"]
