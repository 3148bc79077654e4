"""What the spans of a run say, drawn as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from frameworks.turn import Tokens

SCOPE, ROLE, ERROR = "tokentrace.usage.scope", "tokentrace.role", "error.type"


def drawn(spans: Iterable[ReadableSpan]) -> str:
    """One line per span, those that it caused below it, in the order they began.

    `kind name`, then its role and its error where it has one; for a call its tokens, input → output (reasoning), or
    `aggregate` where others bear them.
    """
    found = sorted(spans, key=lambda span: span.start_time or 0)
    known = {span.context.span_id for span in found if span.context}
    below: dict[int | None, list[ReadableSpan]] = {}
    for span in found:
        parent = span.parent.span_id if span.parent and span.parent.span_id in known else None
        below.setdefault(parent, []).append(span)
    lines: list[str] = []

    def draw(span: ReadableSpan, depth: int) -> None:
        lines.append("  " * depth + _line(span))
        for each in below.get(span.context.span_id if span.context else None, ()):
            draw(each, depth + 1)

    for root in below.get(None, ()):
        draw(root, 0)
    return "\n".join(lines)


def counted(spans: Iterable[ReadableSpan]) -> list[Tokens]:
    """What each call says that bears its cost, in the order they began."""
    calls = [span for span in spans if (span.attributes or {}).get(SCOPE) == "call"]
    answered = [_tokens(span.attributes or {}) for span in sorted(calls, key=lambda span: span.start_time or 0)]
    return [tokens for tokens in answered if any(tokens)]


def _line(span: ReadableSpan) -> str:
    said = span.attributes or {}
    words = [span.name]
    if said.get(SCOPE) == "call" and any(tokens := _tokens(said)):
        words.append(f"{tokens.input} → {tokens.output}" + f" ({tokens.reasoning})" * bool(tokens.reasoning))
    elif SCOPE in said and said[SCOPE] != "call":
        words.append(str(said[SCOPE]))
    if ROLE in said:
        words.append(f"[{said[ROLE]}]")
    if ERROR in said:
        words.append(f"✗ {said[ERROR]}")
    return "  ".join(words)


def _tokens(said: Mapping[str, Any]) -> Tokens:
    used = {name.removeprefix("tokentrace.usage."): value for name, value in said.items() if isinstance(value, int)}
    cached = used.get("cache_read", 0)
    thought = used.get("output_reasoning", 0)
    written = sum(used.get(bucket, 0) for bucket in ("output_text", "output_tool_calls"))
    stored = sum(count for bucket, count in used.items() if bucket.startswith("cache_write"))
    return Tokens(used.get("input_text", 0) + cached + stored, written + thought, thought, cached)


def waits(spans: Iterable[ReadableSpan]) -> list[str | None]:
    """What was decided at each wait for a person, which took some time, and of whose attention nobody knows."""
    told = [span.attributes or {} for span in spans if span.name == "review approval"]
    assert all(each["tokentrace.review.wait_time"] > 0 and "tokentrace.review.active_time" not in each for each in told)
    return [each.get("tokentrace.review.decision") for each in told]
