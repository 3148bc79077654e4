"""Raw spans read again into calls: after a crash between the two, or when the rules of reading have changed."""

from __future__ import annotations

from datetime import UTC, datetime

from tokentrace_collector import schema
from tokentrace_collector.store import Store

_AGAIN = "insert_deduplicate = 0"
"""What was inserted before is inserted again, on purpose."""


def renormalise(store: Store, since: datetime, until: datetime) -> None:
    """Read the spans received from one moment up to another again; the traces they belong to are touched."""
    # The same SELECT that the materialised view runs on every insert, over a range of what was inserted.
    select = schema.sql("tables/21_llm_calls_mv").partition("\nCREATE ")[2].partition("AS\n")[2]
    moments = [f"\\'{each.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}\\'" for each in (since, until)]
    received = f"IngestedAt >= {moments[0]} AND IngestedAt < {moments[1]}"
    store.run(
        f"INSERT INTO llm_calls\n{select}SETTINGS {_AGAIN}, additional_table_filters = {{'otel_traces': '{received}'}}"
    )
