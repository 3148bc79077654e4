"""What agents cost: a call is that of the next agent above it, wherever spans say that they are."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from hypothesis import example, given, settings, strategies as st

from tokentrace_collector.reports.breakdown import agents
from tokentrace_collector.tenants import Books

BEGAN = datetime(2026, 11, 20, 10, tzinfo=UTC)
_tenants = (f"agents-{number}" for number in count())

SPAN = st.tuples(
    st.integers(-2, 11),
    st.sampled_from(["", "", "", "writer", "critic"]),
    st.integers(0, 3),
)
"""The place of its parent (a negative one is not there), the agent that it is, and what it costs."""
CHAIN = [(place - 1, "writer" if place == 1 else "", int(place in {1, 257, 258})) for place in range(259)]
"""A span may be 256 below its agent."""


def name(place):
    return f"{place:04}"


NAMES = ["tenant", "trace_id", "span_id"]
SPANS = [*NAMES, "parent_span_id", "started_at", "ended_at", "step", "activity", "ingested_at"]
LINE = {
    "kind": ["token"], "unit": ["input_text"], "segment": [""], "component": ["visible"], "sub_component": [""],
    "quantity": [10], "list_price": [None], "price": [None], "per": [1], "status": ["priced"],
}  # fmt: skip
COSTS = [
    *(*NAMES, "hour", "kind", "bearing", "currency", "version", "is_deleted", "lines.amount"),
    *(f"lines.{name}" for name in LINE),
]


def put(store, tenant, traces):
    spans, costs = [], []
    for trace, tree in enumerate(traces):
        for place, (parent, agent, price) in enumerate(tree):
            common = (tenant, f"t{trace}", name(place))
            spans.append((*common, name(parent), BEGAN, BEGAN, agent, "agent" if agent else "", BEGAN))
            costs.append((*common, BEGAN, "call", 1, "USD", 1, 0, [Decimal(price)], *LINE.values()))
    for table, columns, rows in (("llm_calls", SPANS, spans), ("call_costs", COSTS, costs)):
        store.insert(table, columns, [list(each) for each in zip(*rows, strict=True)])


def nearest(tree, place):
    """The agent that a span belongs to, by going up one at a time."""
    for _ in range(257):
        if not 0 <= place < len(tree):
            return ""
        parent, agent, _price = tree[place]
        if agent:
            return agent
        place = parent
    return ""


@settings(deadline=None, max_examples=25)
@example(traces=[CHAIN])
@given(traces=st.lists(st.lists(SPAN, min_size=1, max_size=12), min_size=1, max_size=4))
def test_a_call_is_of_the_next_agent_above_it(shared_ledger, traces):
    tenant = next(_tenants)
    put(shared_ledger.store, tenant, traces)
    expected = defaultdict(lambda: [0, 0])
    for tree in traces:
        for place, (_parent, _agent, price) in enumerate(tree):
            sums = expected[nearest(tree, place)]
            sums[0] += price
            sums[1] += 1
    found = agents(Books(shared_ledger.store, tenant), None, 100)
    told = {each["group"]["agent"]: [int(each["total"]), each["lines"]["of"]] for each in found}
    assert told == expected
