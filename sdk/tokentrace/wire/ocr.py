"""Mistral's OCR, which is billed by the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, mapping, number, overlaid, text
from tokentrace.wire import chat
from tokentrace.wire.rules import fault
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """A document."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.error = fault(part) or seen.error
    seen.usage = overlaid(seen.usage, mapping(part.get("usage_info")))
    seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The pages that were read."""
    counts = Tally()
    counts.meter("pages", number(seen.usage.get("pages_processed")))
    return counts.settle(seen, context)


FORMAT = Format("ocr", read, count, chat.FORMAT.marks)
