"""What a framework waits for: a person who lets it go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from tokentrace import attributes as name, context

_MOST = 10_000


@dataclass(slots=True)
class _Wait:
    since: float
    decision: str | None = None


_waits: dict[str, _Wait] = {}
"""Who was asked, by what goes on with the answer; the oldest are given up first."""


def ask(*subjects: str) -> None:
    """From now on, a person is waited for, who answers all of these; whoever waits already does so since then."""
    if context.tracing is None:
        return
    now = time.monotonic()
    for subject in subjects:
        _waits.setdefault(subject, _Wait(now))
    if len(_waits) > _MOST:
        # Copied, for another thread may ask at the same time.
        for oldest in tuple(_waits)[:-_MOST]:
            _waits.pop(oldest, None)


def ask_anew(subject: str) -> None:
    """From now on, a person is waited for; whoever was asked before has never answered."""
    _waits.pop(subject, None)
    ask(subject)


def decide(subject: str, decision: str) -> None:
    """What the person has decided, before anything goes on with it."""
    if (wait := _waits.get(subject)) is not None:
        wait.decision = decision


def answer(decisions: Mapping[str, str | None]) -> None:
    """The person has answered: tell the wait, where this process has seen it begin. The attention is unknown.

    What was decided, then or before, is told where it is the same of all.
    """
    found = [(_waits.pop(subject, None), decision) for subject, decision in decisions.items()]
    waits = [(wait, decision or wait.decision) for wait, decision in found if wait is not None]
    if not waits or (tracing := context.tracing) is None:
        return
    waited = time.monotonic() - min(wait.since for wait, _ in waits)
    told: dict[str, str | float] = {name.REVIEW_KIND: "approval", name.REVIEW_WAIT: waited}
    decided = {decision for _, decision in waits}
    if len(decided) == 1 and (decision := decided.pop()) is not None:
        told[name.REVIEW_DECISION] = decision
    tracing.start("review approval", SpanKind.INTERNAL, told).span.end()
