"""Requests: what one cost, its spans, and how far that is known."""

from __future__ import annotations

from typing import TypedDict

COMPONENTS = ("visible", "hidden_reasoning", "orchestration", "errors", "human_review", "infrastructure")
"""The components of cost in the order they are shown."""


class Coverage(TypedDict):
    """How much of one thing is known."""

    known: int
    of: int


class Ratios(TypedDict):
    """How sums of components compare; a ratio is None where its divisor is nothing."""

    token_multiplier: float | None
    """All that was spent on tokens and tools, failures included, by what visible tokens cost."""
    tco_multiplier: float | None
    """The total by what visible tokens cost."""
    retry_multiplier: float | None
    """All that was spent on tokens and tools by the part of it that was delivered: what failures make of a success."""
    hidden_reasoning_share: float | None
    """Of hidden reasoning and visible tokens."""
    orchestration_share: float | None
    """Of all that was delivered."""
    error_share: float | None
    """Of all that was spent on tokens and tools."""


class Ratio(TypedDict):
    """Calls that a sampler kept: each stands for numerator / denominator."""

    numerator: str
    """As text: it may be larger than what other readers of JSON take for a whole number. So may the next."""
    denominator: str
    calls: int


class Request(TypedDict):
    """What one request cost: a row of `tcoai_by_trace`."""

    trace_id: str
    root: str
    service: str
    started_at: str
    """ISO 8601, UTC."""
    seconds: float
    attribution: dict[str, str]
    """Team, feature, customer and so on, as far as the request names them."""
    currency: str
    total: str
    components: dict[str, str]
    ratios: Ratios
    direct: str
    allocated: str
    measured: str
    estimated: str
    coverage: float
    """The smallest of the known shares; below 1 the total is a lower bound."""
    covered: dict[str, Coverage]
    calls: int
    sampled: list[Ratio]
    """Those of the calls that stand for more than themselves. What is there of a request is all of its total."""
    attempts: int
    failed_attempts: int
    unknown_attempts: int
    """Those without an answer, beside the one that the counts of their call are of: they may have been billed."""
    tokens: dict[str, int]
    """By disjoint bucket."""
    meters: dict[str, str]


class Attempt(TypedDict):
    """One HTTP request of a call."""

    number: int
    status: int | None
    error: str | None


class Span(TypedDict):
    """One span of a request, with what it cost by itself."""

    span_id: str
    parent_id: str
    name: str
    kind: str
    """call, review, step, or span for everything else."""
    role: str | None
    provider: str | None
    model: str | None
    offset: float
    """Seconds after the start of the request."""
    seconds: float
    error: str | None
    stream_end: str | None
    usage_source: str | None
    estimated_counts: list[str]
    """What of its tokens nobody reported: input, output, reasoning."""
    tokens: dict[str, int]
    cancelled: int
    """Those of them that were billed after the reader of the answer had left: an estimate, as what had come is one."""
    cost: str | None
    """None where nothing is known to be charged: a span without price lines, or none of whose lines has a price."""
    estimated: str
    """The part of the cost that rests on an estimate."""
    components: dict[str, str]
    """Those that are not zero."""
    borne_by: str | None
    """Why a call with usage costs nothing here: aggregate, retrieved, same_response, inner_call, parts."""
    attempts: list[Attempt]
    review_seconds: float | None
    reviewer_role: str | None


class ReviewShare(TypedDict):
    """What one request bears of a review that was of several, or of its session."""

    session: str | None
    """The session, where that was reviewed."""
    kind: str
    seconds: int
    cost: str | None
    """None where nobody knows the time, or the rate."""


class PerCall(TypedDict):
    """What a tool would show that adds up successful responses and stops there."""

    calls: int
    total: str


class RequestReport(Request):
    """One request with its spans."""

    spans: list[Span]
    review_shares: list[ReviewShare]
    per_call: PerCall
    spans_left_out: int
    """Spans beyond the most that a report carries."""
    told_by_others: int
    """Calls that other instrumentations tell of: no attempts, and reasoning they do not count is in visible."""
