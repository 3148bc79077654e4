"""Tools that a client calls and that a server runs, the server's below the client's wherever either of them is.

The client says in the `_meta` of a call where in its request it is, as W3C Trace Context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace import attributes as name
from tokentrace.guard import quietly
from tokentrace.integration import Call, Integration
from tokentrace.request.carrying import begin_below, carried
from tokentrace.request.section import Section, begin, innermost
from tokentrace.seams.putting import put
from tokentrace.usage.reading import dig, mapping, text

_ASKED = "claudecode/toolUseId"
"""Where Claude Code, a client that we do not run in, says which tool call of the model it is for."""


class ToolError(Exception):
    """A tool says that it has failed."""


def _calling(tool: str) -> tuple[Section | None, Section | None]:
    """The section that a call is in, and that which begins with it: a framework may have begun one for the tool."""
    around = innermost()
    if around is not None and dig(around.span.opened.span, "attributes", name.TOOL_NAME) == tool:
        return around, None
    begun = begin(tool, "tool")
    return begun, begun


def _failed(result: Any) -> ToolError | None:
    is_error = dig(result, "isError")
    return ToolError() if (dig(result, "is_error") if is_error is None else is_error) is True else None


async def _called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    begun: Section | None = None
    asked: dict[str, Any] = kwargs
    with quietly("beginning a section"):
        section, begun = _calling(Call(instance, args, kwargs).arg(0, "name"))
        if section is not None:
            asked = {**kwargs, "meta": {**carried(section), **_mapped(kwargs.get("meta"))}}
    if begun is None:
        return await wrapped(*args, **asked)
    try:
        with begun.current():
            result = await wrapped(*args, **asked)
    except BaseException as error:
        begun.end(error)
        raise
    begun.end(_failed(result))
    return result


async def _serve(section: Section | None, run: Any) -> Any:
    if section is None:
        return await run()
    try:
        with section.current():
            result = await run()
    except BaseException as error:
        section.end(error)
        raise
    section.end(_failed(result))
    return result


def _served(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """What runs a request inside of whatever a server of 2.x has put around all of them."""
    inner = Call(instance, args, kwargs).arg(0, "inner")

    async def run(ctx: Any) -> Any:
        section = None
        with quietly("beginning a section"):
            if ctx.method == "tools/call":
                section = _begun(_mapped(ctx.meta), ctx.params["name"])
        return await _serve(section, lambda: inner(ctx))

    return wrapped(run)


async def _handled(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    """A request to a server of 1.x."""
    section = None
    with quietly("beginning a section"):
        asked = Call(instance, args, kwargs).arg(1, "req")
        if type(asked).__name__ == "CallToolRequest":
            section = _begun(_mapped(dig(asked, "params", "meta")), asked.params.name)
    return await _serve(section, lambda: wrapped(*args, **kwargs))


def _begun(meta: Mapping[str, Any], tool: str) -> Section | None:
    """What a server does for a call."""
    section = begin_below(meta, tool, "tool")
    if section is not None and (asked := text(meta.get(_ASKED))) is not None:
        section.set({name.TOOL_CALL: asked})
    return section


def _mapped(meta: Any) -> Mapping[str, Any]:
    """What is written in `_meta`, of JSON and of the objects of 1.x."""
    return mapping(meta) or mapping(dig(meta, "model_extra"))


INTEGRATION = Integration(
    library="mcp",
    attach={
        "mcp.client.session": put(("ClientSession.call_tool", _called)),
        "mcp.server.lowlevel.server": put(("Server._handle_request", _handled)),
        "mcp.server.runner": put(("ServerRunner._compose_server_middleware", _served)),
    },
)
