"""Reports to draw, built by hand, and a screen to read them from."""

import io

import pytest
from rich.console import Console


def a_span(span_id, parent_id="", **more):
    return {
        "span_id": span_id,
        "parent_id": parent_id,
        "name": span_id,
        "kind": "step",
        "role": None,
        "provider": None,
        "model": None,
        "offset": 0.0,
        "seconds": 0.1,
        "error": None,
        "stream_end": None,
        "usage_source": None,
        "tokens": {},
        "cost": None,
        "components": {},
        "borne_by": None,
        "attempts": [],
        "review_seconds": None,
        "reviewer_role": None,
    } | more


def a_report(*spans, **more):
    return {
        "trace_id": "0123456789abcdef" * 2,
        "root": "brief",
        "service": "agent",
        "started_at": "2026-11-22T10:00:00Z",
        "seconds": 2.4,
        "attribution": {"team": "insights"},
        "currency": "USD",
        "total": "1.5",
        "components": {
            "visible": "0.1",
            "hidden_reasoning": "0.2",
            "orchestration": "0.1",
            "errors": "0.05",
            "human_review": "1",
            "infrastructure": "0.05",
        },
        "direct": "1.5",
        "allocated": "0",
        "measured": "1.5",
        "estimated": "0",
        "coverage": 1.0,
        "covered": {"usage": {"known": 2, "of": 2}},
        "calls": 2,
        "attempts": 3,
        "failed_attempts": 0,
        "tokens": {},
        "meters": {},
        "spans": list(spans),
        "per_call": {"calls": 2, "total": "0.4"},
        "spans_left_out": 0,
    } | more


@pytest.fixture
def span():
    """Builds a span."""
    return a_span


@pytest.fixture
def report():
    """Builds a report."""
    return a_report


@pytest.fixture
def drawn():
    """What a function draws on a screen of a certain width, line by line."""

    def draw(function, *arguments, width=80):
        screen = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
        function(screen, *arguments)
        return [line.rstrip() for line in screen.file.getvalue().splitlines()]

    return draw
