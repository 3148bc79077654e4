"""What a framework waits for: a person who lets it go on."""

from __future__ import annotations

import time

from opentelemetry.trace import SpanKind

from tokentrace import attributes as name, context

_MOST = 10_000
_asked: dict[str, float] = {}
"""When a person was asked, by what goes on with the answer; the oldest are given up first."""


def ask(subject: str) -> None:
    """From now on, a person is waited for."""
    if context.tracing is None:
        return
    _asked[subject] = time.monotonic()
    # Copied, for another thread may ask at the same time.
    for oldest in tuple(_asked)[:-_MOST]:
        _asked.pop(oldest, None)


def answer(subject: str, decision: str | None = None) -> None:
    """The person has answered: tell the wait, where this process has seen it begin. The attention is unknown."""
    asked = _asked.pop(subject, None)
    if asked is None or (tracing := context.tracing) is None:
        return
    told: dict[str, str | float] = {name.REVIEW_KIND: "approval", name.REVIEW_WAIT: time.monotonic() - asked}
    if decision is not None:
        told[name.REVIEW_DECISION] = decision
    tracing.start("review approval", SpanKind.INTERNAL, told).span.end()
