"""How reported counts become disjoint buckets, and what the facts around them say about their source and bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Reading, number
from tokentrace.wire.rules import reported_cost

MEDIA = ("image", "audio", "video")
"""Kinds of input beside text, in the order in which a cache is assumed to hold them after the text."""


class Tally:
    """Reported counts while they are sorted into buckets; zeros included."""

    __slots__ = ("buckets", "flags", "input", "meters", "output", "reasoning", "sub")

    def __init__(self) -> None:
        self.buckets: dict[str, int] = {}
        self.meters: dict[str, float] = {}
        self.flags: dict[str, Any] = {}
        self.sub: list[Mapping[str, Any]] = []
        self.input: int | None = None
        """All input that was reported."""
        self.output: int | None = None
        """All output that was reported."""
        self.reasoning: int | None = None
        """The part of the output that was reported as reasoning."""

    def add(self, bucket: str, count: int) -> None:
        """Adds to one bucket."""
        self.buckets[bucket] = self.buckets.get(bucket, 0) + count

    def split(self, whole: int, parts: Iterable[tuple[str, int | None]], rest: str) -> None:
        """Sorts `whole` into the buckets of its parts, and the remainder into `rest`."""
        buckets = self.buckets
        for bucket, part in parts:
            if part is None:
                continue
            count = part
            # The whole is what the provider bills: a part that claims more is cut.
            if part > whole:
                self.flags["inconsistent"] = True
                count = whole
            buckets[bucket] = buckets.get(bucket, 0) + count
            whole -= count
        buckets[rest] = buckets.get(rest, 0) + whole

    def place_input(
        self,
        total: int,
        cached: int | Mapping[str, int] | None = None,
        written: Mapping[str, int] = NOTHING,
        media: Mapping[str, int] = NOTHING,
    ) -> None:
        """Sorts an input that counts its cached, written and other than textual tokens in."""
        self.input = (self.input or 0) + total
        # An integer answers at once that it is none; to say what is a `Mapping` takes much longer.
        if not media and (cached is None or isinstance(cached, int)):
            self.split(total, (("cache_read", cached), *written.items()), "input_text")
            return
        rest = {"text": max(0, total - sum(media.values())), **media}
        taken = dict(cached) if isinstance(cached, Mapping) else drawn(cached or 0, rest)
        rest = {kind: max(0, count - taken.get(kind, 0)) for kind, count in rest.items()}
        stored = drawn(sum(written.values()), rest)
        reads = [
            ("cache_read", taken.pop("text", 0)),
            *((f"cache_read_{kind}", count) for kind, count in taken.items()),
        ]
        fresh = [(f"input_{kind}", rest[kind] - stored.get(kind, 0)) for kind in media]
        self.split(total, (*(reads if cached is not None else ()), *written.items(), *fresh), "input_text")

    def place_output(
        self,
        total: int,
        parts: Iterable[tuple[str, int | None]] = (),
        rest: str = "output_text",
        *,
        reasoning: int | None = None,
    ) -> None:
        """Sorts an output that counts its reasoning in."""
        self.output = (self.output or 0) + total
        self.reasoning = reasoning
        self.split(total, (("output_reasoning", reasoning), *parts), rest)

    def meter(self, name: str, count: float | None) -> None:
        """Adds to one meter."""
        if count:
            self.meters[name] = self.meters.get(name, 0) + count

    def part(self, kind: str, model: str | None = None) -> Mapping[str, Any]:
        """These counts as a separately priced part of an answer."""
        named = {"kind": kind, "model": model} if model else {"kind": kind}
        counted = {**named, "buckets": {name: count for name, count in self.buckets.items() if count}}
        return {**counted, "meters": dict(self.meters)} if self.meters else counted

    def settle(self, seen: Reading, context: Mapping[str, Any]) -> Usage:
        """The usage, with what the facts around it say about its source and its bill."""
        facts = {**seen.facts, **context} if context and seen.facts else seen.facts or context
        if self.input is None and self.output is None and not self.meters and not self.sub:
            return _unreported(seen, facts)
        is_counted = bool(facts) and _fill(self, facts)
        if not seen.complete:
            _bound(self, number(facts.get("visible_output_tokens")), number(facts.get("thinking_text_tokens")))
        elif facts and not is_counted:
            _reason(self, seen, facts)
        if facts.get("prompt_blocked"):
            self.flags["billable"] = "unknown"
        if self.input is None and self.output is not None:
            self.flags["input_missing"] = True
        if ("cost" in seen.usage or "cost_in_usd_ticks" in seen.usage) and (
            cost := reported_cost(seen.usage)
        ) is not None:
            self.flags["reported_cost_usd"] = cost
        buckets = self.buckets
        zeros = [name for name, count in buckets.items() if not count]
        for name in zeros:
            del buckets[name]
        return Usage(buckets, self.meters, self.flags, tuple(self.sub), frozenset(zeros))


def drawn(amount: int, pools: Mapping[str, int]) -> dict[str, int]:
    """What each pool gives towards `amount`, in their order; the first also owes what none can give."""
    given: dict[str, int] = {}
    for name, size in pools.items():
        given[name] = min(amount, size)
        amount -= given[name]
    if amount:
        given[next(iter(given))] += amount
    return {name: count for name, count in given.items() if count}


def _unreported(seen: Reading, facts: Mapping[str, Any]) -> Usage:
    if (number(facts.get("http_status")) or 0) >= HTTPStatus.BAD_REQUEST:
        return Usage(flags={"usage_source": "missing", "billable": False})
    thought = number(facts.get("thinking_text_tokens"))
    counted = {
        "input_text": number(facts.get("counted_input_tokens")),
        "output_text": number(facts.get("visible_output_tokens")),
        "output_reasoning": thought,
    }
    buckets = {name: count for name, count in counted.items() if count}
    if not buckets:
        return Usage(flags={"usage_source": "missing", "billable": "unknown"})
    flags: dict[str, Any] = {"usage_source": "estimated", "reasoning_source": "estimated" if thought else "unknown"}
    if not seen.complete:
        flags["output_lower_bound"] = True
    return Usage(buckets=buckets, flags=flags)


def _fill(tally: Tally, facts: Mapping[str, Any]) -> bool:
    """One side was reported: of the other is known what was counted here. Whether that is the output."""
    if tally.input is None and (asked := number(facts.get("counted_input_tokens"))):
        tally.flags["usage_source"] = "estimated"
        tally.place_input(asked)
    if tally.output is not None or not (visible := number(facts.get("visible_output_tokens"))):
        return False
    tally.flags["usage_source"] = "estimated"
    thought = number(facts.get("thinking_text_tokens"))
    tally.place_output(visible + (thought or 0), reasoning=thought)
    tally.flags["reasoning_source"] = "estimated" if thought else "unknown"
    return True


def _bound(tally: Tally, visible: int | None, thought: int | None) -> None:
    """The answer broke off: what was reported or counted of the output is the least it can be."""
    tally.flags["usage_source"] = "partial_stream"
    tally.flags["output_lower_bound"] = True
    missing = (visible or 0) + (thought or 0) - (tally.output or 0)
    if missing <= 0:
        return
    thinking = min(thought or 0, missing)
    if thinking and not tally.reasoning:
        tally.add("output_reasoning", thinking)
        tally.flags["reasoning_source"] = "estimated"
        missing -= thinking
    tally.add("output_text", missing)
    tally.output = (tally.output or 0) + missing + thinking


def _reason(tally: Tally, seen: Reading, facts: Mapping[str, Any]) -> None:
    """The answer reasoned: where the provider does not say how much, what is not visible was reasoning."""
    if not (facts.get("has_thinking_block") or facts.get("has_reasoning_content") or facts.get("thinking_text_tokens")):
        return
    # Some servers show the reasoning and report it as zero.
    if tally.output is None or tally.reasoning or (tally.reasoning == 0 and seen.visibility != "readable"):
        return
    billed = tally.buckets.get("output_text", 0)
    visible = number(facts.get("visible_output_tokens"))
    if visible is None:
        tally.flags["reasoning_source"] = "unknown"
        return
    thought = number(facts.get("thinking_text_tokens"))
    # Both texts counted by one tokenizer: the provider's total is shared out, so that the tokenizer cancels.
    shown = min(visible, billed) if not thought else round(billed * visible / (visible + thought))
    tally.flags["reasoning_source"] = "estimated"
    tally.buckets["output_text"] = shown
    tally.add("output_reasoning", billed - shown)
