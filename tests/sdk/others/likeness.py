"""What others tell of a call, held against what ours tells, as both stand in the collector's table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from others.running import Row

COUNTS: Mapping[str, str] = {
    "input": "input_",
    "cache read": "cache_read",
    "cache write": "cache_write",
    "output": "output_",
    "reasoning": "output_reasoning",
}
"""Counts that are compared, and the buckets that each is the sum of."""

EVERYTHING = "everything"
UNTOLD, OTHERWISE = "untold", "otherwise"


def differences(rows: Sequence[Row], doors: Collection[str]) -> set[tuple[str, str, str]]:
    """Door of a client, field, and whether it is not told or told otherwise than by ours.

    A door of which somebody else tells no counts at all differs in `everything`.
    """
    traces = _traces(rows)
    silent = set(doors) - {_door(trace) for trace in traces if _theirs(trace)}
    return {found for trace in traces for found in _of_trace(trace)} | {(door, EVERYTHING, UNTOLD) for door in silent}


def _traces(rows: Sequence[Row]) -> list[list[Row]]:
    traces: dict[str, list[Row]] = {}
    for row in rows:
        traces.setdefault(row["trace_id"], []).append(row)
    return list(traces.values())


def _door(trace: Sequence[Row]) -> str:
    return next(str(row["name"]).split(",")[0] for row in trace if row["library"] == "application")


def _theirs(trace: Sequence[Row]) -> list[Row]:
    return [row for row in trace if row["dialect"] == "gen_ai" and row["tokens"]]


def _of_trace(trace: Sequence[Row]) -> Iterator[tuple[str, str, str]]:
    ours = [row for row in trace if row["dialect"] == "tokentrace" and row["scope"] == "call"]
    for theirs in _theirs(trace):
        # Calls of one trace answer alike, save for the id of the response.
        own = next((row for row in ours if row["response_id"] == theirs["response_id"]), ours[0])
        expected, told = _fields(own), _fields(theirs)
        for field, value in expected.items():
            if told[field] != value:
                yield _door(trace), field, OTHERWISE if told[field] else UNTOLD


def _fields(row: Row) -> dict[str, Any]:
    counts = {name: sum(n for bucket, n in row["tokens"].items() if _is_of(bucket, name)) for name in COUNTS}
    return {"provider": row["provider"], "model": row["model"], "response id": row["response_id"], **counts}


def _is_of(bucket: str, name: str) -> bool:
    if name == "input":
        return bucket.startswith(("input_", "cache_", "tool_use_prompt"))
    return bucket.startswith(COUNTS[name])
