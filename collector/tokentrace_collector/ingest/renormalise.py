"""Raw spans read again into calls: after a crash between the two, or when the rules of reading have changed."""

from __future__ import annotations

from datetime import UTC, datetime

from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

_READ = {"llm_calls": "21_llm_calls_mv", "outcomes": "29_outcomes_mv"}
"""The tables that are read from raw spans, and how."""
_AGAIN = "insert_deduplicate = 0"
"""What was inserted before is inserted again, on purpose."""


def renormalise(store: Store, since: datetime, until: datetime) -> None:
    """Read the spans received from one moment up to another again; the traces they belong to are touched."""
    moments = [f"\\'{each.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}\\'" for each in (since, until)]
    received = f"IngestedAt >= {moments[0]} AND IngestedAt < {moments[1]}"
    # On a cluster the rows are behind a door of that name.
    filters = ", ".join(f"'{table}': '{received}'" for table in ("otel_traces", "otel_traces_local"))
    again = f"SETTINGS {_AGAIN}, additional_table_filters = {{{filters}}}"
    # The same SELECTs that the materialised views run on every insert, over a range of what was inserted.
    for table, view in _READ.items():
        select = schema.sql(f"tables/{view}").partition("\nCREATE ")[2].partition("AS\n")[2]
        store.run(f"INSERT INTO {table}\n{select}\n{again}")
