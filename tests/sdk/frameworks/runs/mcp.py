"""Tools by MCP, whose server asks a model, in memory and over HTTP."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import mcp
import uvicorn
from mcp import ClientSession

from frameworks import mcp_server
from frameworks.runs.run import Run
from frameworks.turn import fails, says

IS_FIRST = not hasattr(mcp, "Client")
"""Whether it is a release of 1.x."""
PATIENCE = 30.0
Way = Callable[[str], AbstractAsyncContextManager[Any]]
"""Opens a session with a server, whose tools ask at an address."""


@asynccontextmanager
async def in_memory(url: str) -> AsyncIterator[Any]:
    """Client and server in one event loop."""
    if IS_FIRST:
        from mcp.shared.memory import create_connected_server_and_client_session as connected

        async with connected(mcp_server.built(url)._mcp_server) as session:
            yield session
    else:
        async with mcp.Client(mcp_server.built(url)) as client:
            yield client


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Any]:
    """Client and server in threads of their own."""
    if IS_FIRST:
        from mcp.client.streamable_http import streamablehttp_client as connected
    else:
        from mcp.client.streamable_http import streamable_http_client as connected
    with serving(mcp_server.built(url).streamable_http_app()) as address:
        # One of 1.x gives what names its session too.
        async with connected(f"{address}/mcp") as streams, ClientSession(*streams[:2]) as session:
            await session.initialize()
            yield session


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A server in a thread of its own, once it listens."""
    listening = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            listening.set()

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = Server(uvicorn.Config(app, log_level="error", ws="none"))
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        try:
            assert listening.wait(PATIENCE)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def call(way: Way, url: str, tool: str = "translate", text: str = "Hi") -> Any:
    """What a tool answers."""

    async def work() -> Any:
        async with way(url) as session:
            return await session.call_tool(tool, {"text": text})

    return asyncio.run(work())


def _run(name: str, way: Way) -> Run:
    return Run(
        name,
        turns=(fails(429), says("Hola", 20, 3, 1, 4)),
        play=lambda url: str(call(way, url).content[0].text),
        said="Hola",
        agents=(),
        tools=("translate",),
    )


RUNS = (_run("in memory", in_memory), _run("over HTTP", over_http))
