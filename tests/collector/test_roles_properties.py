"""Roles over any tree of spans: what they move, what they leave, and a trace that is larger than any agent's."""

import time
from decimal import Decimal
from itertools import count

from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.store import schema

ONE = settings(
    max_examples=8, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
FINISHES = ('["stop"]', '["tool_calls"]', '["length"]', "")
SEGMENTS = ("", '["system:3","user:7"]', '["tool_definitions:2","history:3","user:4"]', '["user:1","tool_results:4"]')
WRAPPERS = ("invoke_agent", "execute_tool", "invoke_workflow", "plan", "agent_step", "")
NAMES = ("planner", "summarise", "transfer_to_b", "judge", "x")
ROLES = ("", "", "", "answer", "plan", "verify")
_traces = count()

calls = st.fixed_dictionaries({
    "call": st.just(value=True),
    "parent": st.integers(0, 6),
    "at": st.integers(0, 20),
    "seconds": st.integers(0, 5),
    "finish": st.sampled_from(FINISHES),
    "segments": st.sampled_from(SEGMENTS),
    "role": st.sampled_from(ROLES),
    "is_foreign": st.booleans(),
    "failed": st.sampled_from((False, False, False, True)),
    "tokens": st.fixed_dictionaries({
        "cache_read": st.integers(0, 99),
        "input_text": st.integers(1, 99),
        "output_text": st.integers(0, 99),
        "output_reasoning": st.integers(0, 99),
    }),
})  # fmt: skip
wrappers = st.fixed_dictionaries({
    "call": st.just(value=False),
    "parent": st.integers(0, 6),
    "at": st.integers(0, 20),
    "seconds": st.integers(0, 20),
    "operation": st.sampled_from(WRAPPERS),
    "name": st.sampled_from(NAMES),
    "failed": st.sampled_from((False, False, True)),
})  # fmt: skip
trees = st.lists(st.one_of(calls, calls, wrappers), min_size=2, max_size=10)


def plant(ledger, trace, place, node):
    """One span of a tree; the parent is some span before it, or none."""
    span, parent = f"s{place}", f"s{node['parent']}" if node["parent"] < place else ""
    when = {"at": node["at"], "seconds": node["seconds"], "failed": node["failed"]}
    if not node["call"]:
        said = {"gen_ai.operation.name": node["operation"]} if node["operation"] else {}
        ledger.span(trace, span, parent, name=node["name"], said=said | {"tokentrace.step.name": node["name"]}, **when)
        return
    said = {"gen_ai.response.finish_reasons": node["finish"], "tokentrace.input.segments": node["segments"]}
    said |= {"tokentrace.role": node["role"]} if node["role"] else {}
    if node["is_foreign"]:
        tokens = node["tokens"]
        usage = {"input_tokens": tokens["cache_read"] + tokens["input_text"], "output_tokens": tokens["output_text"]}
        ledger.foreign(trace, span, parent, usage=usage, said=said, **when)
        return
    ledger.call(trace, span, parent, tokens=node["tokens"], said=said, **when)


def grow(ledger, tree):
    """A trace of these spans, arriving together."""
    trace = f"trace {next(_traces)}"
    for place, node in enumerate(tree):
        plant(ledger, trace, place, node)
    return trace


def components(ledger, trace):
    """All components of a trace; they are its total."""
    row = ledger.trace(trace)
    found = {each.name: row[each.name] for each in schema.components()}
    assert sum(found.values()) == row["total"] == row["direct"] + row["allocated"]
    return found


def roles(ledger, trace):
    return ledger.store.query(
        "SELECT span_id, role, role_source, total FROM call_costs FINAL WHERE trace_id = {trace:String} ORDER BY span_id",
        trace=trace,
    )


def has_calls(tree):
    return any(node["call"] for node in tree)


@ONE
@given(forest=st.lists(trees.filter(has_calls), min_size=10, max_size=10), role=st.sampled_from(ROLES[3:]))
def test_another_role_moves_money_between_orchestration_and_visible_only(shared_ledger, forest, role):
    """Whichever call gets it, whatever the others are thereby inferred to be."""
    before = [grow(shared_ledger, tree) for tree in forest]
    after = []
    for tree in forest:
        last = max(place for place, node in enumerate(tree) if node["call"])
        after.append(grow(shared_ledger, [*tree[:last], tree[last] | {"role": role}, *tree[last + 1 :]]))
    shared_ledger.tick()
    for one, other in zip(before, after, strict=True):
        was, became = components(shared_ledger, one), components(shared_ledger, other)
        assert was.pop("orchestration") + was.pop("visible") == became.pop("orchestration") + became.pop("visible")
        assert was == became


@ONE
@given(forest=st.lists(st.tuples(trees.filter(has_calls), calls), min_size=10, max_size=10))
def test_a_failed_attempt_adds_to_errors_and_changes_nothing_else(shared_ledger, forest):
    """Wherever it stands, and however it would be labelled."""
    # Inside of a foreign account of a call, it would be the very call that is accounted for there.
    ours = [
        ([each | {"is_foreign": False} for each in tree], attempt | {"is_foreign": False}) for tree, attempt in forest
    ]
    before = [grow(shared_ledger, tree) for tree, _ in ours]
    after = [grow(shared_ledger, [*tree, attempt | {"failed": True}]) for tree, attempt in ours]
    shared_ledger.tick()
    for one, other in zip(before, after, strict=True):
        was, became = components(shared_ledger, one), components(shared_ledger, other)
        assert became.pop("errors") > was.pop("errors")
        assert was == became


@ONE
@given(
    forest=st.lists(trees.filter(has_calls), min_size=10, max_size=10),
    chance=st.randoms(use_true_random=False),
)
def test_roles_are_the_same_in_whatever_order_spans_arrive(shared_ledger, forest, chance):
    """Parents late, calls before what they follow, in two batches."""
    together = [grow(shared_ledger, tree) for tree in forest]
    apart = [f"trace {next(_traces)}" for _ in forest]
    pieces = [(*each, trace) for trace, tree in zip(apart, forest, strict=True) for each in enumerate(tree)]
    chance.shuffle(pieces)
    for number, (place, node, trace) in enumerate(pieces):
        plant(shared_ledger, trace, place, node)
        if number == len(pieces) // 2:
            shared_ledger.tick()
    shared_ledger.tick()
    for one, other in zip(together, apart, strict=True):
        assert roles(shared_ledger, one) == roles(shared_ledger, other)


DEPTH, SPANS = 200, 10_000


def great(ledger):
    """Agents two hundred deep; each asks, runs a tool, and asks again, until there are ten thousand spans."""
    for level in range(DEPTH):
        said = {"gen_ai.operation.name": "invoke_agent"}
        ledger.span("great", f"agent{level}", f"agent{level - 1}" if level else "", at=level, seconds=9_000 - 2 * level, said=said)  # fmt: skip
    for place in range((SPANS - DEPTH) // 2):
        agent, at = f"agent{place % DEPTH}", 300 + place // DEPTH * 10
        fed = {"tokentrace.input.segments": '["user:1","tool_results:1"]'} if place >= DEPTH else {}
        asked = {"gen_ai.response.finish_reasons": '["tool_calls"]'} if place < SPANS // 2 - DEPTH - 100 else {}
        ledger.call("great", f"call{place}", agent, at=at, tokens={"input_text": 1_000}, said=fed | asked)
        ledger.span("great", f"tool{place}", agent, at=at + 2, said={"gen_ai.operation.name": "execute_tool"})
    ledger.arrive()


def test_a_trace_of_ten_thousand_spans_two_hundred_deep_is_rolled_up_and_drawn(ledger, capsys):
    """Every call has its role, the total is that of all calls, and the root of the drawing carries all of it."""
    great(ledger)
    began = time.perf_counter()
    ledger.rollup.tick()
    rolled = time.perf_counter()
    row = ledger.trace("great")
    assert (row["spans"], row["calls"], row["roles_covered"], row["total"]) == (SPANS, 4_900, 4_900, Decimal("9.8"))
    drawing = CliRunner().invoke(
        tokentrace, ["trace", "great", "--store", str(ledger.store.address)], env={"COLUMNS": "140"}
    )
    with capsys.disabled():
        print(f" rolled up in {rolled - began:.1f} s, drawn in {time.perf_counter() - rolled:.1f} s", end="")  # noqa: T201
    lines = drawing.output.splitlines()
    root = next(place for place, line in enumerate(lines) if line.startswith("agent0  ") and "$" in line)
    tree = lines[root : root + SPANS]
    assert tree[0].split()[-1] == "$9.8000"
    assert sum("call" in line for line in tree) == sum("tool" in line for line in tree) == 4_900
    assert any(line.startswith(f"+{DEPTH - 14} ") and f"agent{DEPTH - 1} " in line for line in tree)
    assert not lines[root + SPANS].strip()
