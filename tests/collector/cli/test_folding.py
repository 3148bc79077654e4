"""Requests of one shape become one tree, whose figures are sums."""

from datetime import UTC, datetime

from tokentrace_collector.cli import folding

BEGAN = datetime(2026, 11, 22, 9, 59, 58, tzinfo=UTC)
TIMES = "\N{MULTIPLICATION SIGN}"


def shapes(report):
    return {each["span_id"]: (each["parent_id"], each["name"]) for each in report["spans"]}


def test_spans_of_one_name_below_the_same_spans_are_one(report, span):
    requests = [report(span("a"), span("b", "a"), span("c", "a")), report(span("a"), span("b", "a"))]
    assert shapes(folding.fold(requests, "app", BEGAN, 9.0)) == {
        "0": ("", "app"),
        "1": ("0", f"a {TIMES}2"),
        "2": ("1", f"b {TIMES}2"),
        "3": ("1", "c"),
    }


def test_a_span_that_failed_stands_apart(report, span):
    folded = folding.fold([report(span("a"), span("b", name="a", error="timeout"))], "app", BEGAN, 9.0)
    assert [(each["name"], each["error"]) for each in folded["spans"][1:]] == [("a", None), ("a", "timeout")]


def test_counts_costs_and_times_are_added_and_offsets_begin_with_the_program(report, span):
    call = span("a", tokens={"input_text": 2}, cost="0.1", components={"visible": "0.1"}, offset=1.0)
    unpriced = call | {"cost": None, "components": {}, "usage_source": "partial_stream"}
    one = folding.fold([report(call), report(unpriced)], "app", BEGAN, 9.0)["spans"][1]
    assert (one["tokens"], one["cost"], one["components"], one["seconds"], one["offset"], one["usage_source"]) == (
        {"input_text": 4}, "0.1", {"visible": "0.1"}, 0.2, 3.0, "partial_stream",
    )  # fmt: skip


def test_what_nobody_knows_the_cost_of_is_not_free(report, span):
    assert folding.fold([report(span("a")), report(span("a"))], "app", BEGAN, 9.0)["spans"][1]["cost"] is None


def test_the_whole_is_the_sum_of_the_requests(report, span):
    whole = folding.fold([report(span("a")), report(span("a"))], "app", BEGAN, 9.0)
    assert (whole["total"], whole["components"]["human_review"], whole["calls"], whole["seconds"]) == ("3", "2", 4, 9.0)


def test_the_coverage_is_that_of_all_calls_together(report, span):
    gap = {"usage": {"known": 0, "of": 2}}
    assert folding.fold([report(span("a")), report(span("a"), covered=gap)], "app", BEGAN, 9.0)["coverage"] == 0.5


def test_only_what_all_requests_say_stands_at_the_top(report, span):
    two = [report(span("a"), attribution={"team": "a", "user": name}) for name in "xy"]
    assert folding.fold(two, "app", BEGAN, 9.0)["attribution"] == {"team": "a"}


def test_a_request_that_is_not_divided_is_added_to_the_span_of_its_name(report, span):
    divided = report(span("brief", cost="1.5", components={"visible": "1.5"}))
    one = folding.fold([divided, folding.undivided(report())], "app", BEGAN, 9.0)["spans"][1]
    assert (one["name"], one["cost"], one["components"]["visible"]) == (f"brief {TIMES}2", "3", "1.6")


def test_requests_two_hundred_deep_are_folded_level_by_level(report, span):
    """Ten thousand spans, of which each level has fifty of one name."""
    levels = [span(f"a{level}", f"a{level - 1}" if level else "", offset=float(level)) for level in range(200)]
    calls = [
        span(f"c{place}", f"a{place % 200}", name="call", cost="0.1", offset=300.0 + place) for place in range(9_800)
    ]
    folded = folding.fold([report(*levels, *calls)], "app", BEGAN, 9.0)["spans"]
    assert len(folded) == 1 + 200 + 200
    assert {(each["name"], each["cost"]) for each in folded if each["name"].startswith("call")} == {
        (f"call {TIMES}49", "4.9")
    }
