"""The ways to run something of LangChain or LangGraph, which all come to the same."""

from __future__ import annotations

import asyncio
from typing import Any

WAYS = ("invoke", "ainvoke", "stream", "astream")


def run(way: str, runnable: Any, given: Any, config: Any = None, **options: Any) -> Any:
    """The result, or the list of what was streamed."""
    if way == "stream":
        return list(runnable.stream(given, config, **options))
    if way == "astream":
        return asyncio.run(_read(runnable, given, config, options))
    if way == "ainvoke":
        return asyncio.run(runnable.ainvoke(given, config, **options))
    return runnable.invoke(given, config, **options)


async def _read(runnable: Any, given: Any, config: Any, options: Any) -> list[Any]:
    return [part async for part in runnable.astream(given, config, **options)]
