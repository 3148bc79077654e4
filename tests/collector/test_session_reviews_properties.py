"""What holds of reviews that several requests share, in whatever order all of it comes (the method, §4.5 and §4.8)."""

import json
from collections import Counter
from decimal import Decimal

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.store import schema

FEW = settings(
    max_examples=2, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
UNIT = Decimal("1e-18")
RATE = 7
"""An hour; a second of it does not divide."""

looks = st.fixed_dictionaries({
    "of": st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 4))), max_size=5),
    "active": st.one_of(st.none(), st.integers(0, 300)),
    "by": st.sampled_from(("", "a", "b")),
    "at": st.integers(0, 3 * 3600),
    "host": st.one_of(st.none(), st.integers(0, 5)),
})  # fmt: skip
requests = st.fixed_dictionaries({
    "trace": st.integers(0, 3),
    "at": st.integers(0, 3 * 3600),
    "is_call": st.booleans(),
})  # fmt: skip
worlds = st.fixed_dictionaries({
    "reviews": st.lists(looks, min_size=1, max_size=4),
    "requests": st.lists(requests, max_size=4),
    "order": st.randoms(use_true_random=False),
})  # fmt: skip


def divided(whole, items):
    """Whole units by items, the largest remainder first, ties by trace."""
    total = sum(items.values())
    shares = {trace: whole * count // total for trace, count in items.items()}
    by_remainder = sorted(items, key=lambda trace: (-(whole * items[trace] % total), trace))
    for trace in by_remainder[: whole - sum(shares.values())]:
        shares[trace] += 1
    return shares


def sums(ledger, question):
    return {tuple(row.values())[:-1]: row["amount"] for row in ledger.store.query(question)}


def spans(ledger, world, each, named):
    """What is told of a world, in some order; `named` learns the items of each review."""
    told = []
    for number, look in enumerate(each["reviews"]):
        host = f"w{world}-r{number}" if look["host"] is None else f"w{world}-{look['host']}"
        items = Counter()
        for trace, count in look["of"]:
            items[f"w{world}-{trace}"] += 1 if count is None else count
        named[host, f"r{number}"] = +items
        of = [f"w{world}-{trace}" + ("" if count is None else f":{count}") for trace, count in look["of"]]
        said = {"tokentrace.review.session": f"s{world}", "tokentrace.review.traces": json.dumps(of)}
        by = f"w{world}-{look['by']}" if look["by"] else ""
        told.append(
            (
                ledger.review,
                (host, f"r{number}"),
                {"active": look["active"], "by": by, "at": look["at"], "said": said},
            )
        )
    for number, one in enumerate(each["requests"]):
        call = {"tokens": {"input_text": 1_000}, "role": "answer"} if one["is_call"] else {}
        put = ledger.call if one["is_call"] else ledger.span
        told.append((put, (f"w{world}-{one['trace']}", f"c{number}"), call | {"at": one["at"]}))
    each["order"].shuffle(told)
    return told


def shared(costs, named, here):
    """Units by request, or by none, and review."""
    found = Counter()
    for row in costs:
        review = row["trace_id"], row["span_id"]
        # Rounded half to even, once, for the whole line.
        units = round(Decimal(int(row["seconds"]) * RATE * 10**18) / 3600)
        for trace, share in divided(units, named[review] or {"": 1}).items():
            found[(trace if trace in here else "", *review)] += share
    return {key: share * UNIT for key, share in found.items() if share}


@FEW
@given(drawn=st.lists(worlds, min_size=10, max_size=10))
def test_a_review_is_shared_to_the_last_unit_whatever_comes_when(fresh_ledger, drawn):
    """Its shares add up to it, a request is what it caused and its shares, and nothing is lost of what never comes."""
    ledger = fresh_ledger().priced_by(f"version: 1\nhuman_review: {{rate_per_hour: {RATE}}}")
    batches, named = [[], [], []], {}
    for world, each in enumerate(drawn):
        for place, span in enumerate(spans(ledger, world, each, named)):
            batches[place % 3].append(span)
            # Some are sent again, in the same batch or in a later one.
            batches[2] += [span] * (place % 4 == 0)
    for batch in batches:
        for put, where, more in batch:
            put(*where, **more)
        ledger.tick()

    here = {row["trace_id"] for row in ledger.store.query("SELECT DISTINCT trace_id FROM llm_calls")}
    costs = ledger.store.query(
        "SELECT trace_id, span_id, arraySum(lines.quantity) AS seconds FROM call_costs FINAL WHERE kind = 'review'"
    )
    found = sums(
        ledger,
        "SELECT trace_id, review_trace_id, review_span_id, sum(amount) AS amount FROM capacity_lines FINAL"
        " GROUP BY ALL HAVING amount > 0",
    )
    assert found == shared(costs, named, here)

    rows = ledger.store.query("SELECT * FROM tcoai_by_trace FINAL")
    direct = sums(ledger, "SELECT trace_id, sum(total) AS amount FROM call_costs FINAL GROUP BY trace_id")
    for row in rows:
        allocated = sum(amount for (trace, *_), amount in found.items() if trace == row["trace_id"])
        assert (row["direct"], row["allocated"]) == (direct.get((row["trace_id"],), 0), allocated)
        assert sum(row[each.name] for each in schema.components()) == row["direct"] + row["allocated"] == row["total"]
    nobodys = sum(amount for (trace, *_), amount in found.items() if not trace)
    (lines,) = ledger.store.query("SELECT sum(amount) AS amount FROM cost_lines")
    (hours,) = ledger.store.query("SELECT sum(amount) AS amount FROM tcoai_by_hour FINAL")
    assert sum(row["total"] for row in rows) + nobodys == (lines["amount"] or 0) == (hours["amount"] or 0)
    (session,) = ledger.store.query("SELECT sum(quantity) AS seconds FROM capacity_lines FINAL WHERE trace_id = ''")
    assert sum(row["review_seconds"] for row in rows) + session["seconds"] == sum(row["seconds"] for row in costs)
    assert ledger.rollup.verify().verified["differences"] == []
