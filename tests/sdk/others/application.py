"""An application that is traced by somebody else and by us, both to one collector; it prints what it was billed.

python -m others.application NAME ADDRESS
"""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import json
import logging
import ssl
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from shapes.provider import Provider

import tokentrace
from others.all import OTHERS
from others.other import Case, Other, with_ids

_numbers = count(1)
_NOT_THEIRS = {"tokentrace", "application"}


class Exporter(OTLPSpanExporter):
    """The application's exporter, which sees what the others have told."""

    told = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.told += sum(1 for span in spans if _scope(span) not in _NOT_THEIRS)
        return super().export(spans)


def _scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def ask(case: Case, number: int) -> None:
    """Run the code below a span of the application."""
    with case.serve(Provider(with_ids(case.answers, number))) as url:
        with trace.get_tracer("application").start_as_current_span(case.name):
            result = case.run(url)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        # What is told of a stream may wait until nobody has it any more.
        del result
        gc.collect()
        # What is left stays, and need not be looked at again.
        gc.freeze()


def orders(other: Other, provider: TracerProvider, address: str) -> Iterator[str]:
    """The two orders in which they and we may come."""
    tokentrace.instrument(endpoint=address)
    other.on(provider)
    yield "we came first"
    tokentrace.uninstrument()
    tokentrace.instrument(endpoint=address)
    yield "they came first"
    tokentrace.uninstrument()


def main(name: str, address: str) -> None:
    """Print the calls that were billed, and their tokens; and how many spans the others had."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    (other,) = (other for other in OTHERS if other.name == name)
    ssl.create_default_context = functools.cache(ssl.create_default_context)
    provider = TracerProvider(shutdown_on_exit=False)
    exporter = Exporter(f"{address}/v1/traces")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    cases = other.cases()
    tokens: Counter[str] = Counter()
    calls = 0
    for _ in orders(other, provider, address):
        for case in cases:
            ask(case, next(_numbers))
            calls += case.calls
            tokens.update({bucket: number * case.calls for bucket, number in case.tokens.items()})
        tokentrace.flush(10)
    told: dict[str, Any] = {"calls": calls, "tokens": +tokens}
    print(json.dumps([told, exporter.told]))  # noqa: T201  (that is what the test reads)


if __name__ == "__main__":
    main(*sys.argv[1:])
