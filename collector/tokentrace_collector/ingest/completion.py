"""What an interrupted insert left out, put in: the engine's own memory of inserts is not to be trusted after a crash.

ClickHouse notes a part in its deduplication log before it gives the part its name, and never compares the two again.
Ended between them, it takes the part for stored when the same batch comes once more, and the part is lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tokentrace_collector.otlp import decode
from tokentrace_collector.store.database import Store

_SLACK = timedelta(minutes=1)
"""By how much the clocks of the collector and of the database may drift apart while a batch is under way."""

_STORED = """
SELECT TraceId AS trace_id, SpanId AS span_id
FROM otel_traces
WHERE IngestedAt >= {since:DateTime64(6)} AND Tenant = {tenant:String}
"""


def beginning(store: Store, at: int) -> datetime:
    """A moment of our clock, in nanoseconds of the Unix epoch, by the database's clock; rather too early than too late.

    The two may be hours apart: rows are dated by the database's.
    """
    now: datetime = store.query("SELECT now64(6) AS now")[0]["now"]
    return now - timedelta(microseconds=(time.time_ns() - at) // 1000) - _SLACK


def missing(store: Store, bodies: Iterable[bytes], *, tenant: str, since: datetime) -> list[bytes]:
    """Of OTLP requests that were inserted after a moment, the spans that are not stored: a request for each."""
    rows = store.query(_STORED, tenant=tenant, since=since.astimezone(UTC).replace(tzinfo=None))
    stored = {(row["trace_id"], row["span_id"]) for row in rows}
    return [one for body in bodies for one in decode.split(body) if decode.identity(one) not in stored]
