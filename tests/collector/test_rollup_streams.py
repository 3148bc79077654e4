"""Random streams: whatever arrives, in whatever order, the tables are those of one recomputation, and every sum is one sum."""

import random
from copy import deepcopy
from decimal import Decimal

import pytest

from tokentrace_collector.rollup import gathered, recompute

HOUSE = """
version: 1
human_review: {rate_per_hour: 45}
trust_reported: [openrouter]
rates: [{provider: openai, model: 'gpt-6*', from: 2026-11-20T10:30:00Z, prices: {output_text: 7}}]
gpu_pools:
  - {id: h, hourly_cost: 7.77, match: {provider: vllm}, weights: {input: 0.1, cached: 0.01, output: 1}}
  - {id: o, tenant: other, hourly_cost: 3.33, match: {provider: vllm}, capacity: 5, from: 2026-11-20T09:30:00Z, to: 2026-11-20T12:15:00Z}
fx: {EUR: [{from: 2026-11-20T00:00:00Z, rate: 1.0832}, {from: 2026-11-20T11:00:00Z, rate: 1.0791}]}
platform:
  - {id: gateway, price: {amount: 5.55, per: day}, allocate: tokens, from: 2026-11-20, to: 2026-11-21}
  - {id: index, tenant: other, price: {amount: 1, per: hour}, currency: EUR, match: {service: "ag*"}, allocate: calls,
     from: 2026-11-20T09:00:00Z, to: 2026-11-20T12:00:00Z}
"""
TENANTS = ("default", "other")
KINDS = ("call", "own", "foreign", "foreign own", "review", "step", "retrieve", "aggregate", "router", "accept")
BUCKETS = (
    "input_text",
    "input_audio",
    "cache_read",
    "cache_write_5m",
    "cache_write_12h",
    "output_text",
    "output_reasoning",
)
SEGMENTS = '["tool_definitions:100","system:3","user:50","tool_results:60"]'
SUMS = (
    (
        "SELECT sum(amount) FROM cost_lines",
        "SELECT sum(amount) FROM tcoai_by_hour FINAL",
        "SELECT sum(total) + (SELECT sum(amount) FROM capacity_lines FINAL WHERE trace_id = '' AND {here}) FROM tcoai_by_trace FINAL",
        "SELECT sum(total) + (SELECT sum(amount) FROM capacity_lines FINAL WHERE {here}) FROM call_costs FINAL",
    ),
    (
        "SELECT sum(cost) FROM capacity_hours FINAL",
        "SELECT sum(amount) FROM capacity_lines FINAL",
        "SELECT sum(allocated) FROM tcoai_by_hour FINAL",
    ),
    *(
        tuple(f"SELECT sum({cost}) FROM {table}" for table in ("cost_lines", "call_costs FINAL", "tcoai_by_hour FINAL"))
        for cost in ("list_cost", "contracted_cost")
    ),
)  # fmt: skip


def event(chance, span, names):
    """One span of a random kind: the method of the ledger that makes it, and how."""
    said = {"gen_ai.response.id": chance.choice(["resp_0123456789abcdef", "resp_0123456789abcdef", "chatcmpl-7", ""])}
    if role := chance.choice(["", "", "answer", "plan", "genius"]):
        said["tokentrace.role"] = role
    if chance.random() < 0.4:
        said["tokentrace.input.segments"] = SEGMENTS
    if chance.random() < 0.3:
        said |= {
            "tokentrace.stream.end": chance.choice(["closed", "failed"]),
            "tokentrace.usage.source": "partial_stream",
        }
        said |= {
            f"tokentrace.delivered.{bucket}": chance.randrange(3_000)
            for bucket in BUCKETS[-2 : chance.choice([-1, None])]
        }
    where = {
        "at": chance.choice([0, 1_790, 3_590, 3_600, 7_200, -3_600, -50_000]) + chance.randrange(20),
        "seconds": chance.choice([0, 1, 30, 4_000]),
        "failed": chance.random() < 0.1,
        "resource": chance.choice([{}, {"tokentrace.attribution.team": "search"}]),
        "parent": chance.choice(["", "", "lost", *(name for name in names if name != span)]),
    }
    tokens = {bucket: chance.randrange(1, 5_000) for bucket in chance.sample(BUCKETS, chance.randrange(4))}
    usage = {"input_tokens": chance.choice([100, 200]), "output_tokens": 10}
    scope = {"tokentrace.usage.scope": kind if (kind := chance.choice(KINDS)) in {"retrieve", "aggregate"} else "call"}
    cost = {"tokentrace.cost.reported": chance.choice(["0.1", "0.00000000000000001"])}
    cost["tokentrace.cost.reporter"] = chance.choice(["openrouter", "openrouter", "litellm"])
    method, more = {
        "own": ("call", {"provider": "vllm", "model": "own", "tokens": tokens, "said": said}),
        "router": ("call", {"provider": "openrouter", "model": "x/y", "tokens": tokens, "said": said | cost}),
        "foreign": ("foreign", {"usage": usage, "said": said}),
        "foreign own": ("foreign", {"model": "own", "usage": usage, "said": said | {"gen_ai.provider.name": "vllm"}}),
        "review": ("review", {"active": chance.choice([None, 60, 100]), "by": chance.choice(["", "ann", "ann"])}),
        "accept": ("span", {"said": {"tokentrace.report": "acceptance"}}),
        "step": ("span", {"said": {"tokentrace.role": role} if role else {}}),
    }.get(
        kind, ("call", {"model": chance.choice(["gpt-6-sol", "nobody-knows"]), "tokens": tokens, "said": said | scope})
    )
    if kind == "review":
        # Close to each other, so that one person looks at two things at once.
        where |= {"at": chance.choice([3_500, 3_550, 3_600])}
        del where["seconds"]
    return method, where | more


def stream(chance):
    """The spans of three traces in each of two tenants, under the same ids."""
    for tenant in TENANTS:
        for trace in "abc":
            names = [f"s{number}" for number in range(chance.randrange(3, 7))]
            for span in names:
                method, more = event(chance, span, names)
                yield method, trace, span, more | {"tenant": tenant}


def put(ledger, arriving):
    method, trace, span, more = deepcopy(arriving)
    getattr(ledger, method)(trace, span, **more)


@pytest.mark.parametrize("seed", range(2))
def test_a_random_stream_gives_the_tables_of_one_recomputation(fresh_ledger, monkeypatch, seed):
    """Two tenants under the same ids, each thing early or late, some of it twice, in batches of any size."""
    chance = random.Random(seed)
    spans = list(stream(chance))
    at_once, bit_by_bit = fresh_ledger().priced_by(HOUSE), fresh_ledger().priced_by(HOUSE)
    for each in spans:
        put(at_once, each)
    at_once.tick()
    expected = at_once.everything()
    bit_by_bit.tick()
    monkeypatch.setattr(recompute, "_TOUCHES", 1 + seed)
    monkeypatch.setattr(gathered, "MOST", 2 * seed)
    order = [*spans, *chance.sample(spans, 3)]
    chance.shuffle(order)
    for each in order:
        put(bit_by_bit, each)
        if chance.random() < 0.15:
            bit_by_bit.tick()
    bit_by_bit.tick()
    assert bit_by_bit.everything() == expected
    for tenant in TENANTS:
        here = f"tenant = '{tenant}'"
        for questions in SUMS:
            asked = [f"{question.replace('{here}', here)} WHERE {here}" for question in questions]
            sums = {next(iter(at_once.store.query(question)[0].values())) or Decimal(0) for question in asked}
            assert len(sums) == 1, asked
    bit_by_bit.rollup.rebuild()
    assert bit_by_bit.everything() == expected
