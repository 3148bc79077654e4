"""What a span costs the collector, stage by stage, each beside what it cannot be cheaper than.

    python tests/bench/ingest.py

CPU of all threads in µs per span, the best of several rounds; spans per second and core are its inverse. Spans are those
of the SDK: 22 attributes, two of them lists, and one event. Compare figures within one run only.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from subprocess import PIPE, Popen

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.otlp import compression, decode, rows
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

ROUNDS = 4
WHOLE = 10
REQUESTS, SPANS = 100, 100
TOTAL = REQUESTS * SPANS
MOST = 64 << 20
NOW = 1_767_225_600_000_000_000

_tokens = count()


def requests() -> list[bytes]:
    """Requests as the SDK sends them."""
    dice = random.Random(1)
    return [_request(dice) for _ in range(REQUESTS)]


def _request(dice: random.Random) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(
        _pairs({"service.name": "agent", "telemetry.sdk.language": "python", "deployment.environment.name": "prod"})
    )
    scope = group.scope_spans.add()
    scope.scope.name = "tokentrace"
    for number in range(SPANS):
        if number % 5 == 0:
            trace = dice.randbytes(16)
        start = NOW + dice.randrange(86_400 * 10**9)
        span = scope.spans.add(trace_id=trace, span_id=dice.randbytes(8), name="chat gpt-5", kind=3)
        span.start_time_unix_nano, span.end_time_unix_nano = start, start + dice.randrange(5 * 10**9)
        span.attributes.extend(_pairs(_attributes(dice)))
        attempt = span.events.add(time_unix_nano=start, name="tokentrace.attempt")
        attempt.attributes.extend(_pairs({"tokentrace.attempt.number": 1, "http.response.status_code": 200}))
    return request.SerializeToString()


def _attributes(dice: random.Random) -> dict[str, str | int | list[str]]:
    tokens = {name: dice.randrange(5000) for name in ("input", "cache_read", "output", "reasoning")}
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "gen_ai.response.id": f"chatcmpl-{dice.getrandbits(90):x}",
        "gen_ai.response.finish_reasons": ["stop"],
        "server.address": "api.openai.com",
        "server.port": 443,
        "tokentrace.usage.scope": "call",
        "tokentrace.usage.source": "reported",
        "tokentrace.usage.flags": ["cache_ttl_assumed"],
        "gen_ai.usage.input_tokens": tokens["input"] + tokens["cache_read"],
        "gen_ai.usage.output_tokens": tokens["output"],
        "tokentrace.attempts": 1,
        "tokentrace.role": "answer",
        "tokentrace.attribution.team": "search",
        "tokentrace.attribution.feature": "ask",
        "tokentrace.attribution.customer.id": f"c{dice.randrange(1000)}",
        **{f"tokentrace.usage.{name}": number for name, number in tokens.items()},
    }


def _pairs(values: dict[str, str | int | list[str]]) -> Iterator[KeyValue]:
    for key, value in values.items():
        if isinstance(value, list):
            items = [AnyValue(string_value=item) for item in value]
            yield KeyValue(key=key, value=AnyValue(array_value=ArrayValue(values=items)))
        elif isinstance(value, int):
            yield KeyValue(key=key, value=AnyValue(int_value=value))
        else:
            yield KeyValue(key=key, value=AnyValue(string_value=value))


def cost(work: Callable[[], object]) -> float:
    """The CPU of a round, in µs per span."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least / TOTAL * 1e6


def _print(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(stage: str, cpu: float, bound: str = "") -> None:
    """A line of the table."""
    _print(f"{stage:<52} {cpu:7.1f} µs/span {1e6 / cpu:10,.0f} spans/s/core   {bound}".rstrip())


def receiving(bodies: list[bytes]) -> None:
    """The stages before the answer."""
    packed = [zlib.compress(body, 1, 16 + zlib.MAX_WBITS) for body in bodies]
    _print(f"\n{len(bodies[0]) / SPANS:.0f} bytes a span, {len(packed[0]) / SPANS:.0f} gzipped\n")
    bound = cost(lambda: [zlib.decompress(each, 16 + zlib.MAX_WBITS) for each in packed])
    inflate = cost(lambda: [compression.inflated(each, "gzip", most=MOST) for each in packed])
    report("inflate", inflate, f"zlib {bound:.1f}")
    bound = cost(lambda: [ExportTraceServiceRequest.FromString(body) for body in bodies])
    report(
        "judge a sound request", cost(lambda: [decode.accept(body, now=NOW) for body in bodies]), f"parse {bound:.1f}"
    )
    broken = [body.replace(b"chatcmpl-", b"chatcmpl\xff", 1) for body in bodies]
    report("judge a request with one bad span", cost(lambda: [decode.accept(each, now=NOW) for each in broken]))
    with tempfile.TemporaryDirectory() as directory, closing(Journal(Path(directory))) as journal:
        entries = [
            Entry("default", each, "gzip", SPANS, len(body), NOW) for body, each in zip(bodies, packed, strict=True)
        ]
        appended = cost(lambda: [promise.result() for promise in [journal.append(entry) for entry in entries]])
        report(
            "journal: append, until on disk",
            appended,
            f"checksum {cost(lambda: [each.checksum for each in entries]):.1f}",
        )
        began = time.process_time()
        settled = sum(_settled(journal) for _ in range(ROUNDS))
        report("journal: read back and settle", (time.process_time() - began) / settled * 1e6, f"inflate {inflate:.1f}")


def _settled(journal: Journal) -> int:
    """Work off a batch as the drain does, without a database; the spans of it."""
    batch = journal.claim()
    if batch is None:
        return 0
    for entry in batch.entries:
        compression.inflated(entry.body, entry.encoding, most=MOST)
    journal.settle(batch)
    return batch.spans


def inserting(bodies: list[bytes]) -> float:
    """The ways into the database; gives what the engine takes for writing all rows of a span that are ready, in µs."""
    with tempfile.TemporaryDirectory() as directory, closing(Store.open(f"chdb://{directory}")) as store:
        schema.apply(store)
        # Merging goes on in the background and would be charged to whatever is measured beside it.
        store.run("SYSTEM STOP MERGES")
        raw_all = cost(lambda: store.insert_spans(bodies, tenant="default", token=f"raw {next(_tokens)}"))
        columns = rows.columns(bodies, tenant="default")
        python_all = cost(lambda: _insert_columns(store, rows.columns(bodies, tenant="default")))
        views = [view["name"] for view in store.query(_VIEWS)]
        for view in views:
            store.run(f"DROP VIEW {view} SYNC")
        floors = {
            table: _floor(store, table) for table in ("otel_traces", *(view.removesuffix("_mv") for view in views))
        }
        floor, floor_all = floors["otel_traces"], sum(floors.values())
        raw = cost(lambda: store.insert_spans(bodies, tenant="default", token=f"raw {next(_tokens)}"))
        build = cost(lambda: rows.columns(bodies, tenant="default"))
        encode = cost(lambda: _insert_columns(store, columns))
        _print()
        for table, least in floors.items():
            if least:
                report(f"engine: write ready rows of {table}", least)
        report("engine: write ready rows of all of these", floor_all, "the floor")
        report("engine: read raw OTLP and write otel_traces", raw, f"floor {floor:.1f}")
        report("Python: build columns", build)
        report("Python: build, encode and write otel_traces", build + encode, f"floor {floor:.1f}")
        report("raw OTLP, with the rollup's views", raw_all, _beside(raw_all, floor_all))
        report("Python columns, with the rollup's views", python_all, _beside(python_all, floor_all))
        return floor_all


def _floor(store: Store, table: str) -> float:
    """What the engine takes for as many ready rows of a table as a round of spans brings it; nought where that is none."""
    names = ", ".join(f"`{column['name']}`" for column in store.query(_WRITTEN, table=table))
    store.run(f"CREATE TABLE ready ENGINE = Memory AS SELECT {names} FROM {table} LIMIT {TOTAL}")
    ready = f"INSERT INTO {table} ({names}) SELECT {names} FROM ready"
    is_empty = not store.query("SELECT 1 FROM ready LIMIT 1")
    least = 0.0 if is_empty else cost(lambda: store.run(ready, settings={_TOKEN: f"ready {next(_tokens)}"}))
    store.run("DROP TABLE ready SYNC")
    return least


def _beside(taken: float, floor: float) -> str:
    return f"{taken / floor:.1f} × the floor (aim ≤ 3)"


def _insert_columns(store: Store, columns: object) -> None:
    store.insert("otel_traces", rows.COLUMNS, columns, token=f"columns {next(_tokens)}")


_TOKEN = "insert_deduplication_token"
_WRITTEN = """
SELECT name FROM system.columns
WHERE database = currentDatabase() AND table = {table:String} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS', 'EPHEMERAL')
"""
_VIEWS = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine = 'MaterializedView' AND name != 'otlp_requests_mv'
"""


def whole(bodies: list[bytes], encoding: str, floor: float) -> None:
    """A collector in a process of its own, from the socket to the table."""
    process_file = Path(__file__).parents[1] / "collector" / "collector_process.py"
    sent = [zlib.compress(body, 1, 16 + zlib.MAX_WBITS) for body in bodies] if encoding else bodies
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, str(process_file), "serve", f"chdb://{directory}", "20000", "1"]
        with Popen(command, stdout=PIPE, text=True) as process:
            otlp, api = (address.removeprefix("http://") for address in process.stdout.readline().split()[:2])
            _send(otlp, sent, encoding)
            _drained(api, TOTAL)
            began, clock = _cpu(process.pid), time.perf_counter()
            for _ in range(WHOLE):
                _send(otlp, sent, encoding)
            answered = time.perf_counter() - clock
            _drained(api, TOTAL * (WHOLE + 1))
            cpu, wall = _cpu(process.pid) - began, time.perf_counter() - clock
            process.terminate()
    total = TOTAL * WHOLE
    report(
        f"a whole collector, HTTP {encoding or 'identity'}",
        cpu / total * 1e6,
        f"{_beside(cpu / total * 1e6, floor)}; {total / wall:,.0f} spans/s, {total / SPANS / answered:,.0f} durable requests/s"
        " by the clock",
    )


def _send(address: str, bodies: list[bytes], encoding: str) -> None:
    headers = {"Content-Type": "application/x-protobuf"} | ({"Content-Encoding": encoding} if encoding else {})

    def send(share: list[bytes]) -> None:
        with closing(HTTPConnection(address, timeout=60)) as connection:
            for body in share:
                connection.request("POST", "/v1/traces", body, headers)
                response = connection.getresponse()
                response.read()
                assert response.status == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, [bodies[each::4] for each in range(4)]))


def _drained(address: str, spans: int) -> None:
    while f"spans_stored_total {spans}\n" not in _get(address, "/metrics"):
        time.sleep(0.05)


def _get(address: str, path: str) -> str:
    with closing(HTTPConnection(address, timeout=60)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def _cpu(process: int) -> float:
    """The CPU seconds that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the table."""
    bodies = requests()
    receiving(bodies)
    floor = inserting(bodies)
    _print()
    whole(bodies, "", floor)
    whole(bodies, "gzip", floor)


if __name__ == "__main__":
    main()
