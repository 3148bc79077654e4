"""Orchestration: the agent's work around the answer, and the scaffolding of the answer's own prompt."""

import pytest
import yaml

from tokentrace_collector import files

ROLES = yaml.safe_load((files.root() / "registry" / "attributes.yaml").read_text())["roles"]
CALL = {"input_text": 1_000, "output_text": 100}


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.mark.parametrize(("role", "component"), ROLES.items())
def test_the_map_of_roles_is_total(ledger, role, component):
    """Every role of the registry falls where the registry says."""
    ledger.call(f"role {role}", "a", role=role, tokens=CALL)
    ledger.tick()
    assert ledger.components(f"role {role}") == {component: "0.003"}


@pytest.mark.parametrize(("word", "role"), [("supervise", "delegate"), ("handoff", "delegate"), ("judge", "verify")])
def test_other_words_for_a_role_are_that_role(ledger, word, role):
    """The method names them."""
    ledger.call(f"word {word}", "a", role=word, tokens=CALL)
    ledger.tick()
    assert ledger.call_cost(f"word {word}", "a")["role"] == role


def test_a_call_takes_the_role_of_the_step_around_it(ledger):
    """The nearest one that has any."""
    ledger.span("inherits", "outer", said={"tokentrace.role": "answer"})
    ledger.span("inherits", "inner", "outer", said={"tokentrace.role": "verify"})
    ledger.span("inherits", "plain", "inner")
    ledger.call("inherits", "a", "plain", tokens=CALL)
    ledger.tick()
    assert (ledger.call_cost("inherits", "a")["role"], ledger.call_cost("inherits", "a")["role_source"]) == (
        "verify",
        "step",
    )


def test_the_only_call_of_a_trace_is_the_answer(ledger):
    """Nothing else could be."""
    ledger.call("only", "a", tokens=CALL)
    ledger.tick()
    assert (ledger.call_cost("only", "a")["role"], ledger.call_cost("only", "a")["role_source"]) == (
        "answer",
        "only_call",
    )


def test_of_several_calls_without_a_role_none_is_known(ledger):
    """They are visible, with their coverage beside them."""
    ledger.call("several", "a", tokens=CALL)
    ledger.call("several", "b", tokens=CALL)
    ledger.tick()
    row = ledger.trace("several")
    assert (ledger.components("several"), row["roles_covered"], row["roles_total"]) == ({"visible": "0.006"}, 0, 2)


def test_a_role_that_nobody_knows_is_unknown(ledger):
    """Not every word is a role."""
    ledger.call("word", "a", role="genius", tokens=CALL)
    ledger.tick()
    assert ledger.call_cost("word", "a")["role"] == "unknown"


def test_the_scaffolding_of_a_prompt_is_scaled_and_takes_the_cache_from_its_front(ledger):
    """Largest remainder over seven tokens of three equal thirds; four of them read from the cache."""
    said = {"tokentrace.input.segments": '["tool_definitions:1","history:1","user:1"]'}
    ledger.call("split", "a", role="answer", tokens={"cache_read": 4, "input_text": 3}, said=said)
    ledger.tick()
    cost = ledger.call_cost("split", "a")
    pieces = zip(
        cost["lines.unit"],
        cost["lines.segment"],
        cost["lines.component"],
        map(int, cost["lines.quantity"]),
        strict=True,
    )
    assert list(pieces) == [
        ("cache_read", "tool_definitions", "orchestration", 3),
        ("cache_read", "history", "orchestration", 1),
        ("input_text", "history", "orchestration", 1),
        ("input_text", "user", "visible", 2),
    ]


def test_the_fees_of_tools_are_orchestration_and_delivered_goods_are_not(ledger):
    """A search serves the agent; an image is the answer."""
    ledger.call("fees", "a", role="answer", meters={"web_search": 1, "images": 2})
    ledger.tick()
    cost = ledger.call_cost("fees", "a")
    assert dict(zip(cost["lines.unit"], cost["lines.component"], strict=True)) == {
        "images": "visible",
        "web_search": "orchestration",
    }


def test_relabelling_moves_money_between_orchestration_and_visible_only(ledger):
    """The total stays."""
    for name, role in (("as plan", "plan"), ("as answer", "answer")):
        ledger.call(name, "a", role=role, tokens=CALL | {"output_reasoning": 100})
    ledger.tick()
    assert ledger.components("as plan") == {"hidden_reasoning": "0.001", "orchestration": "0.003"}
    assert ledger.components("as answer") == {"hidden_reasoning": "0.001", "visible": "0.003"}
