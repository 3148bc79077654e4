"""Rating leaves out the steps that have nothing to do: never one that would have done anything."""

from itertools import count

import pytest

from tokentrace_collector.rollup.stages import _SETTINGS
from tokentrace_collector.store import schema

USED = {"input_text": 1_000, "output_text": 100}
TOLD = {"input_tokens": 1_000, "output_tokens": 100}
SEGMENTS = {"tokentrace.input.segments": '["user:1000"]'}


def named(trace):
    """The response that all accounts of a call in this trace name."""
    return {"gen_ai.response.id": f"resp_of_the_{trace}"}


STEPS = {
    "responses": ("responses", "is_read_again"),
    "bridges": ("bridges", "has_gaps"),
    "edges": ("edges", "is_nested"),
    "ancestry": ("ancestry", "is_nested"),
    "places": ("places", "is_nested"),
    "accounts": ("accounts", "names_responses"),
    "borne": ("borne", "is_retold"),
    "borne_unnamed": ("borne", "names_none"),
    "suspects": ("suspects", "is_suspect"),
}
"""Steps that may be left out, the table of each, and what asks for it."""

PIECES = {
    "call": lambda ledger, trace: ledger.call(trace, "call", "top", role="answer", tokens=USED, said=named(trace)),
    "call without a role": lambda ledger, trace: ledger.call(trace, "bare", "top", tokens=USED),
    "call made again": lambda ledger, trace: [
        ledger.call(trace, f"again {turn}", "top", role="plan", at=turn * 2, tokens=USED, said=SEGMENTS) for turn in (0, 1)
    ],
    "call that failed": lambda ledger, trace: ledger.call(trace, "broken", "top", role="plan", failed=True),
    "step that failed": lambda ledger, trace: ledger.span(
        trace, "step", "top", failed=True, said={"tokentrace.step.name": "plan"}
    ),
    "reading": lambda ledger, trace: ledger.call(
        trace, "read", "top", tokens=USED, said=named(trace) | {"tokentrace.usage.scope": "retrieve"}
    ),
    "account of others": lambda ledger, trace: ledger.foreign(trace, "told", "top", usage=TOLD, said=named(trace)),
    "account without a name": lambda ledger, trace: ledger.foreign(trace, "unnamed", "top", usage=TOLD),
    "gap": lambda ledger, trace: ledger.call(
        trace, "below", "never came", role="plan", tokens=USED, said={"tokentrace.parent.span_id": "top"}
    ),
}  # fmt: skip

_numbers = count()


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def rated(ledger, pieces):
    """What the batch of a trace of these pieces asks for."""
    trace = f"batch {next(_numbers)}"
    ledger.span(trace, "top", seconds=30)
    for piece in pieces:
        PIECES[piece](ledger, trace)
    ledger.tick()
    (asked,) = ledger.store.query(schema.sql("rollup/asked"))
    return asked


def rows(ledger, table):
    return ledger.store.query(f"SELECT count() AS rows FROM rollup_{table}")[0]["rows"]


def given(ledger, step, table):
    """How many rows a step adds to the scratch that the last batch has left."""
    before = rows(ledger, table)
    named = {"trusted": [], **ledger.book.money.parameters()} if step == "responses" else {}
    ledger.store.run(schema.sql(f"rollup/{step}"), settings=_SETTINGS, **named)
    return rows(ledger, table) - before


@pytest.mark.parametrize(
    "pieces",
    [[], *([piece] for piece in PIECES), ["call", "account without a name"], ["gap", "reading"]],
    ids=" + ".join,
)
def test_what_is_not_asked_for_gives_nothing(ledger, pieces):
    """By the step itself, run over the same batch."""
    asked = rated(ledger, pieces)
    left_out = {step: table for step, (table, why) in STEPS.items() if not asked[why]}
    assert {step: given(ledger, step, table) for step, table in left_out.items()} == dict.fromkeys(left_out, 0)


@pytest.mark.parametrize(
    ("why", "pieces"),
    [
        ("is_read_again", ["call", "reading"]),
        ("has_gaps", ["gap"]),
        ("is_nested", ["account of others"]),
        ("is_nested", ["call without a role"]),
        ("is_nested", ["step that failed"]),
        ("names_responses", ["account of others"]),
        ("names_none", ["account without a name"]),
        ("is_retold", ["account of others"]),
        ("is_suspect", ["call made again"]),
        ("is_suspect", ["call that failed"]),
    ],
)  # fmt: skip
def test_what_may_give_something_is_asked_for(ledger, why, pieces):
    """And nothing else has to be known of the batch."""
    assert rated(ledger, pieces)[why]


def test_a_batch_of_calls_that_say_all_of_themselves_asks_for_nothing(ledger):
    """As most are."""
    assert set(rated(ledger, ["call"]).values()) == {0}
