"""`claude-agent-sdk`: what one turn of a connection has used, by model."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from quickstarts.claude_agent_sdk import BOTH, CLEVER, FIRST, INIT, SMALL, TEXT, _result

from tokentrace.clients.claude_agent_sdk import INTEGRATION
from tokentrace.integration import Call
from tokentrace.usage.reading import Reading

(SEAM,) = INTEGRATION.seams


class Query:
    """A connection of the library."""

    def __init__(self, **env: str) -> None:
        self.transport = SimpleNamespace(_options=SimpleNamespace(env=env))


def turn(call, *messages):
    """What one turn reads."""
    seen, request = Reading(), SEAM.describe(call)
    for message in messages:
        request.format.read(message, seen)
    return seen, request.format.count(seen, request.provider, {})


def test_a_turn_costs_what_it_added_by_model():
    call = Call(Query(), (), {})
    turn(call, INIT, TEXT, _result(2, modelUsage=FIRST))
    seen, usage = turn(call, INIT, TEXT, _result(3, modelUsage=BOTH))
    assert (seen.model, seen.finish) == (CLEVER, {0: "success"})
    assert (usage.flags["reported_cost_usd"], usage.flags["cost_reporter"]) == (Decimal("0.04"), "claude_code")
    added = {"input_text": 4, "cache_read": 1200, "cache_write_unknown": 50, "output_text": 60}
    assert usage.sub == (
        {"kind": "model", "model": CLEVER, "buckets": added},
        {"kind": "model", "model": SMALL, "buckets": {}},
    )


def test_another_connection_begins_at_nothing():
    turn(Call(Query(), (), {}), _result(2, modelUsage=FIRST))
    _, usage = turn(Call(Query(), (), {}), _result(2, modelUsage=FIRST))
    assert usage.output == 52


def test_a_result_without_usage_by_model_says_nothing():
    _, usage = turn(Call(Query(), (), {}), _result(2))
    assert usage.flags["usage_source"] == "missing"


@pytest.mark.parametrize(
    ("env", "provider"),
    [
        ({}, "anthropic"),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, "aws.bedrock"),
        ({"CLAUDE_CODE_USE_VERTEX": "1"}, "gcp.vertex_ai"),
    ],
)
def test_the_agent_may_ask_another_provider(env, provider):
    assert SEAM.describe(Call(Query(**env), (), {})).provider == provider


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"subtype": "error_max_turns", "is_error": True}, "error_max_turns"),
        ({"is_error": True, "api_error_status": 529}, "529"),
        ({"is_error": True}, "error"),
        ({}, None),
    ],
)
def test_a_result_may_be_an_error(told, error):
    seen, _ = turn(Call(Query(), (), {}), _result(1, modelUsage=FIRST, **told))
    assert seen.error == error
