"""What an interrupted insert left out, put in: the engine's own memory of inserts is not to be trusted after a crash.

ClickHouse notes a part in its deduplication log before it gives the part its name, and never compares the two again.
Ended between them, it takes the part for stored when the same batch comes once more, and the part is lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tokentrace_collector import decode
from tokentrace_collector.store import Store

CLOCKS = timedelta(minutes=1)
"""How far the clocks of the collector and of the database may be apart."""

_STORED = """
SELECT TraceId AS trace_id, SpanId AS span_id
FROM otel_traces
WHERE IngestedAt >= {since:DateTime64(6)} AND Tenant = {tenant:String}
"""


def missing(store: Store, bodies: Iterable[bytes], *, tenant: str, since: datetime) -> list[bytes]:
    """Of OTLP requests that were inserted after a moment, the spans that are not stored: a request for each."""
    rows = store.query(_STORED, tenant=tenant, since=(since - CLOCKS).astimezone(UTC).replace(tzinfo=None))
    stored = {(row["trace_id"], row["span_id"]) for row in rows}
    return [one for body in bodies for one in decode.split(body) if decode.identity(one) not in stored]
