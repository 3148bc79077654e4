"""The JSON documents that the query API serves and the command line reads; money is a decimal string."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from tokentrace_collector.prices.difference import PriceChange

Task = Literal["run", "rebuild", "verify"]
"""What a rollup does: recompute what has changed, or everything; or hold everything against what there was."""

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


class PerCall(TypedDict):
    """What a tool would show that adds up successful responses and stops there."""

    calls: int
    total: str


class RequestReport(Request):
    """One request with its spans."""

    spans: list[Span]
    per_call: PerCall
    spans_left_out: int
    told_by_others: int
    """Calls that other instrumentations tell of: no attempts, and reasoning they do not count is in visible."""
    """Spans beyond the most that a report carries."""


class Share(TypedDict):
    """What one group cost in one period: a sum over lines of cost."""

    period: str | None
    """An hour with its offset, a day, a week like 2026-W48, a month; None for all time."""
    group: dict[str, str] | None
    """By dimension, empty where nothing was named; None for all the groups that are not listed by themselves."""
    currency: str
    total: str
    components: dict[str, str]
    estimated: str
    """The part that rests on an estimate."""
    allocated: str
    """The part that is a share of capacity."""
    corrections: str
    """The part that corrects closed months."""
    tokens: str
    lines: Coverage
    """Lines that have a price, of all and of calls of unknown usage; short of all, the total is a lower bound."""
    ratios: Ratios


class Utilisation(TypedDict):
    """How far one commitment was used in one period, or in several together."""

    commitment: str
    kind: str
    since: str
    until: str
    settled: bool
    """All of it is over: what is unused is lost, and in the books."""
    fee: str
    promised: str
    """Weighted units of capacity, or money of spending; so for the next two."""
    covered: str
    beyond: str
    used: str
    unused: str
    at_risk: str
    """What would be unused if nothing more came; in no total."""
    overflow: str
    covered_cost: str
    """What it covered, at the prices that hold without it."""
    utilisation: float | None
    break_even: float | None
    """The utilisation from which on it costs less than no commitment, by what it covered; None where nothing tells."""
    rate_full: str | None
    """What a unit comes to where all of it is used: a weighted unit, or of spending a unit of money at other prices."""
    rate_effective: str | None
    """What a unit of what it covered came to, with what stood idle or is at risk."""
    saving: str
    """What it covered, at the prices that hold without it, less what it costs; negative where it costs more."""
    unpriced: int
    """Calls it covers of which no other price is known: where there are any, costs without it are lower bounds."""


class Drawn(TypedDict):
    """What a pool drew: energy, or what that stands for."""

    total: str
    used: str
    """In the part of the time, or of the capacity, that served calls."""
    idle: str
    basis: Literal["stated_power"]
    """Nobody measured it: it is the power that the price book states, by the hour, at work or not."""
    hours: Coverage
    """Those of which it is known, of all; short of all, the figures are lower bounds."""


class Capacity(TypedDict):
    """What one pool of capacity cost in one period, and how far it was used."""

    pool: str
    since: str
    """Where the period begins: an hour, a day or a month (UTC)."""
    until: str
    """The end of the last hour of it that is booked."""
    seconds: int
    """Those that are charged."""
    cost: str
    used: str
    idle: str
    unallocated: str
    """The part of the idle cost that no request carries, for there was none in the hour."""
    utilisation: float | None
    """The used part of the cost; None where it cost nothing."""
    served: str
    """Weighted tokens."""
    rate_full: str | None
    """What a million of them took of the cost."""
    rate_effective: str | None
    """What a million of them came to, with what stood idle: the rate to compare with an API."""
    overloaded_hours: int
    """Those in which more was served than the stated capacity allows: it is stated too low."""
    kwh: Drawn | None
    """None where the price book states no power."""
    co2e_grams: Drawn | None
    """Grams of CO2 equivalent; None where the price book does not state those of a kilowatt-hour."""


class Range(TypedDict):
    """The least and the most that an estimate allows."""

    min: str
    max: str


class Served(TypedDict):
    """What somebody else answers for."""

    calls: int
    tokens: int


class UnknownEnergy(TypedDict):
    """What one model behind an API wrote."""

    provider: str
    model: str
    """As calls tell it."""
    calls: int
    uncounted_calls: int
    """Those of which nobody says how much they wrote."""
    tokens: int
    """All output: text, reasoning, audio and images that are counted in tokens."""


class ModelEnergy(UnknownEnergy):
    """What one model behind an API took, as a library estimates it."""

    answers: int
    """Calls that wrote something; each takes the time to the first token, too."""
    estimated_as: list[str]
    """Provider and model, as the library knows them."""
    zone: str
    """Of the electricity mix."""
    kwh: Range
    co2e_grams: Range
    """Grams of CO2 equivalent of the electricity, as of a pool of capacity."""
    hardware_co2e_grams: Range
    """Grams of CO2 equivalent of making the machines, in none of the others."""
    warnings: list[str]
    """What the library says against the figures."""


class Energy(TypedDict):
    """What models behind an API took in one period, as a library estimates it."""

    period: str | None
    """Where a day or a month begins (UTC); None for all time."""
    basis: Literal["ecologits"]
    """Nobody measured it, and no provider says it."""
    version: str
    tokens: Coverage
    """Those of models that the library knows, of all; short of all, the figures are of less than there was."""
    calls: Coverage
    """The same of calls; one of which nobody says how much it wrote is not known."""
    kwh: Range
    co2e_grams: Range
    hardware_co2e_grams: Range
    models: list[ModelEnergy]
    unknown: list[UnknownEnergy]
    """Models that the library does not know, in no figure."""
    pools: Served
    """By capacity of one's own, in no figure: its energy is told with it."""


class UnitPrice(TypedDict):
    """What a number of units costs."""

    amount: str
    per: int


class PriceCell(TypedDict):
    """Prices at one time of day, for requests of one size."""

    from_second: int
    """Of the day, UTC."""
    above_tokens: int
    """Input tokens that a request must exceed."""
    prices: dict[str, UnitPrice]
    """By bucket or meter."""


class Price(TypedDict):
    """The price list of one model from one moment on."""

    provider: str
    model: str
    context: str
    """Tier of service; empty is standard."""
    source: str
    """Edition: the catalogue with its version, or the rating run of a price book."""
    valid_from: str
    currency: str
    cells: list[PriceCell]


class Said(TypedDict):
    """What somebody said that calls cost, beside what prices make of them."""

    calls: int
    """Those of which somebody said it, and everything of which has a price."""
    said: str
    computed: str


class ModelPricing(TypedDict):
    """How the calls of one model came to their prices."""

    provider: str
    model: str
    """As calls tell it."""
    calls: int
    total: str
    tokens: int
    unpriced_tokens: int
    unpriced_calls: int
    """Those that used something of which no price is known."""
    borrowed_calls: int
    """Those that were rated, in part, at the price of a related unit."""
    free_calls: int
    """Those with a price of 0 for something that they used."""
    matched_by: list[str]
    """How its prices were found: model, request model, price book, or by a part of the name; empty where none were."""
    rated_as: list[list[str]]
    """Provider and model whose prices they are."""
    is_exact: bool
    """Model and tier of service were found themselves."""
    reported: Said


class PriceFindings(TypedDict):
    """How the calls of a period came to their prices."""

    catalogue: str
    """Edition of the catalogue that is rated by."""
    newest_price: str | None
    """When the latest of its prices began that holds: the catalogue is at least as new."""
    tokens: int
    """Of all calls of the period."""
    models: list[ModelPricing]
    """The dearest first."""
    changes: list[PriceChange]
    """Prices of these models that changed within the period."""


class Deleted(TypedDict):
    """What a deletion took out, or would."""

    rows: dict[str, int]
    """By table, and `dead_letters`; a span that a table keeps twice counts twice."""


class RollupOutcome(TypedDict):
    """What a run of the rollup did."""

    traces: int
    seconds: float
    unpriced: int
    """Calls among them that used something of which no price is known."""
    unread: int
    """Spans among theirs that count tokens in a dialect that nobody knows."""
    late: int
    """Calls and reviews that came late to closed requests, and were added to what these cost."""
    undecided: int
    """Calls that came so late and bear no cost: whether another tells of the same is not known any more."""
    verified: Verified | None
    """What the tables were held against, where that was asked."""
    rating_run: NotRequired[str]
    """The prices that were tried, where that was asked."""
    repriced: NotRequired[list[Repriced]]
    """What they change."""
    months: NotRequired[list[Month]]
    """Those that are closed, where one was to be."""


class Booking(TypedDict):
    """What the charges of a month come to that are booked in a month: another one, where it is a correction."""

    charge_period: str
    """The month, like 2026-10, as is the next."""
    booking_period: str
    currency: str
    amount: str
    lines: int
    """Of cost; of a correction those that came less those that went, as are the next."""
    unpriced: int


class Month(TypedDict):
    """A closed month; or the first open one, with what is to be corrected in it."""

    booking_period: str
    closed_at: str | None
    """ISO 8601, UTC; None: it is open."""
    charges: list[Booking]
    """By currency; of an open month, none."""
    corrections: list[Booking]
    """By month of charge and currency."""


class Repriced(TypedDict):
    """What something costs by the prices of the books, and by others."""

    by: str
    """`all`, `model` or `team`."""
    name: str
    currency: str
    before: str
    after: str
    delta: str
    lines: int
    unpriced_before: int
    """Lines and calls without an amount."""
    unpriced_after: int


class Verified(TypedDict):
    """The tables of cost, held against a recomputation from all spans."""

    rows: int
    closed: int
    """Requests among them that keep the figures they have, as their spans have expired or are about to."""
    differences: list[Difference]
    """Rows that were not as they ought to be; at most a hundred. They are now."""
    is_disturbed: bool
    """Spans came between: what differs may be theirs."""


class Difference(TypedDict):
    """A row of a table of cost that a recomputation gives otherwise."""

    table: str
    key: str
    """The columns of its sorting key, as a JSON object."""
    stored: str | None
    """Its amount as it was; None where there was no such row."""
    recomputed: str | None
    """Its amount as it is now; None where there is no such row."""
