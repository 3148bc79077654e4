"""What the collector has done since it started, counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

MEANINGS: Mapping[str, str] = {
    "requests": "Requests of traces or logs answered with success.",
    "requests_malformed": "Requests that could not be decoded at all.",
    "requests_denied": "Requests and questions of those whom no credential lets do it.",
    "requests_refused": "Requests sent away because the journal, its disk or our memory was full.",
    "requests_limited": "Requests sent away because their credential sends more than it may.",
    "spans_accepted": "Spans written to the journal.",
    "spans_rejected": "Spans that cannot be stored, kept as dead letters.",
    "spans_stored": "Spans inserted into the database.",
    "spans_undeliverable": "Accepted spans that the database refused for good, kept as dead letters.",
    "batches_stored": "Inserts into the database.",
    "batches_read_by_python": "Inserts that the engine could not read as raw OTLP.",
    "store_failures": "Tries to open or fill the database that failed and were repeated.",
    "metrics_not_stored": "Metric data points received and dropped, because they name no request.",
    "logs_accepted": "Log records that say what spans do not, written to the journal as spans.",
    "logs_not_stored": "Log records received and dropped, because they say nothing that is accounted.",
    "rollups": "Runs of the rollup.",
    "calls_unpriced": "Calls rated without a price for something they used; again whenever they are recomputed.",
    "spans_unread": "Spans that count tokens in a dialect that nobody knows; again whenever they are recomputed.",
    "calls_late": "Calls and reviews that came when their request had expired, and were added to its cost.",
    "calls_undecided": "Calls that came so late and bear no cost: another may tell of the same.",
    "deletions": "Deletions of a trace, a user or a tenant that were done.",
    "rows_deleted": "Rows of the database that they took out.",
    "rollup_failures": "Runs of the rollup that failed.",
}
"""Every count there is, and what it counts."""


class Counters:
    """Counts by name; any thread may add."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter(dict.fromkeys(MEANINGS, 0))
        self._lock = threading.Lock()

    def add(self, **counts: int) -> None:
        """Count more."""
        with self._lock:
            self._counts.update(counts)

    def snapshot(self) -> dict[str, int]:
        """All counts now."""
        with self._lock:
            return dict(self._counts)
