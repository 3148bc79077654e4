"""Vertex AI predictions and Gemini embeddings: text that becomes vectors, or images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, ask, dig, items, number
from tokentrace.wire import gemini
from tokentrace.wire.prompts import gemini as prompts

_IMAGE = ("bytesBase64Encoded", "imageBytes", "gcsUri")
"""Where an image is: in JSON, in google-genai's objects, in a bucket."""


def read(part: Any, seen: Reading) -> None:
    """The answer to one request, which never comes as a stream. Takes JSON and google-genai's objects."""
    gemini.read(part, seen)
    seen.complete = True
    predictions = items(dig(part, "predictions"))
    embedded = [ask(one, "embeddings") for one in predictions] or items(dig(part, "embeddings"))
    counted = [number(ask(dig(one, "statistics"), "tokenCount")) for one in embedded]
    tokens = [count for count in counted if count is not None]
    if tokens and not seen.usage:
        seen.usage = {"promptTokenCount": sum(tokens)}
    if (characters := number(ask(dig(part, "metadata"), "billableCharacterCount"))) is not None:
        seen.facts["characters"] = characters
    # An image that the provider has filtered out is listed without itself.
    drawn = predictions or [dig(one, "image") for one in items(ask(part, "generatedImages"))]
    if made := [one for one in drawn if any(ask(one, place) for place in _IMAGE)]:
        seen.facts["images"] = len(made)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Embedded tokens and characters, and the images that were made."""
    counts = gemini.tally(seen, context)
    counts.meter("characters", seen.facts.get("characters"))
    counts.meter("images", seen.facts.get("images"))
    return counts.settle(seen, context)


FORMAT = Format("predict", read, count, gemini.FORMAT.marks, compose=prompts.embedded)
