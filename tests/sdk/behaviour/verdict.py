"""What the spans of a played scenario say, and whether every one of them ended once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from shapes.record import said

from behaviour.play import Record


class Ends(SpanProcessor):
    """Counts how often each span began and ended."""

    def __init__(self) -> None:
        self.begun: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.begun[span.context.span_id] += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.ended[span.context.span_id] += 1

    @property
    def are_even(self) -> bool:
        """Whether every span that began has ended, once."""
        return self.begun == self.ended and set(self.ended.values()) <= {1}


SIDES = {"input": "input", "output": "output", "reasoning": "output_reasoning"}
"""How the buckets begin that an estimate has filled."""


def reported(spans: Iterable[ReadableSpan]) -> list[Record]:
    """What `bearing` says, without the tokens that nobody reported: those are an estimate, and marked as one."""
    return [_without_estimates(span, record) for span in _costly(spans) for record in bearing([span])]


def _costly(spans: Iterable[ReadableSpan]) -> list[ReadableSpan]:
    return [span for span in spans if bearing([span])]


def _without_estimates(span: ReadableSpan, record: Record) -> Record:
    guessed = cast("tuple[str, ...]", (span.attributes or {}).get("tokentrace.estimate.counts", ()))
    if not guessed:
        return record
    begins = tuple(SIDES[side] for side in guessed)
    tokens = {bucket: count for bucket, count in record["tokens"].items() if not bucket.startswith(begins)}
    # What has no standard total, for it is an estimate, is no less than what was counted.
    rest = {key: value for key, value in record.items() if not key.endswith("_total")}
    return rest | {"tokens": tokens, "source": "missing" if record["source"] == "estimated" else record["source"]}


def bearing(spans: Iterable[ReadableSpan]) -> list[Record]:
    """What those spans say that bear cost: all but those around other calls."""
    told = (said(span) for span in spans)
    return [_record(each) for each in told if each["scope"] != "aggregate"]


def _record(told: dict[str, Any]) -> Record:
    wrong = {key: value for key, value in told.items() if key.endswith("_total")}
    return {
        "tokens": told["tokens"],
        "attempts": told["attempts"],
        "source": told["source"],
        "end": told.get("end"),
        "failed": "error" in told,
        "scope": told["scope"],
        "meters": told.get("meters"),
    } | wrong


def counted(records: Iterable[Record]) -> list[Record]:
    """The records that are paid for; what is read again is not paid again."""
    records = list(records)
    fresh = [each for each in records if each["scope"] == "call" and each["tokens"]]
    again = [each for each in records if each["scope"] == "retrieve" and each["tokens"]]
    # A response whose create did not know is counted where it is first read.
    return fresh or again[:1]


def billed(records: Iterable[Record]) -> int:
    """All tokens that are paid for."""
    return sum(sum(each["tokens"].values()) for each in counted(records))


def unordered(records: Iterable[Record], expected: Iterable[Record]) -> bool:
    """Whether the records are those that are expected, in whatever order they came."""
    left = list(records)
    for each in expected:
        match = next((found for found in left if found == each), None)
        if match is None:
            return False
        left.remove(match)
    return not left
