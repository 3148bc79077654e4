"""OpenAI images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, items, mapping, overlaid, text
from tokentrace.wire import inclusive
from tokentrace.wire.prompts import plain
from tokentrace.wire.rules import fault


def read(part: Any, seen: Reading) -> None:
    """The images, or one event of their stream: the last one counts."""
    part = mapping(part)
    seen.model = text(part.get("model")) or seen.model
    seen.error = fault(part) or seen.error
    seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    if svg := mapping(part.get("svg_usage")):
        seen.facts["svg_usage"] = svg
    if made := items(part.get("data")) or items(part.get("images")):
        seen.facts["images"] = len(made)
    # An event of a stream names its type; the whole answer does not.
    kind = text(part.get("type"))
    if kind is None or kind.endswith(".completed"):
        seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """Tokens where the model is priced by them, images where it is not."""
    counts = inclusive.tally(seen.usage, output="output_image")
    if counts.output is None:
        counts.meter("images", seen.facts.get("images"))
    if svg := mapping(seen.facts.get("svg_usage")):
        counts.sub.append(inclusive.tally(svg).part("svg", text(svg.get("model"))))
    return counts.settle(seen, context)


FORMAT = Format("images", read, count, re.compile(rb'"(?:usage"\s*:\s*\{|error"\s*:\s*[^\sn])'), compose=plain.compose)
