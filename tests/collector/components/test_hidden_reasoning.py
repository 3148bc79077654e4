"""Hidden reasoning: billed thinking of every call that did not fail, whatever the call was for."""

import pytest


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


@pytest.mark.parametrize("role", ["answer", "plan"])
def test_thinking_is_reasoning_in_every_role(ledger, role):
    """The provider's count goes before our label."""
    ledger.call(role, "a", role=role, tokens={"output_reasoning": 1_000})
    ledger.tick()
    assert ledger.components(role) == {"hidden_reasoning": "0.01"}


@pytest.mark.parametrize("visibility", ["hidden", "summarised", "readable"])
def test_it_is_divided_by_what_can_be_read_of_it(ledger, visibility):
    """All of it is billed."""
    ledger.call(visibility, "a", tokens={"output_reasoning": 1}, said={"tokentrace.reasoning.visibility": visibility})
    ledger.tick()
    assert ledger.call_cost(visibility, "a")["lines.sub_component"] == [visibility]


def test_without_thinking_there_is_none(ledger):
    """The component is there for its cause alone."""
    ledger.call("none", "a", tokens={"output_text": 1_000})
    ledger.tick()
    assert "hidden_reasoning" not in ledger.components("none")
