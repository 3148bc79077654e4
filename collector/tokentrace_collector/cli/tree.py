"""The span tree of one request: what each span read, wrote and thought, and what it cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts
from tokentrace_collector.cli.terminal import Glyphs, glyphs, plain
from tokentrace_collector.reports.documents.requests import RequestReport, ReviewShare, Span

_WIDE = 100
_DEEPEST = 12
_HIDDEN = "output_reasoning"
_FAILED, _COST = "red", "bold"


@dataclass(frozen=True, slots=True)
class Node:
    """A span in its place."""

    span: Span
    prefix: tuple[bool, ...]
    """For each level above, whether more siblings follow; the last is the span's own."""
    subtree: Decimal
    """Cost of the span and everything below it."""


def nodes(spans: Sequence[Span]) -> Iterator[Node]:
    """The spans depth first, by start; a span whose parent is not here stands at the top."""
    ordered = list(_walk(spans))
    sums = _subtrees(ordered)
    for span, prefix in ordered:
        yield Node(span, prefix, sums[span["span_id"]])


def _walk(spans: Sequence[Span]) -> Iterator[tuple[Span, tuple[bool, ...]]]:
    present = {span["span_id"] for span in spans}
    latest_first = sorted(spans, key=lambda each: (each["offset"], each["span_id"]), reverse=True)
    children: dict[str, list[Span]] = defaultdict(list)
    for span in latest_first:
        children[span["parent_id"] if span["parent_id"] in present else ""].append(span)
    # A stack of our own: traces of agents are deeper than Python's. Below the roots lie those that enclose each other.
    stack: list[tuple[Span, tuple[bool, ...]]] = [(span, (False,)) for span in (*latest_first, *children[""])]
    seen: set[str] = set()
    while stack:
        span, prefix = stack.pop()
        if span["span_id"] in seen:
            continue
        seen.add(span["span_id"])
        yield span, prefix
        below = [child for child in children[span["span_id"]] if child["span_id"] not in seen]
        stack.extend((child, (*prefix, place > 0)) for place, child in enumerate(below))


def _subtrees(ordered: list[tuple[Span, tuple[bool, ...]]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for span, _ in reversed(ordered):
        sums[span["span_id"]] += Decimal(span["cost"] or 0)
        if span["parent_id"] != span["span_id"]:
            sums[span["parent_id"]] += sums[span["span_id"]]
    return sums


def draw(screen: Console, report: RequestReport, *, timed: bool = False) -> None:
    """Print the tree; with room to spare, times and the cost of whole branches too."""
    signs, wide = glyphs(screen), screen.width >= _WIDE
    timed = timed or wide
    decimals = amounts.places(Decimal(report["total"]))
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("span", ratio=1, no_wrap=True, overflow="ellipsis")
    if timed:
        table.add_column("time", justify="right", no_wrap=True)
    for name in ("in", "out", "hidden"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    if wide:
        table.add_column("branch", justify="right", no_wrap=True)
    # Of a branch, what is not shown is not added up either.
    some = signs.at_least if report["spans_left_out"] else ""
    for node in nodes(report["spans"]):
        cells = _cells(node, report["currency"], decimals, signs, timed=timed)
        table.add_row(*cells, *[Text(_branch(node, report["currency"], decimals, some), style="dim")] * wide)
        if idle := _idle(node.span):
            share = Text(amounts.money(idle, report["currency"], decimals), style="cyan")
            table.add_row(_idle_label(node, signs), *[""] * (3 + timed), share, *[""] * wide)
    for review in report["review_shares"]:
        cost = Text(
            "" if review["cost"] is None else amounts.money(Decimal(review["cost"]), report["currency"], decimals)
        )
        cost.stylize(_COST)
        table.add_row(_share_label(review), *[""] * (3 + timed), cost, *[""] * wide)
    screen.print(table)
    if report["spans_left_out"]:
        screen.print(Text(f"{amounts.count(report['spans_left_out'])} more spans are not shown.", style="dim"))


def _cells(node: Node, currency: str, decimals: int, signs: Glyphs, *, timed: bool) -> list[Text]:
    span = node.span
    read, written, hidden = _tokens(span)
    cost = Text()
    if span["cost"] is not None:
        amount = Decimal(span["cost"]) - _idle(span)
        sign = signs.about if Decimal(span["estimated"]) else ""
        cost = Text(sign + amounts.money(amount, currency, decimals), style=_COST if amount else "dim")
    guessed = dict.fromkeys(span["estimated_counts"], signs.about)
    unsure = signs.at_least if span["usage_source"] == "partial_stream" else guessed.get("output", "")
    cells = [_label(node, signs)]
    if timed:
        cells.append(Text(amounts.duration(span["seconds"]), style="dim"))
    thought = guessed.get("reasoning", "")
    cells += [_number(read, guessed.get("input", "")), _number(written, unsure), _number(hidden, thought, "magenta")]
    cells.append(cost)
    return cells


def _branch(node: Node, currency: str, decimals: int, some: str) -> str:
    """What a span that costs nothing itself costs with all below it."""
    if node.span["cost"] is not None or not node.subtree:
        return ""
    return some + amounts.money(node.subtree, currency, decimals)


def _label(node: Node, signs: Glyphs) -> Text:
    span, label = node.span, Text().append(_indent(node.prefix, signs), style="dim")
    if span["error"]:
        label.append(f"{signs.failed} ", style=_FAILED)
    label.append(plain(span["name"]), style=_FAILED if span["error"] else "")
    for note, style in _notes(span, signs):
        label.append("  ").append(note, style=style)
    return label


def _idle(span: Span) -> Decimal:
    """What capacity cost while it waited for calls like this one."""
    return Decimal(span["components"].get("infrastructure", 0))


def _idle_label(node: Node, signs: Glyphs) -> Text:
    return Text().append(_indent((*node.prefix, False), signs), style="dim").append("share of idle capacity", "cyan")


def _share_label(review: ReviewShare) -> Text:
    """A review that the request shares with others: it is none of its spans."""
    whose = f" of session {plain(review['session'])}" if review["session"] else " of several requests"
    label = Text(f"share of review {plain(review['kind'])}{whose}", style="yellow")
    return label.append(f"  {amounts.duration(review['seconds'])}", style="yellow") if review["seconds"] else label


def _indent(prefix: tuple[bool, ...], signs: Glyphs) -> str:
    above = prefix[1:-1]
    skipped = max(0, len(above) - _DEEPEST)
    lines = "".join(signs.pipe if more else " " * len(signs.pipe) for more in above[skipped:])
    own = "" if len(prefix) == 1 else signs.branch if prefix[-1] else signs.last
    return (f"+{skipped} " if skipped else "") + lines + own


def _notes(span: Span, signs: Glyphs) -> Iterator[tuple[str, str]]:
    """What is special about a span, in a few words each."""
    if span["kind"] == "step" and span["role"] and span["role"] != span["name"]:
        yield plain(span["role"]), "blue"
    if span["error"]:
        ended = (
            f"stream {span['stream_end']}"
            if span["stream_end"] in {"dropped", "failed", "cancelled"}
            else span["error"]
        )
        yield plain(ended), _FAILED
    if len(span["attempts"]) > 1:
        outcomes = f" {signs.arrow} ".join(
            str(each["status"] or plain(each["error"] or "?")) for each in span["attempts"]
        )
        yield f"{len(span['attempts'])} attempts {outcomes}", "yellow"
    if cached := sum(number for bucket, number in span["tokens"].items() if bucket.startswith("cache_read")):
        yield f"cached {amounts.count(cached)}", "green"
    if span["cancelled"]:
        # What had come is counted by us, whoever counted what was billed.
        yield f"cancelled {signs.about}{amounts.count(span['cancelled'])}", _FAILED
    if span["review_seconds"] is not None:
        role = f"{plain(span['reviewer_role'])} " if span["reviewer_role"] else ""
        yield f"{role}{amounts.duration(span['review_seconds'])}", "yellow"
    if span["borne_by"] == "shares":
        yield "shared by what was reviewed", "yellow"


def _tokens(span: Span) -> tuple[int | None, int | None, int | None]:
    """Input, visible output and hidden output; None where the provider did not say."""
    tokens = span["tokens"]
    if not tokens:
        return None, None, None
    hidden = tokens.get(_HIDDEN)
    written = [number for bucket, number in tokens.items() if bucket.startswith("output_") and bucket != _HIDDEN]
    read = [number for bucket, number in tokens.items() if not bucket.startswith("output_")]
    return sum(read) if read else None, sum(written) if written else None, hidden or None


def _number(value: int | None, sign: str = "", style: str = "") -> Text:
    return Text("" if value is None else f"{sign}{amounts.count(value)}", style=style)
