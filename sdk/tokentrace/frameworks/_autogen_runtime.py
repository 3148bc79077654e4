"""What a runtime of AutoGen does with messages, wherever it was started: each in the request that it was sent in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin, innermost
from tokentrace.seams.putting import Wrapper
from tokentrace.usage.reading import dig

_SENDER = "_tokentrace_sender"
_UNTOLD = ("SequentialRoutedAgent", "ClosureAgent", "ToolAgent")
"""Agents that are no more than a team, a function or the tools inside of them."""

_teams: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""By the key that the members of a team have in its runtime."""
_runs: WeakKeyDictionary[Any, Section] = WeakKeyDictionary()
"""The latest run of a team."""


def team(call: Call) -> Section | None:
    """A run of a team, which its members will find."""
    section = begin(call.instance.name, "workflow")
    if section is not None:
        _teams[call.instance._team_id] = call.instance
        _runs[call.instance] = section
    return section


def run_of(member: Any) -> Section | None:
    """The run of the team that an agent of a runtime belongs to."""
    found = _teams.get(dig(member, "id", "key"))
    return None if found is None else _runs.get(found)


def is_named(section: Section | None, agent: str) -> bool:
    """Whether it is a turn of the agent of this name."""
    return section is not None and dig(section.span.opened.span, "attributes", name.AGENT_NAME) == agent


def marked(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    """What an envelope says of its trace, and of the section that it was sent in."""
    metadata = wrapped(*args, **kwargs)
    with quietly("marking a message"):
        setattr(metadata, _SENDER, innermost())
    return metadata


def processed(is_published: bool) -> Wrapper:
    """A message that is delivered: what is asked for belongs to who asks, what is published stands beside."""

    async def process(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        section: Section | None = None
        with quietly("finding a sender"):
            envelope = Call(None, args, kwargs).arg(0, "message_envelope")
            section = getattr(envelope.metadata, _SENDER, None)
            if is_published and section is not None and envelope.sender is not None:
                section = _beside(section, envelope.sender.type)
        return await _inside(section, wrapped, args, kwargs)

    return process


def _beside(sender: Section, agent: str) -> Section:
    """What is around the turn in which an agent has published; the turn itself where nothing is."""
    turn: Section | None = sender
    while turn is not None and not is_named(turn, agent):
        turn = turn.above
    return sender if turn is None else turn.above or turn


def _handling(call: Call) -> Section | None:
    """What an agent does about a message."""
    agent, sent = call.instance, call.arg(0, "message")
    title = type(sent).__name__
    kinds = {each.__name__ for each in type(agent).__mro__}
    if "MagenticOneOrchestrator" in kinds and title == "GroupChatStart":
        return begin("plan", "step", role="plan")
    if "ChatAgentContainer" in kinds and title == "GroupChatRequestPublish":
        member = agent._agent
        # A team in a team tells of its run itself.
        is_team = any(each.__name__ == "Team" for each in type(member).__mro__)
        return None if is_team else begin(member.name, "agent")
    handlers = getattr(agent, "_handlers", None)
    if not kinds.isdisjoint(_UNTOLD) or (handlers is not None and sent.__class__ not in handlers):
        return None
    return begin(dig(agent, "id", "type") or type(agent).__name__, "agent")


_handle = as_section(_handling)


async def message(wrapped: Any, agent: Any, args: Any, kwargs: Any) -> Any:
    """A message that an agent handles: a member of a team does it in the run of the team, whoever has sent it."""
    run: Section | None = None
    with quietly("finding a team"):
        run = run_of(agent)
        run = None if run is innermost() else run

    async def handle(*more: Any, **named: Any) -> Any:
        return await _handle(wrapped, agent, more, named)

    return await _inside(run, handle, args, kwargs)


async def _inside(section: Section | None, function: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> Any:
    if section is None:
        return await function(*args, **kwargs)
    with section.current():
        return await function(*args, **kwargs)
