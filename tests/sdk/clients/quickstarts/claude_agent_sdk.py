"""The quick starts of `claude-agent-sdk`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shapes.api import call

from quickstarts.peers.program import said, serve
from quickstarts.quickstart import Client, Quickstart

CLEVER, SMALL = "claude-opus-5", "claude-haiku-5-5"
ID = {"session_id": "s1", "uuid": "u1"}
INIT = ID | {"type": "system", "subtype": "init", "model": CLEVER, "tools": [], "cwd": "/"}
LATE = ID | {"type": "system", "subtype": "status", "status": None}


def _assistant(*blocks: Mapping[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 900}
    message = {"id": "msg_1", "role": "assistant", "model": CLEVER, "content": list(blocks), "usage": usage}
    return ID | {"type": "assistant", "message": message, "parent_tool_use_id": None}


def _used(*counts: int, cost: float = 0.0) -> dict[str, Any]:
    """Fresh, cached and written input, output, and searches of the web."""
    names = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens", "webSearchRequests")
    return dict(zip(names, counts, strict=True)) | {"costUSD": cost}


def _result(turns: int, **more: Any) -> dict[str, Any]:
    told = {"type": "result", "subtype": "success", "duration_ms": 9, "duration_api_ms": 8, "is_error": False}
    return ID | told | {"num_turns": turns, "result": "4", "usage": {"input_tokens": 3, "server_tool_use": {}}} | more


TEXT = _assistant({"type": "text", "text": "4"})
# Two tools at once: two messages of one step, with the usage of that step in both.
TOOLS = tuple(_assistant({"type": "tool_use", "id": f"t{n}", "name": "Read", "input": {}}) for n in (1, 2))

FIRST = {CLEVER: _used(10, 900, 300, 40, 1, cost=0.05), SMALL: _used(500, 0, 0, 12, 0, cost=0.001)}
BOTH = {CLEVER: _used(14, 2100, 350, 100, 1, cost=0.09), SMALL: _used(500, 0, 0, 12, 0, cost=0.001)}
NEW = {CLEVER: _used(20, 2200, 0, 101, 0, cost=0.06)}

ONE = said(INIT, *TOOLS, TEXT, _result(2, modelUsage=FIRST, total_cost_usd=0.051))
TWO = said(LATE, INIT, TEXT, _result(3, modelUsage=BOTH, total_cost_usd=0.091))
CLEARED = said(
    ID | {"type": "conversation_reset", "new_conversation_id": "c2"},
    INIT,
    TEXT,
    _result(1, modelUsage=NEW, total_cost_usd=0.06),
)
FAILED = said(INIT, _result(1, subtype="error_during_execution", is_error=True, modelUsage=FIRST))

# 10 + 500, 900, 300, 40 + 12.
FIRST_TOKENS = {"input_text": 510, "cache_read": 900, "cache_write_unknown": 300, "output_text": 52}
# 14 - 10, 2100 - 900, 350 - 300, 100 - 40; the small model did nothing.
SECOND_TOKENS = {"input_text": 4, "cache_read": 1200, "cache_write_unknown": 50, "output_text": 60}
NEW_TOKENS = {"input_text": 20, "cache_read": 2200, "output_text": 101}


def _options(path: str) -> Any:
    from claude_agent_sdk import ClaudeAgentOptions

    # The first releases take the one that is found.
    return ClaudeAgentOptions(cli_path=path) if hasattr(ClaudeAgentOptions, "cli_path") else ClaudeAgentOptions()


def _seen(message: Any) -> Any:
    return [type(message).__name__, getattr(message, "total_cost_usd", None)]


async def ask(path: str) -> Any:
    from claude_agent_sdk import query

    return [_seen(message) async for message in query(prompt="What is 2 + 2?", options=_options(path))]


async def talk(path: str) -> Any:
    from claude_agent_sdk import ClaudeSDKClient

    async with ClaudeSDKClient(options=_options(path)) as client:
        seen = []
        for prompt in ("What is 2 + 2?", "And 3 + 3?"):
            await client.query(prompt)
            seen += [_seen(message) async for message in client.receive_response()]
        return seen


async def listen(path: str) -> Any:
    from claude_agent_sdk import ClaudeSDKClient, ResultMessage

    async with ClaudeSDKClient(options=_options(path)) as client:
        seen: list[Any] = []
        await client.query("What is 2 + 2?")
        async for message in client.receive_messages():
            seen.append(_seen(message))
            if isinstance(message, ResultMessage):
                if len([name for name, _ in seen if name == "ResultMessage"]) > 1:
                    break
                await client.query("And 3 + 3?")
        return seen


async def left(path: str) -> Any:
    from claude_agent_sdk import AssistantMessage, ClaudeSDKClient

    async with ClaudeSDKClient(options=_options(path)) as client:
        await client.query("What is 2 + 2?")
        async for message in client.receive_response():
            if isinstance(message, AssistantMessage):
                return _seen(message)
        return None


def _knows_resets() -> bool:
    from claude_agent_sdk import types

    return hasattr(types, "ConversationResetMessage")


def _quickstarts() -> Iterator[Quickstart]:
    def case(name: str, run: Any, answers: Any, *calls: Any, **more: Any) -> Quickstart:
        return Quickstart(name, run, answers, calls, serve=serve, **more)

    first = call(FIRST_TOKENS, [], end="complete", meters={"web_search": 1})
    second = call(SECOND_TOKENS, [], end="complete")
    yield case("query", ask, (ONE,), first)
    yield case("conversation", talk, (ONE, TWO), first, second)
    yield case("conversation in one stream", listen, (ONE, TWO), first, second)
    cleared = call(NEW_TOKENS, [], end="complete")
    yield case("conversation that is cleared", talk, (ONE, CLEARED), first, cleared, needs=_knows_resets)
    failed = call(FIRST_TOKENS, [], end="failed", error="error_during_execution", meters={"web_search": 1})
    yield case("query that fails", talk, (FAILED, FAILED), failed, call({}, [], end="failed", error=failed["error"]))
    lost = call({}, [], source="missing", end="dropped")
    yield case("conversation left early", left, (ONE,), lost)


CLIENT = Client(
    library="claude-agent-sdk",
    module="claude_agent_sdk",
    quickstarts=tuple(_quickstarts()),
    reported="each result, by model: cache reads and writes, web searches, the cost",
    missing="reasoning; the life of cache entries; HTTP attempts of the agent; a turn whose result is not read",
)
