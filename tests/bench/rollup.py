"""How fast spans become costs, and how fast questions about them are answered, on a store of many spans."""

import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from figures import Taken, figure, taken, tell, warm

from tokentrace_collector.ingest.renormalise import renormalise
from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.reports import answers, breakdown
from tokentrace_collector.rollup.orders import Repricing
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books

TICKS = 3
TOUCHED = 1000
OTHER_PRICES = 'version: 1\nrates: [{provider: openai, model: "gpt-6*", prices: {input_text: 9, output_text: 40}}]\n'
LAST = datetime(2026, 11, 19, tzinfo=UTC)
"""The last of the days that `SPANS` fills."""

# Ten spans a trace: a root, an agent's step, four calls of the SDK with prompt segments, one of another instrumentation,
# three spans of other libraries; over ten days.
SPANS = """
INSERT INTO {table}
    (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ScopeName, ResourceAttributes, SpanAttributes, Duration, StatusCode, `Events.Timestamp`, `Events.Name`, `Events.Attributes`)
SELECT
    toDateTime64('2026-11-10 00:00:00', 9) + toIntervalMillisecond(intDiv(number, 10) * intDiv(8640000000, {spans})) + toIntervalMillisecond(number % 10) AS at,
    lower(hex(sipHash128('trace', intDiv(number, 10)))),
    lower(hex(sipHash64('span', number))),
    multiIf(number % 10 = 0, '', number % 10 = 1, lower(hex(sipHash64('span', number - 1))), lower(hex(sipHash64('span', number - number % 10 + 1)))),
    multiIf(number % 10 = 0, 'POST /ask', number % 10 = 1, 'agent', number % 10 < 7, 'chat gpt-6-sol', 'SELECT'),
    'shop',
    multiIf(number % 10 BETWEEN 1 AND 5, 'tokentrace', number % 10 = 6, 'opentelemetry.instrumentation.anthropic', 'opentelemetry.instrumentation.x'),
    map('service.name', 'shop', 'deployment.environment.name', 'prod', 'telemetry.sdk.language', 'python', 'telemetry.sdk.version', '1.40.0'),
    multiIf(
        number % 10 = 1, map('tokentrace.step.name', 'agent', 'tokentrace.role', 'plan', 'tokentrace.attribution.team', concat('team', toString(intDiv(number, 10) % 20)), 'tokentrace.attribution.feature', concat('feature', toString(intDiv(number, 10) % 7))),
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
            'tokentrace.attribution.team', concat('team', toString(intDiv(number, 10) % 20)), 'tokentrace.attribution.feature', concat('feature', toString(intDiv(number, 10) % 7)), 'tokentrace.attribution.customer.id', toString(number % 5000)
        ),
        number % 10 = 6, map(
            'gen_ai.operation.name', 'chat', 'gen_ai.provider.name', 'anthropic', 'gen_ai.request.model', 'claude-opus-5',
            'gen_ai.response.model', 'claude-opus-5', 'gen_ai.response.id', concat('msg_', hex(sipHash64('told', number))),
            'gen_ai.usage.input_tokens', toString(500 + number % 7000), 'gen_ai.usage.output_tokens', toString(1 + number % 900)
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


# One more span of other libraries in each of so many traces that lie side by side in time, or are spread over all days.
LATE = """
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes, Duration)
SELECT
    min(Timestamp) + INTERVAL 20 MILLISECOND,
    TraceId,
    lower(hex(sipHash64('late', {tick:UInt32}, {apart:UInt64}, TraceId))),
    'SELECT',
    'shop',
    map('db.system', 'postgresql'),
    1000000
FROM otel_traces
WHERE TraceId IN (
    SELECT lower(hex(sipHash128('trace', toUInt64({traces:UInt64} - 1 - (number + {tick:UInt32} * {touched:UInt64}) * {apart:UInt64}))))
    FROM numbers({touched:UInt64})
)
GROUP BY TraceId
"""

_BYTES = """
SELECT table, sum(bytes_on_disk) AS bytes
FROM system.parts
WHERE active AND database = currentDatabase() AND NOT startsWith(table, 'rollup_')
GROUP BY table
ORDER BY bytes DESC
"""


def costing(spans: int) -> None:
    """Fill a store; print what it takes to read, rate and sum up all of it, some of it, and to ask it."""
    with tempfile.TemporaryDirectory() as directory, closing(Store.open(f"chdb://{directory}")) as store:
        schema.apply(store)
        tell(f"\n{spans:,} spans in {spans // 10:,} traces over ten days, half of them calls\n")
        _fill(store, spans)
        normalised = taken(
            lambda: renormalise(store, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        )
        _rate("read all spans again: raw to calls", normalised, spans)
        rollup = Rollup(store, Book())
        rebuilt = taken(rollup.tick)
        _rate("full rollup", rebuilt, spans, least=0.3e6)
        figure("full rollup: memory", rebuilt.peak, "GiB", most=2)
        _merged(store)
        _ticks(store, rollup, spans)
        _questions(store, spans)
        trial = taken(lambda: rollup.reprice(Repricing(parse(OTHER_PRICES))))
        figure("re-price, and compare: CPU per million spans", trial.cpu * 1e6 / spans, "s", most=5)
        figure("re-price, and compare: by the clock", trial.wall * 1e6 / spans, "s/million")
        figure("re-price, and compare: memory", trial.peak, "GiB")
        _sizes(store, spans)


def _fill(store: Store, spans: int) -> None:
    store.run("CREATE TABLE staged AS otel_traces")
    store.run(SPANS.format(table="staged", spans=spans))
    # Parts that are moved pass no view, and so are read by nobody yet.
    for part in store.query("SELECT DISTINCT partition_id AS id FROM system.parts WHERE active AND table = 'staged'"):
        store.run(f"ALTER TABLE staged MOVE PARTITION ID '{part['id']}' TO TABLE otel_traces")
    store.run("DROP TABLE staged SYNC")


def _merged(store: Store) -> None:
    """Wait for what goes on in the background: merging what was filled in at once takes longer than a tick."""
    while store.query("SELECT count() AS merges FROM system.merges")[0]["merges"]:
        time.sleep(0.1)


def _rate(name: str, work: Taken, spans: int, *, least: float | None = None) -> None:
    figure(f"{name}: CPU", spans / work.cpu, "spans/s/core", least=least)
    figure(f"{name}: by the clock", work.wall, "s")


def _ticks(store: Store, rollup: Rollup, spans: int) -> None:
    traces = spans // 10
    for where, apart in (("of the last hour", 1), ("spread over all days", max(traces // TOUCHED // (TICKS + 1), 1))):
        done: list[Taken] = []
        for tick in range(TICKS):
            store.run(LATE, tick=tick, traces=traces, touched=TOUCHED, apart=apart)
            done.append(taken(rollup.tick))
            _merged(store)
        middle = sorted(done, key=lambda each: each.wall)[TICKS // 2]
        figure(f"a tick that touched {TOUCHED:,} traces {where}: by the clock", middle.wall, "s", most=1)
        figure(f"a tick that touched {TOUCHED:,} traces {where}: CPU", middle.cpu, "s")


def _questions(store: Store, spans: int) -> None:
    books = Books(store)
    cube = breakdown.Breakdown(by=("team", "feature", "model"), per="day")
    figure("costs by day, team, feature and model", warm(lambda: breakdown.shares(books, cube)), "ms", most=100)
    day = answers.Filter(since=LAST, until=LAST + timedelta(days=1), by_cost=True)
    figure("the 20 dearest requests of a day", warm(lambda: answers.requests(books, day)), "ms", most=50)
    latest = answers.Filter()
    figure("the 20 latest requests", warm(lambda: answers.requests(books, latest)), "ms")
    one = store.query("SELECT lower(hex(sipHash128('trace', toUInt64({n:UInt64})))) AS id", n=spans // 20)[0]["id"]
    figure("one request with its spans", warm(lambda: answers.request(books, one)), "ms", most=50)


def _sizes(store: Store, spans: int) -> None:
    tables = [row["table"] for row in store.query(_BYTES)]
    for table in tables:
        store.run(f"OPTIMIZE TABLE {table} FINAL")
    found = store.query(_BYTES)
    figure("disk, merged", sum(row["bytes"] for row in found) / spans, "bytes/span", most=150)
    for row in found:
        if row["bytes"] > spans / 10:
            figure(f"  {row['table']}", row["bytes"] / spans, "bytes/span")
