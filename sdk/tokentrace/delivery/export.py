"""Which spans leave the process, and how."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

from tokentrace.config import Config, pairs
from tokentrace.delivery.late import Late
from tokentrace.guard import note
from tokentrace.version import SCOPE

if TYPE_CHECKING:
    from requests import Session

    from tokentrace.delivery.counts import Counts
    from tokentrace.delivery.keeper import Keeper
    from tokentrace.delivery.queue import Delivery

_CONTENT = (
    "gen_ai.input.",
    "gen_ai.output.",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.tool.call.",
    "input.value",
    "output.value",
    "llm.",
    "traceloop.",
    "langfuse.",
)
"""How attributes begin in which other instrumentations keep prompts and answers."""


def exporter(config: Config) -> SpanExporter:
    """The OTLP exporter that the configuration asks for, made when the first spans are to leave."""
    return Late(partial(_exporter, config))


def _exporter(config: Config) -> SpanExporter:
    if config.protocol == "grpc":
        from grpc import Compression as GrpcCompression  # noqa: PLC0415  (grpc costs 100 ms to import)
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter as GrpcExporter,
        )

        return GrpcExporter(
            endpoint=config.endpoint,
            # Blank instead of empty: without headers of its own the exporter takes those of `OTEL_*`.
            headers=tuple((key.lower(), value) for key, value in config.headers.items()) or " ",
            compression=GrpcCompression.Gzip,
            insecure=not config.endpoint.startswith("https"),
        )
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter(
        endpoint=config.endpoint,
        headers=dict(config.headers),
        compression=Compression.Gzip,
        session=session(config.headers),
    )


def keeper(config: Config, counts: Counts) -> Keeper | None:
    """The disk for spans that the endpoint of the configuration does not take; None where there is to be none."""
    # Asked for in a thread of ours, so that what it imports holds up nobody.
    from tokentrace.delivery.keeper import Keeper  # noqa: PLC0415
    from tokentrace.delivery.spool import Spool  # noqa: PLC0415

    directory = config.spool_directory
    return Keeper(Spool(directory, _identity(config), config.spool_size, counts), counts) if directory else None


def _identity(config: Config) -> str:
    """Stands for who may get the spans: what is kept for one endpoint, or under one token, is for no other."""
    from hashlib import sha256  # noqa: PLC0415

    user = os.geteuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    headers = sorted((key.lower(), value) for key, value in config.headers.items())
    return sha256(repr((user, config.protocol, config.endpoint, headers)).encode()).hexdigest()[:32]


def session(headers: Mapping[str, str]) -> Session:
    """Keeps from our endpoint what `OTEL_*` names for another: the exporter adds those headers to every request."""
    from requests import PreparedRequest, Session  # noqa: PLC0415  (comes with the exporter, not before it)

    own = {key.lower() for key in headers}
    said = (os.environ.get(name, "") for name in ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"))
    others = {key.lower() for text in said for key in pairs(text)} - own

    def strip(request: PreparedRequest) -> PreparedRequest:
        for key in others:
            request.headers.pop(key, None)
        return request

    made = Session()
    made.auth = strip
    return made


class Processor(SpanProcessor):
    """Hands our spans, and the roots of the application's traces, to the delivery. Never raises."""

    delivery: Delivery | None = None

    def on_end(self, span: ReadableSpan) -> None:
        # Without the cost of a `with`, for every span of the application goes through here.
        try:
            if (delivery := self.delivery) is None:
                return
            scope = span.instrumentation_scope
            if (scope is not None and scope.name == SCOPE) or _is_plain_root(span):
                delivery.put(span)
        except Exception as error:
            if not note("queueing a span", error):
                raise

    def shutdown(self) -> None:
        # The delivery outlives the application's provider: it has an exit of its own, bounded in time.
        self.force_flush()

    def force_flush(self, timeout_millis: int = 2000) -> bool:
        if self.delivery is not None:
            self.delivery.flush(min(timeout_millis, 2000) / 1000)
        # Whether ours arrived is nothing that the application's own pipeline may fail for.
        return True


def _is_plain_root(span: ReadableSpan) -> bool:
    """A span that names the request it started, and holds nothing of what was said in it."""
    if span.parent is not None and not span.parent.is_remote:
        return False
    return not any(key.startswith(_CONTENT) for key in span.attributes or ())
