"""How fast spans become costs: `python tests/bench/rollup.py [spans]`. Printed, not gating; CPU time of one process."""

import sys
import tempfile
import time
from collections.abc import Callable

from tokentrace_collector.prices.book import Book
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

BOUND = 0.3e6
"""Spans per second and core that the full rollup should reach."""

# Ten spans a trace: a root, an agent's step, four calls of the SDK with prompt segments, four spans of other libraries.
SPANS = """
INSERT INTO {table}
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ScopeName, ResourceAttributes, SpanAttributes, Duration, StatusCode, `Events.Timestamp`, `Events.Name`, `Events.Attributes`)
SELECT
    toDateTime64('2026-11-20 00:00:00', 9) + toIntervalMillisecond(intDiv(number, 10) * 40) + toIntervalMillisecond(number % 10) AS at,
    lower(hex(sipHash128('trace', intDiv(number, 10)))),
    lower(hex(sipHash64('span', number))),
    multiIf(number % 10 = 0, '', number % 10 = 1, lower(hex(sipHash64('span', number - 1))), lower(hex(sipHash64('span', number - number % 10 + 1)))),
    multiIf(number % 10 = 0, 'POST /ask', number % 10 = 1, 'agent', number % 10 < 6, 'chat gpt-6-sol', 'SELECT'),
    'shop',
    if(number % 10 BETWEEN 1 AND 5, 'tokentrace', 'opentelemetry.instrumentation.x'),
    map('service.name', 'shop', 'deployment.environment.name', 'prod', 'telemetry.sdk.language', 'python', 'telemetry.sdk.version', '1.40.0'),
    multiIf(
        number % 10 = 1, map('tokentrace.step.name', 'agent', 'tokentrace.role', 'plan', 'tokentrace.attribution.team', 'search', 'tokentrace.attribution.feature', 'ask'),
        number % 10 BETWEEN 2 AND 5, map(
            'gen_ai.operation.name', 'chat', 'gen_ai.provider.name', ['openai', 'anthropic'][1 + number % 2],
            'gen_ai.request.model', ['gpt-6-sol', 'claude-opus-5'][1 + number % 2], 'gen_ai.response.model', ['gpt-6-sol', 'claude-opus-5'][1 + number % 2],
            'gen_ai.response.id', concat('resp_', hex(sipHash64('response', number))), 'gen_ai.response.finish_reasons', '["stop"]',
            'server.address', 'api.example.com', 'tokentrace.usage.scope', 'call', 'tokentrace.usage.source', 'reported',
            'tokentrace.usage.input_text', toString(500 + number % 7000), 'tokentrace.usage.cache_read', toString(number % 4000),
            'tokentrace.usage.output_text', toString(1 + number % 900), 'tokentrace.usage.output_reasoning', toString(number % 1500),
            'gen_ai.usage.input_tokens', '1000', 'gen_ai.usage.output_tokens', '1000', 'tokentrace.reasoning.source', 'reported',
            'tokentrace.reasoning.visibility', 'hidden', 'tokentrace.attempts', '1', 'tokentrace.role', if(number % 10 = 5, 'answer', 'plan'),
            'tokentrace.input.segments', '["system:200","tool_definitions:900","history:1200","user:300"]',
            'tokentrace.attribution.team', 'search', 'tokentrace.attribution.feature', 'ask', 'tokentrace.attribution.customer.id', toString(number % 5000)
        ),
        map('db.system', 'postgresql', 'db.statement', 'SELECT 1', 'net.peer.name', 'db', 'thread.id', toString(number % 99))
    ),
    1000000 + number % 5000000000,
    if(number % 97 = 0, 'Error', 'Unset'),
    if(number % 10 BETWEEN 2 AND 5, [at], []),
    if(number % 10 BETWEEN 2 AND 5, ['tokentrace.attempt'], []),
    if(number % 10 BETWEEN 2 AND 5, [map('tokentrace.attempt.number', '1', 'http.response.status_code', '200')], [])
FROM numbers({spans})
"""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of all threads of the process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main(spans: int) -> None:
    """Print rows per second and core of reading, and of the whole rollup."""
    with tempfile.TemporaryDirectory() as directory:
        store = Store.open(f"chdb://{directory}")
        schema.apply(store)
        store.run("CREATE TABLE staged AS otel_traces")
        store.run(SPANS.format(table="staged", spans=spans))
        raw = "(Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ScopeName, ResourceAttributes, SpanAttributes, Duration, StatusCode, `Events.Timestamp`, `Events.Name`, `Events.Attributes`)"
        copy = f"INSERT INTO {{}} {raw} SELECT {raw[1:-1]} FROM staged"
        store.run("CREATE TABLE plain AS otel_traces")
        without = cpu_seconds(lambda: store.run(copy.format("plain")))
        reading = cpu_seconds(lambda: store.run(copy.format("otel_traces"))) - without
        rollup = Rollup(store, Book())
        rollup.rebuild()
        rating = cpu_seconds(rollup.rebuild)
        store.close()
    print(f"{spans:,} spans, 40 % of them calls; per second and core, CPU time:")
    print(f"  raw to calls  {spans / reading:>12,.0f} spans/s")
    print(f"  full rollup   {spans / rating:>12,.0f} spans/s  (bound {BOUND:,.0f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
