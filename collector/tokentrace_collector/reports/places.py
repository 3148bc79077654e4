"""Which span each span of a request is below, for a report: as `schemas/rollup/bridges.sql` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def placed(rows: Sequence[Row]) -> list[Row]:
    """The spans, below one of ours where their parent is not there, and a span inside names ours as around it."""
    spans = {row["span_id"]: row for row in rows}
    bridges: dict[str, str] = {}
    for row in rows:
        own = row["own_parent_id"]
        if own in spans and (top := _top(row["span_id"], own, spans)) is not None:
            bridges[top] = min(own, bridges.get(top, own))
    return [{**row, "parent_span_id": bridges.get(row["span_id"], row["parent_span_id"])} for row in rows]


def _top(span_id: str, own: str, spans: Mapping[str, Row]) -> str | None:
    """The first span upwards whose parent is missing; None where there is none below `own`."""
    seen: set[str] = set()
    while span_id not in seen and span_id != own:
        seen.add(span_id)
        above = spans[span_id]["parent_span_id"]
        if above not in spans:
            return span_id if above else None
        span_id = above
    return None
