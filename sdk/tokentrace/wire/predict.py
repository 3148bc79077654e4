"""Vertex AI predictions: text embeddings and Imagen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.reading import Format, Reading, dig, items, mapping, number
from tokentrace.usage import Usage
from tokentrace.wire import gemini
from tokentrace.wire.rules import Tally, fault


def read(part: Any, seen: Reading) -> None:
    """The predictions: each embedding counts its own input."""
    part = mapping(part)
    seen.error = fault(part) or seen.error
    predictions = items(part.get("predictions"))
    counted = [number(dig(one, "embeddings", "statistics", "token_count")) for one in predictions]
    usage = {
        "tokens": sum(count for count in counted if count is not None) if any(counted) else None,
        "characters": number(dig(part, "metadata", "billableCharacterCount")),
        "images": sum(1 for one in predictions if dig(one, "bytesBase64Encoded") or dig(one, "gcsUri")),
    }
    seen.usage = {name: count for name, count in usage.items() if count is not None}
    seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Embedded tokens and characters, and images made."""
    counts = Tally()
    if (tokens := number(seen.usage.get("tokens"))) is not None:
        counts.place_input(tokens)
    counts.meter("characters", number(seen.usage.get("characters")))
    counts.meter("images", number(seen.usage.get("images")))
    return counts.settle(seen, context)


FORMAT = Format("predict", read, count, gemini.FORMAT.marks)
