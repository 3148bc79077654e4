"""What a Claude agent does in a turn: itself, its tools, and the agents that it hands work to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace import attributes as name
from tokentrace.kinds import Kind
from tokentrace.request.section import Section, begin
from tokentrace.usage.reading import NOTHING, dig, items, mapping, text

_TITLE = "claude"
"""The agent has no name of its own."""
_ASKED = "claudecode/toolUseId"
"""Where a request for a tool says which call of the model it is for."""


class ToolError(Exception):
    """A tool has told the agent that it failed; nobody raises it."""


class ResultError(Exception):
    """The agent has said that its turn failed; nobody raises it."""


class Steps:
    """The sections of a connection: a turn at a time, as far as its messages have been read."""

    def __init__(self) -> None:
        self.turn: Section | None = None
        """The latest; also when it is over, for the call that it was."""
        self._is_over = True
        self._open: dict[str, tuple[Section, Mapping[str, Any]]] = {}
        """By the call of a tool: its section, and what the tool was called with."""

    def read(self, message: Mapping[str, Any]) -> None:
        """A message of a turn."""
        if self._is_over:
            self._is_over = False
            session = text(message.get("session_id"))
            told = NOTHING if session is None else {name.CONVERSATION: session}
            self.turn = begin(_TITLE, "agent", attributes=told)
        kind = message.get("type")
        if kind == "result":
            self.end(is_failed=message.get("is_error") is True)
            return
        for block in items(dig(message, "message", "content")):
            told = mapping(block)
            if kind == "assistant" and told.get("type") == "tool_use":
                self._begin(told, text(message.get("parent_tool_use_id")))
            elif kind == "user" and told.get("type") == "tool_result":
                self._end(text(told.get("tool_use_id")) or "", is_failed=told.get("is_error") is True)

    def end(self, *, is_failed: bool = False) -> None:
        """The turn is over, and with it what is still open of it."""
        for called in tuple(self._open):
            self._end(called)
        if self.turn is not None:
            self.turn.end(ResultError() if is_failed else None)
        self._is_over = True

    def inside(self, server: str, request: Mapping[str, Any]) -> Section | None:
        """Where a tool of the application runs that the agent asks for: in its step, as far as that has been read."""
        asked = mapping(request.get("params"))
        if (found := self._open.get(text(dig(asked, "_meta", _ASKED)) or "")) is not None:
            return found[0]
        # Earlier releases do not say for which call it is.
        title, arguments = f"mcp__{server}__{asked.get('name')}", mapping(asked.get("arguments"))
        for section, given in self._open.values():
            if given.get("name") == title and mapping(given.get("input")) == arguments:
                return section
        return self.turn

    def _begin(self, use: Mapping[str, Any], around: str | None) -> None:
        called, title = text(use.get("id")), text(use.get("name"))
        if called is None or title is None or called in self._open:
            return
        parent = self._open[around][0] if around in self._open else self.turn
        agent = text(mapping(use.get("input")).get("subagent_type"))
        kind: Kind = "agent" if agent else "tool"
        section = begin(agent or title, kind, parent=parent, attributes={name.TOOL_CALL: called})
        if section is not None:
            self._open[called] = section, use

    def _end(self, called: str, *, is_failed: bool = False) -> None:
        if (found := self._open.pop(called, None)) is not None:
            found[0].end(ToolError() if is_failed else None)


async def run_inside(section: Section | None, wrapped: Any, args: Any, kwargs: Any) -> Any:
    """Await a function in a section."""
    if section is None:
        return await wrapped(*args, **kwargs)
    with section.current():
        return await wrapped(*args, **kwargs)
