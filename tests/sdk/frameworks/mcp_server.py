"""A server of tools that ask a model themselves; run as a program it talks over stdio, and writes what it has told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer


def built(url: str) -> Any:
    """The server, whose tools ask at an address."""
    server = MCPServer("Translations")

    @server.tool()
    async def translate(text: str) -> str:
        """Translate into Spanish."""
        async with AsyncOpenAI(base_url=url, api_key="-") as client:
            return (await client.responses.create(model="gpt-5", input=text)).output_text

    @server.tool()
    async def fail(text: str) -> str:
        """Fail after having asked."""
        await translate(text)
        raise LookupError(text)

    return server


def main(url: str, told: Path) -> None:
    """Serve until nobody asks any more."""
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

    import tokentrace

    class Written(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            with told.open("a") as file:
                file.writelines(json.dumps(_place(span)) + "\n" for span in spans)
            return SpanExportResult.SUCCESS

    def _place(span: ReadableSpan) -> dict[str, Any]:
        assert span.context
        return {
            "name": span.name,
            "trace": span.context.trace_id,
            "id": span.context.span_id,
            "parent": span.parent and span.parent.span_id,
        }

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Written()))
    tokentrace.instrument(tracer_provider=provider)
    built(url).run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
