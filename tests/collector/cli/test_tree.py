"""The span tree: every span in its place, with what it used and cost."""

import pytest

from tokentrace_collector.cli import tree

TOKENS = {"input_text": 1000, "cache_read": 500, "output_text": 20, "output_reasoning": 300}


def labels(lines):
    return [line.split("  ")[0] for line in lines[1:]]


def test_children_stand_below_their_parent_by_start(drawn, report, span):
    spans = [span("b", "root", offset=2.0), span("a1", "a"), span("a", "root", offset=1.0), span("root")]
    assert labels(drawn(tree.draw, report(*spans))) == ["root", "├─ a", "│", "└─ b"]


def test_the_deepest_line_is_drawn(drawn, report, span):
    spans = [span("b", "root", offset=2.0), span("a1", "a"), span("a", "root", offset=1.0), span("root")]
    assert "│  └─ a1" in drawn(tree.draw, report(*spans))[3]


def test_a_span_without_its_parent_stands_at_the_top(drawn, report, span):
    assert labels(drawn(tree.draw, report(span("root"), span("lost", "gone")))) == ["lost", "root"]


@pytest.mark.parametrize("parents", [("a", "root"), ("b", "a")])
def test_spans_that_enclose_each_other_are_drawn_once(drawn, report, span, parents):
    spans = [span("a", parents[0]), span("b", parents[1]), span("root")]
    assert sorted(line.split()[-1] for line in drawn(tree.draw, report(*spans))[1:]) == ["a", "b", "root"]


def test_a_call_shows_what_it_read_wrote_and_thought(drawn, report, span):
    line = drawn(tree.draw, report(span("c", kind="call", tokens=TOKENS, cost="0.25")))[1]
    assert line.split() == ["c", "cached", "500", "1,500", "20", "300", "$0.2500"]


def test_tokens_that_were_not_told_are_not_zero(drawn, report, span):
    line = drawn(tree.draw, report(span("c", kind="call", tokens={}, cost="0")))[1]
    assert line.split() == ["c", "$0.0000"]


def test_a_broken_stream_is_a_lower_bound(drawn, report, span):
    broken = span(
        "c", kind="call", tokens=TOKENS, error="ReadError", stream_end="failed", usage_source="partial_stream"
    )
    assert drawn(tree.draw, report(broken))[1].split()[:4] == ["✗", "c", "stream", "failed"]


def test_what_was_billed_after_its_reader_had_left_is_marked(drawn, report, span):
    left = span(
        "c", kind="call", tokens=TOKENS | {"output_text": 1_200}, cancelled=1_180, stream_end="closed", cost="0.25"
    )
    assert drawn(tree.draw, report(left))[1].split()[:5] == ["c", "cached", "500", "cancelled", "~1,180"]


def test_what_is_estimated_is_marked(drawn, report, span):
    guessed = span(
        "c", kind="call", tokens=TOKENS, cost="0.25", estimated="0.1", estimated_counts=["input", "output", "reasoning"]
    )
    assert drawn(tree.draw, report(guessed))[1].split() == ["c", "cached", "500", "~1,500", "~20", "~300", "~$0.2500"]


def test_attempts_are_told_one_by_one(drawn, report, span):
    attempts = [{"number": 1, "status": 429, "error": None}, {"number": 2, "status": None, "error": "ReadTimeout"}]
    assert "2 attempts 429 → ReadTimeout" in drawn(tree.draw, report(span("c", attempts=attempts)))[1]


def test_a_review_shows_whose_time_it_took(drawn, report, span):
    line = drawn(
        tree.draw, report(span("review", kind="review", review_seconds=90, reviewer_role="editor", cost="1.2"))
    )
    assert line[1].split() == ["review", "editor", "1", "min", "30", "s", "$1.2000"]


def test_idle_capacity_stands_below_the_call_that_it_waited_for(drawn, report, span):
    served = span("c", kind="call", cost="0.3", components={"visible": "0.1", "infrastructure": "0.2"})
    lines = drawn(tree.draw, report(served))
    assert ([line.split()[-1] for line in lines[1:]], "idle" in lines[2]) == (["$0.1000", "$0.2000"], True)


def test_a_wide_screen_has_room_for_times_and_branches(drawn, report, span):
    lines = drawn(tree.draw, report(span("root"), span("c", "root", cost="0.5")), width=110)
    assert lines[1].split() == ["root", "100", "ms", "$0.5000"]


def test_no_line_is_longer_than_the_screen(drawn, report, span):
    spans = [span(f"s{n}", f"s{n - 1}", name="long " * 40, tokens=TOKENS) for n in range(200)]
    assert {len(line) <= 80 for line in drawn(tree.draw, report(*spans))} == {True}


def test_a_deep_trace_keeps_its_names_on_the_screen(drawn, report, span):
    lines = drawn(tree.draw, report(*(span(f"s{n}", f"s{n - 1}") for n in range(1_500))))
    assert (len(lines), "s1499" in lines[-1]) == (1_501, True)


def test_names_cannot_steer_the_terminal(drawn, report, span):
    lines = drawn(tree.draw, report(span("s", name="\x1b[2J[red]a[/red]\x9b31m\n", error="\x1b]0;x\x07E")))
    assert lines[1].split() == ["✗", "[red]a[/red]", "E"]


def test_spans_that_are_not_shown_are_counted(drawn, report, span):
    assert drawn(tree.draw, report(span("s"), spans_left_out=7))[-1] == "7 more spans are not shown."


def test_the_cost_of_a_branch_that_is_not_shown_whole_is_a_lower_bound(drawn, report, span):
    shown = report(span("root"), span("c", "root", kind="call", cost="1"), spans_left_out=3)
    assert drawn(tree.draw, shown, width=120)[1].split()[-1] == "≥$1.0000"


def test_a_share_of_a_review_stands_below_the_spans(drawn, report, span):
    shares = [
        {"session": "s1", "kind": "approval", "seconds": 90, "cost": "0.75"},
        {"session": None, "kind": "audit", "seconds": 0, "cost": None},
    ]
    lines = drawn(tree.draw, report(span("c"), review_shares=shares))
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "share of review approval of session s1 1 min 30 s $0.7500",
        "share of review audit of several requests",
    ]


def test_a_review_that_others_share_says_so(drawn, report, span):
    shared = span("r", kind="review", review_seconds=90, cost="0", borne_by="shares")
    assert "1 min 30 s  shared by what was reviewed" in drawn(tree.draw, report(shared), width=100)[1]
