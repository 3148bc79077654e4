"""The `claude-agent-sdk`: an agent in a process of its own, which tells with each result what it has used so far.

What it does in between is told as steps, without tokens: those are of the turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from tokentrace.clients._claude_agent_steps import Steps, run_inside
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.seams.putting import put
from tokentrace.usage.reading import NOTHING, Format, Reading, dig, mapping
from tokentrace.wire import agent

_PROVIDERS = {"CLAUDE_CODE_USE_BEDROCK": "aws.bedrock", "CLAUDE_CODE_USE_VERTEX": "gcp.vertex_ai"}
_QUERY = "claude_agent_sdk._internal.query"
_OF_A_TURN = frozenset({"assistant", "user", "stream_event"})


class _Connection:
    """The totals of a connection as of its last result; each result counts from there."""

    def __init__(self) -> None:
        self.steps = Steps()
        self._before: Mapping[str, Any] = NOTHING
        self.format = Format(agent.FORMAT.name, self._read, agent.FORMAT.count, agent.FORMAT.marks)

    def _read(self, message: Any, seen: Reading) -> None:
        agent.read(message, seen)
        if mapping(message).get("type") == "result":
            seen.facts["previous_model_usage"] = self._before
            self._before = seen.usage or self._before

    def reset(self) -> None:
        """The totals begin anew."""
        self._before = NOTHING


_connections: WeakKeyDictionary[Any, _Connection] = WeakKeyDictionary()


def _connection(call: Call) -> _Connection:
    """What is known of the connection that a call is of."""
    # Asked with every message.
    if (known := _connections.get(call.instance)) is None:
        known = _connections.setdefault(call.instance, _Connection())
    return known


def _describe(call: Call) -> Request:
    settings = mapping(dig(call.instance, "transport", "_options", "env"))
    provider = next((name for switch, name in _PROVIDERS.items() if settings.get(switch)), "anthropic")
    connection = _connection(call)
    return Request(provider, "invoke_agent", None, connection.format, stream=True, inside=connection.steps.turn)


def _follow(call: Call, message: Any) -> bool | None:
    told = mapping(message)
    kind = told.get("type")
    connection = _connection(call)
    if kind == "conversation_reset":
        connection.reset()
    is_result = kind == "result"
    if not is_result and kind not in _OF_A_TURN and (kind != "system" or told.get("subtype") != "init"):
        return None
    with quietly("telling the steps of an agent"):
        connection.steps.read(told)
    return is_result


async def _asked(wrapped: Any, query: Any, args: Any, kwargs: Any) -> Any:
    """A tool of the application is called by the agent."""
    section = None
    with quietly("finding the step of a tool"):
        call = Call(query, args, kwargs)
        section = _connection(call).steps.inside(str(call.arg(0, "server_name")), mapping(call.arg(1, "message")))
    return await run_inside(section, wrapped, args, kwargs)


INTEGRATION = Integration(
    library="claude-agent-sdk",
    seams=(Seam(_QUERY, "Query.receive_messages", _describe, follow=_follow),),
    attach={_QUERY: put(("Query._handle_sdk_mcp_request", _asked))},
)
