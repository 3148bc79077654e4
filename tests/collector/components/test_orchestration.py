"""Orchestration: the agent's work around the answer, and the scaffolding of the answer's own prompt."""

from decimal import Decimal

import pytest
import yaml

from tokentrace_collector import files

ROLES = yaml.safe_load((files.root() / "registry" / "attributes.yaml").read_text())["roles"]
CALL = {"input_text": 1_000, "output_text": 100}


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def pieces(cost):
    """Unit, segment, component and tokens of every line of a call."""
    columns = (cost[f"lines.{name}"] for name in ("unit", "segment", "component"))
    return list(zip(*columns, map(int, cost["lines.quantity"]), strict=True))


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


def test_a_call_whose_role_nothing_tells_is_unknown(ledger):
    """It is visible, with its coverage beside it."""
    ledger.call("several", "a", tokens=CALL)
    ledger.call("several", "b", tokens=CALL, at=2)
    ledger.tick()
    row = ledger.trace("several")
    assert (ledger.components("several"), row["roles_covered"], row["roles_total"]) == ({"visible": "0.006"}, 1, 2)


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
    assert pieces(ledger.call_cost("split", "a")) == [
        ("cache_read", "tool_definitions", "orchestration", 3),
        ("cache_read", "history", "orchestration", 1),
        ("input_text", "history", "orchestration", 1),
        ("input_text", "user", "visible", 2),
    ]


def test_media_that_are_counted_apart_are_the_media_of_the_prompt(ledger):
    """Wherever they stand among its text, no history has their price; the cache takes the text from its front."""
    said = {"tokentrace.input.segments": '["system:2","history:3","media:5","user:4"]'}
    tokens = {"cache_read": 4, "input_image": 5, "input_text": 5}
    ledger.call("pictures", "a", role="answer", tokens=tokens, said=said)
    ledger.tick()
    assert pieces(ledger.call_cost("pictures", "a")) == [
        ("cache_read", "system", "visible", 2),
        ("cache_read", "history", "orchestration", 2),
        ("input_text", "history", "orchestration", 1),
        ("input_text", "user", "visible", 4),
        ("input_image", "media", "visible", 5),
    ]


def test_media_that_are_not_counted_apart_stay_where_they_stand(ledger):
    """What is read from the cache is read from the front of all."""
    said = {"tokentrace.input.segments": '["media:5","history:3","user:2"]'}
    ledger.call("shown", "a", role="answer", tokens={"cache_read": 6, "input_text": 4}, said=said)
    ledger.tick()
    assert pieces(ledger.call_cost("shown", "a")) == [
        ("cache_read", "media", "visible", 5),
        ("cache_read", "history", "orchestration", 1),
        ("input_text", "history", "orchestration", 2),
        ("input_text", "user", "visible", 2),
    ]


def test_what_a_tool_of_the_provider_gave_is_the_end_of_the_prompt(ledger):
    """It is counted apart, and does not thin out what was sent."""
    said = {"tokentrace.input.segments": '["history:3","user:2","tool_results:10"]'}
    ledger.call("fetched", "a", role="answer", tokens={"input_text": 5, "tool_use_prompt": 10}, said=said)
    ledger.tick()
    assert pieces(ledger.call_cost("fetched", "a")) == [
        ("input_text", "history", "orchestration", 3),
        ("input_text", "user", "visible", 2),
        ("tool_use_prompt", "tool_results", "orchestration", 10),
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


def test_what_an_index_or_a_memory_cost_is_of_the_run_that_made_it(ledger):
    """However many requests read it afterwards: they bear what they retrieve themselves."""
    embeddings = {"model": "text-embedding-3-small", "said": {"gen_ai.operation.name": "embeddings"}}
    ledger.span("index", "build", said={"tokentrace.step.name": "index"})
    for place in "ab":
        ledger.call("index", place, "build", tokens={"input_text": 1_000_000}, **embeddings)
    ledger.call("index", "c", "build", role="memory", tokens=CALL)
    ledger.tick()
    before = ledger.trace("index")
    for asked in ("asks once", "asks twice"):
        ledger.call(asked, "q", role="retrieve", tokens={"input_text": 10}, at=86_400, **embeddings)
        ledger.call(asked, "a", role="answer", tokens=CALL, at=86_401)
    ledger.tick()
    assert ledger.trace("index") == before
    assert before["total"] == Decimal("0.043")
    assert [ledger.components(asked) for asked in ("asks once", "asks twice")] == [
        {"visible": "0.003", "orchestration": "0.0000002"}
    ] * 2
