"""The `claude-agent-sdk`: an agent in a process of its own, which tells with each result what it has used so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from tokentrace.integration import Call, Integration, Request, Seam
from tokentrace.usage.reading import NOTHING, Format, Reading, dig, mapping
from tokentrace.wire import agent

_PROVIDERS = {"CLAUDE_CODE_USE_BEDROCK": "aws.bedrock", "CLAUDE_CODE_USE_VERTEX": "gcp.vertex_ai"}
_OF_A_TURN = frozenset({"assistant", "user", "stream_event"})


class _Connection:
    """The totals of a connection as of its last result; each result counts from there."""

    def __init__(self) -> None:
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
    return _connections.setdefault(call.instance, _Connection())


def _describe(call: Call) -> Request:
    settings = mapping(dig(call.instance, "transport", "_options", "env"))
    provider = next((name for switch, name in _PROVIDERS.items() if settings.get(switch)), "anthropic")
    return Request(provider, "invoke_agent", None, _connection(call).format, stream=True)


def _follow(call: Call, message: Any) -> bool | None:
    told = mapping(message)
    kind = told.get("type")
    if kind == "conversation_reset":
        _connection(call).reset()
    if kind in _OF_A_TURN or (kind == "system" and told.get("subtype") == "init"):
        return False
    return True if kind == "result" else None


INTEGRATION = Integration(
    library="claude-agent-sdk",
    seams=(Seam("claude_agent_sdk._internal.query", "Query.receive_messages", _describe, follow=_follow),),
)
