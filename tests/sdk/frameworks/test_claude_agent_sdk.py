"""The Claude Agent SDK: what the agent does is the tree, and what each turn used is counted once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("claude_agent_sdk", reason="runs in an environment of its own")

from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, create_sdk_mcp_server, query, tool
from quickstarts.claude_agent_sdk import BOTH, FIRST, ID, INIT, _result
from quickstarts.peers.program import said, serve
from shapes.provider import Provider

import tokentrace
from frameworks.afterwards import nothing_is_left
from frameworks.tree import drawn

# What its first release leaves open: users see it without us.
pytestmark = pytest.mark.filterwarnings("ignore")

MODEL = "claude-opus-5"


def assistant(*blocks: dict[str, Any], inside: str | None = None) -> dict[str, Any]:
    message = {"id": "m", "role": "assistant", "model": MODEL, "content": list(blocks), "usage": {}}
    return ID | {"type": "assistant", "message": message, "parent_tool_use_id": inside}


def uses(called: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": called, "name": name, "input": arguments}


def gives(called: str, *, is_error: bool = False, inside: str | None = None) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": called, "content": "…", "is_error": is_error}
    return ID | {"type": "user", "message": {"role": "user", "content": [block]}, "parent_tool_use_id": inside}


TEXT = {"type": "text", "text": "4"}
TURN = (
    INIT,
    assistant(uses("t1", "Read", file="a"), uses("t2", "Bash", command="ls")),
    gives("t1"),
    gives("t2", is_error=True),
    assistant(uses("t3", "Task", subagent_type="reviewer", prompt="Look.")),
    assistant(uses("t4", "Grep", pattern="x"), inside="t3"),
    gives("t4", inside="t3"),
    gives("t3"),
    assistant(TEXT),
    _result(4, modelUsage=FIRST),
)
TREE = """\
claude
  {call}
  Read
  Bash  ✗ ToolError
  reviewer
    Grep"""
CALL = "invoke_agent  1710 → 52"


def asked(path: str, **more: Any) -> ClaudeAgentOptions:
    # The first releases take the one that is found.
    place = {"cli_path": path} if hasattr(ClaudeAgentOptions, "cli_path") else {}
    return ClaudeAgentOptions(**place, **more)


def ask(path: str, **more: Any) -> list[str]:
    async def main() -> list[str]:
        return [type(message).__name__ async for message in query(prompt="What?", options=asked(path, **more))]

    return asyncio.run(main())


def talk(path: str, turns: int) -> list[str]:
    async def main() -> list[str]:
        seen = []
        async with ClaudeSDKClient(options=asked(path)) as client:
            for _ in range(turns):
                await client.query("What?")
                seen += [type(message).__name__ async for message in client.receive_response()]
        return seen

    return asyncio.run(main())


def test_a_turn_is_an_agent_with_its_tools_and_those_it_hands_work_to(metering):
    with serve(Provider((said(*TURN),))) as path:
        unmetered = ask(path)
    with metering() as spans, serve(Provider((said(*TURN),))) as path:
        assert ask(path) == unmetered
        assert nothing_is_left()
    assert drawn(spans.ours()) == TREE.format(call=CALL)
    told = {span.name: dict(span.attributes) for span in spans.ours()}
    assert told["Read"]["gen_ai.tool.call.id"] == "t1"
    assert told["claude"]["gen_ai.conversation.id"] == "s1"
    assert told["reviewer"]["gen_ai.agent.name"] == "reviewer"


def test_each_turn_of_a_conversation_is_an_agent_of_its_own(spans):
    second = (INIT, assistant(uses("t1", "Read", file="b")), gives("t1"), assistant(TEXT), _result(5, modelUsage=BOTH))
    with serve(Provider((said(*TURN), said(*second)))) as path:
        talk(path, 2)
    assert drawn(spans.ours()) == TREE.format(call=CALL) + "\nclaude\n  invoke_agent  1254 → 60\n  Read"


def test_it_belongs_to_the_section_in_which_its_messages_are_read(spans):
    with serve(Provider((said(*TURN),))) as path, tokentrace.workflow("desk"):
        ask(path)
    assert drawn(spans.ours()).splitlines()[:3] == ["desk", "  claude", f"    {CALL}"]


def test_a_turn_that_fails_says_so_and_leaves_no_tool_open(spans):
    failed = _result(1, subtype="error_max_turns", is_error=True, modelUsage=FIRST)
    with serve(Provider((said(INIT, assistant(uses("t1", "Read", file="a")), failed),))) as path:
        talk(path, 1)
    assert drawn(spans.ours()) == f"claude  ✗ ResultError\n  {CALL}  ✗ error_max_turns\n  Read"


@pytest.mark.parametrize("meta", [{}, {"_meta": {"claudecode/toolUseId": "t1"}}])
def test_what_a_tool_of_the_application_calls_is_in_the_step_of_that_tool(spans, meta):
    @tool("look", "Looks.", {"place": str})
    async def look(arguments: dict[str, Any]) -> dict[str, Any]:
        with tokentrace.step("window"):
            return {"content": [{"type": "text", "text": f"{arguments['place']} is warm."}]}

    def control(number: int, method: str, **params: Any) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        request = {"subtype": "mcp_message", "server_name": "weather", "message": message}
        return {"type": "control_request", "request_id": f"r{number}", "request": request}

    version = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    turn = (
        INIT,
        control(1, "initialize", **version),
        assistant(uses("t1", "mcp__weather__look", place="Rome")),
        control(2, "tools/call", name="look", arguments={"place": "Rome"}, **meta),
        gives("t1"),
        assistant(TEXT),
        _result(2, modelUsage=FIRST),
    )
    if not hasattr(ClaudeAgentOptions, "cli_path"):
        pytest.skip("the first release knows no server of today's")
    with serve(Provider((said(*turn),))) as path:
        server = create_sdk_mcp_server("weather", tools=[look])
        options = {"mcp_servers": {"weather": server}, "allowed_tools": ["mcp__weather__look"]}

        async def main() -> None:
            async with ClaudeSDKClient(options=asked(path, **options)) as client:
                await client.query("What?")
                async for _ in client.receive_response():
                    pass

        asyncio.run(main())
    # The server of the tool tells of it too.
    assert (
        drawn(spans.ours())
        == f"""\
claude
  {CALL}
  mcp__weather__look
    look
      window"""
    )


def test_the_books_count_a_turn_once(metering, books):
    with metering() as spans, serve(Provider((said(*TURN),))) as path:
        ask(path)
    report = books.report(spans.ours())
    assert (sum(report["tokens"].values()), report["calls"]) == (510 + 900 + 300 + 52, 1)
    # Its tools are steps of the turn, which is the answer as a whole; the search of the web has a price of its own.
    (turn,) = [each for each in report["spans"] if each["kind"] == "call"]
    assert (turn["role"], Decimal(turn["components"]["orchestration"])) == ("answer", Decimal("0.01"))
