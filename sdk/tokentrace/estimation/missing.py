"""What nobody has reported of a call, and all that it takes to estimate it later, in the delivery thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace.metrics import Metrics
from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import Piece, held
from tokentrace.usage.reading import Format, Reading

LIMIT = 4 * 1024 * 1024
"""Bytes of one answer that are kept for counting; the rest is taken to be like them."""

MEASURED = 63
"""The parts are measured whenever none of these bits is set in their number."""

_REASONING = "output_reasoning"

CANCELLED = "cancelled"
"""How a response ended that somebody stopped at its provider."""

_OBJECT = 1024
"""What a part counts for that is no bytes, but an object of a library."""


class Kept:
    """References to the parts of an answer, as long as nobody has reported what they took."""

    __slots__ = ("_measured", "left_out", "parts", "size")

    def __init__(self) -> None:
        self.parts: list[Any] = []
        """A part is appended to these, and every so often they are measured: that is all that a chunk costs."""
        self.size = 0
        self.left_out = 0
        self._measured = 0

    def measure(self) -> None:
        """Let go of what has come last, where there is more than may be kept."""
        new = self.parts[self._measured :]
        size = sum(len(part) if isinstance(part, bytes) else _OBJECT for part in new)
        if self.size + size > LIMIT:
            del self.parts[self._measured :]
            self.left_out += size
            return
        self.size += size
        self._measured = len(self.parts)


class Wanted(NamedTuple):
    """Which counts nobody has reported."""

    input: bool
    output: bool
    reasoning: bool
    delivered: bool
    """How much of an answer had come, which did not come to its end."""


def wanted(
    usage: Usage, seen: Reading, model: str, fmt: Format, *, has_prompt: bool, was_left: bool = False
) -> Wanted | None:
    """What is to be estimated; None where all was reported that there can be."""
    flags = usage.flags
    if flags.get("billable") is False or usage.sub:
        return None
    output, is_partial = usage.output, flags.get("usage_source") == "partial_stream"
    thought = usage.buckets.get(_REASONING)
    # Some servers show the reasoning and report it as zero.
    untold = not thought and (_REASONING not in usage.zeros or seen.visibility == "readable")
    reasoning = untold and bool(output) and not is_partial and flags.get("reasoning_source") != "derived"
    if was_left:
        # What was billed and is not shown may be the rest of the answer.
        reasoning = False
    elif reasoning and seen.visibility is None:
        # Most answers say how much they reasoned.
        from tokentrace.estimation.reasoners import reasons  # noqa: PLC0415

        reasoning = reasons(model)
    asked = has_prompt and not usage.meters and usage.input is None
    said = fmt.say is not None and (output is None or is_partial)
    left = was_left and fmt.say is not None
    return Wanted(asked, said, reasoning, left) if asked or said or reasoning or left else None


def delivered(seen: Reading, fmt: Format) -> Wanted | None:
    """What is to be counted of a response that is read again: how much it shows, where it was cancelled."""
    return _DELIVERED if fmt.say is not None and seen.finish.get(0) == CANCELLED else None


_DELIVERED = Wanted(input=False, output=False, reasoning=False, delivered=True)


class Answer(NamedTuple):
    """What was kept of an answer, and how it is read."""

    format: Format
    kept: Kept
    framing: Mapping[str, str] | None
    """The headers of a body that came in pieces; None where each part is whole."""
    is_ours: bool
    """Whether the parts are in the format as they come from the wire."""


class Asked(NamedTuple):
    """What is known of a call beside its answer."""

    provider: str
    model: str
    facts: Mapping[str, Any]
    prompt: Sequence[Piece]
    owed: str | None
    """Whether its attempts are billed, where that is not certain."""
    unsettled: Sequence[int]
    """Numbers of the attempts that may have been billed beside what the call is counted for."""


class Missing:
    """What one call lacks."""

    __slots__ = ("answer", "call", "metrics", "prompt", "seen", "wanted")

    def __init__(self, wanted: Wanted, seen: Reading, answer: Answer, call: Asked, metrics: Metrics) -> None:
        self.wanted = wanted
        self.seen = seen
        self.answer = answer
        self.call = call
        self.prompt = call.prompt if wanted.input else ()
        self.metrics = metrics

    @property
    def size(self) -> int:
        """Bytes that wait to be counted."""
        self.answer.kept.measure()
        return self.answer.kept.size + sum(held(content) for _, content in self.prompt)

    def drop(self) -> None:
        """Let go of all texts: there are more than may wait."""
        self.answer, self.prompt = self.answer._replace(kept=Kept()), ()
        # Of a text that is gone nobody knows any more how much there was.
        self.wanted = self.wanted._replace(delivered=False)

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """A copy of the span that says what was not reported; the span itself where nothing can be said."""
        # What counts is loaded where there is something to count, in the thread that counts.
        from tokentrace.estimation import estimates  # noqa: PLC0415

        return estimates.completed(span, self)
