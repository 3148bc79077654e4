"""Many requests as one report: spans of the same name below the same spans are one, and their costs are added."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tokentrace_collector.cli import amounts, tree
from tokentrace_collector.reports.documents.requests import Coverage, Request, RequestReport, Span
from tokentrace_collector.reports.figures import decimal, multiples

Key = tuple[str, str | None]
"""Name and error of a span."""


@dataclass(slots=True)
class _Fold:
    """The spans that are one."""

    id: str
    parent: str
    spans: list[Span] = field(default_factory=list[Span])
    offset: float = 0.0


def fold(reports: Sequence[RequestReport], root: str, began: datetime, seconds: float) -> RequestReport:
    """What these requests, of one currency, cost together, below one span that stands for the program.

    Offsets count from `began`. What a span took is the sum over its calls, so that parallel ones take longer than
    the program itself.
    """
    folds: dict[tuple[Key, ...], _Fold] = {}
    for report in reports:
        started = datetime.fromisoformat(report["started_at"])
        for path, span in _paths(report["spans"]):
            parent = folds[path[:-1]].id if len(path) > 1 else "0"
            offset = (started - began).total_seconds() + span["offset"]
            one = folds.setdefault(path, _Fold(str(len(folds) + 1), parent, offset=offset))
            one.offset = min(one.offset, offset)
            one.spans.append(span)
    return {
        **_sums(reports, root, began, seconds),
        "spans": [_whole(root, seconds), *(_span(one) for one in folds.values())],
        "per_call": {
            "calls": sum(report["per_call"]["calls"] for report in reports),
            "total": _total(report["per_call"]["total"] for report in reports),
        },
        "spans_left_out": sum(report["spans_left_out"] for report in reports),
        "told_by_others": sum(report["told_by_others"] for report in reports),
    }


def undivided(request: Request) -> RequestReport:
    """A request as one span, where its own are too many to be read; it has no trace id."""
    span: Span = {
        **_whole(request["root"], request["seconds"]),
        "cost": request["total"],
        "estimated": request["estimated"],
        "components": {name: amount for name, amount in request["components"].items() if Decimal(amount)},
        "tokens": request["tokens"],
    }
    return {
        **request,
        "trace_id": "",
        "spans": [span],
        "per_call": {"calls": 0, "total": "0"},
        "spans_left_out": 0,
        "told_by_others": 0,
    }


def _paths(spans: Sequence[Span]) -> Iterable[tuple[tuple[Key, ...], Span]]:
    """Every span with the way to it, depth first."""
    way: list[Key] = []
    for node in tree.nodes(spans):
        del way[len(node.prefix) - 1 :]
        span = node.span
        way.append((span["name"], span["error"]))
        yield tuple(way), span


def _span(one: _Fold) -> Span:
    first, count = one.spans[0], len(one.spans)
    costs = [Decimal(span["cost"]) for span in one.spans if span["cost"] is not None]
    reviews = [span["review_seconds"] for span in one.spans if span["review_seconds"] is not None]
    return {
        **first,
        "span_id": one.id,
        "parent_id": one.parent,
        "name": first["name"] if count == 1 else f"{first['name']} \N{MULTIPLICATION SIGN}{amounts.count(count)}",
        "offset": one.offset,
        "seconds": sum(span["seconds"] for span in one.spans),
        "usage_source": "partial_stream"
        if any(span["usage_source"] == "partial_stream" for span in one.spans)
        else first["usage_source"],
        "estimated_counts": sorted({count for span in one.spans for count in span["estimated_counts"]}),
        "tokens": _counts(span["tokens"] for span in one.spans),
        "cancelled": sum(span["cancelled"] for span in one.spans),
        "cost": decimal(amounts.total(costs)) if costs else None,
        "estimated": _total(span["estimated"] for span in one.spans),
        "components": _amounts(span["components"] for span in one.spans),
        "attempts": first["attempts"] if count == 1 else [],
        "review_seconds": sum(reviews) if reviews else None,
    }


def _whole(name: str, seconds: float) -> Span:
    """A span that stands for all others, and is charged nothing by itself."""
    return {
        "span_id": "0",
        "parent_id": "",
        "name": name,
        "kind": "step",
        "role": None,
        "provider": None,
        "model": None,
        "offset": 0.0,
        "seconds": seconds,
        "error": None,
        "stream_end": None,
        "usage_source": None,
        "estimated_counts": [],
        "tokens": {},
        "cancelled": 0,
        "cost": None,
        "estimated": "0",
        "components": {},
        "borne_by": None,
        "attempts": [],
        "review_seconds": None,
        "reviewer_role": None,
    }


def _sums(reports: Sequence[Request], root: str, began: datetime, seconds: float) -> Request:
    """Several requests as one."""
    services = (report["service"] for report in reports)
    covered = {
        name: Coverage(
            known=sum(report["covered"][name]["known"] for report in reports),
            of=sum(report["covered"][name]["of"] for report in reports),
        )
        for name in reports[0]["covered"]
    }
    components = {name: _total(report["components"][name] for report in reports) for name in reports[0]["components"]}
    return {
        "trace_id": "",
        "root": root,
        "service": ", ".join(sorted({each for each in services if not each.startswith("unknown_service")})),
        "started_at": began.isoformat(),
        "seconds": seconds,
        "attribution": _common([report["attribution"] for report in reports]),
        "currency": reports[0]["currency"],
        "total": _total(report["total"] for report in reports),
        "components": components,
        "ratios": multiples({name: Decimal(amount) for name, amount in components.items()}),
        "direct": _total(report["direct"] for report in reports),
        "allocated": _total(report["allocated"] for report in reports),
        "measured": _total(report["measured"] for report in reports),
        "estimated": _total(report["estimated"] for report in reports),
        "coverage": min((each["known"] / each["of"] for each in covered.values() if each["of"]), default=1.0),
        "covered": covered,
        "calls": sum(report["calls"] for report in reports),
        "attempts": sum(report["attempts"] for report in reports),
        "failed_attempts": sum(report["failed_attempts"] for report in reports),
        "unknown_attempts": sum(report["unknown_attempts"] for report in reports),
        "tokens": _counts(report["tokens"] for report in reports),
        "meters": _amounts(report["meters"] for report in reports),
    }


def _common(told: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all of them say alike."""
    return {name: value for name, value in told[0].items() if all(each.get(name) == value for each in told)}


def _total(told: Iterable[str]) -> str:
    return decimal(amounts.total([Decimal(each) for each in told]))


def _counts(told: Iterable[Mapping[str, int]]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for each in told:
        for name, number in each.items():
            counts[name] += number
    return dict(sorted(counts.items()))


def _amounts(told: Iterable[Mapping[str, str]]) -> dict[str, str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for each in told:
        for name, amount in each.items():
            by_name[name].append(amount)
    return {name: _total(each) for name, each in sorted(by_name.items())}
