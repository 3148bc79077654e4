"""The waterfall: six bars that climb to the total, and how far the total can be trusted."""

from inline_snapshot import snapshot

from tokentrace_collector.cli import waterfall


def test_the_bars_climb_to_the_total(drawn, report):
    assert drawn(waterfall.draw, report(), width=70) == snapshot(
        [
            "visible                $0.1000 █▉                              6.7 %",
            "hidden reasoning       $0.2000  ████▋                         13.3 %",
            "orchestration          $0.1000      ██▌                        6.7 %",
            "errors                 $0.0500        █▍                       3.3 %",
            "human review           $1.0000         ███████████████████▏   66.7 %",
            "infrastructure         $0.0500                            █    3.3 %",
            "───────────────── ──────────── ────────────────────────────  ───────",
            "total                  $1.5000 ████████████████████████████    100 %",
            "per $1.00 of visible tokens: $4.50 for tokens and tools, $15.00 in all",
            "coverage 100 %: every call, token, role and review is accounted for",
        ]
    )


def test_amounts_on_the_screen_add_up(drawn, report):
    third = {"visible": "0.333333", "errors": "0.333333", "orchestration": "0.333334"}
    lines = drawn(waterfall.draw, report(total="1", components=third))
    assert [line.split("$")[1][:6] for line in (*lines[:3], lines[4])] == ["0.3333", "0.3333", "0.3334", "1.0000"]


def test_what_is_not_known_in_full_is_a_lower_bound(drawn, report):
    covered = {"usage": {"known": 8, "of": 9}, "roles": {"known": 9, "of": 9}}
    lines = drawn(waterfall.draw, report(coverage=8 / 9, covered=covered))
    assert ("≥ $1.5000" in lines[7], lines[-1]) == (True, "coverage 88.8 %: calls with usage 8 of 9")


def test_estimates_stand_apart(drawn, report):
    lines = drawn(waterfall.draw, report(measured="1.4", estimated="0.1"))
    assert "measured $1.4000 + ~$0.1000 estimated" in lines


def test_what_comes_with_visible_tokens_is_marked_where_it_rests_on_an_estimate(drawn, report):
    lines = drawn(waterfall.draw, report(measured="1.4", estimated="0.1"))
    assert "per $1.00 of visible tokens: ~$4.50 for tokens and tools, ~$15.00 in all" in lines
    unknown = report(coverage=0.5, covered={"usage": {"known": 1, "of": 2}})
    assert not [line for line in drawn(waterfall.draw, unknown) if "of visible tokens" in line]


def test_attempts_that_may_have_been_billed_are_told(drawn, report):
    for number, told in ((1, "1 attempt got no answer and may"), (2, "2 attempts got no answer and may")):
        lines = drawn(waterfall.draw, report(unknown_attempts=number))
        assert [line for line in lines if "no answer" in line] == [f"{told} have been billed"]
    assert not [line for line in drawn(waterfall.draw, report()) if "no answer" in line]


def test_calls_that_others_tell_of_are_told(drawn, report):
    lines = drawn(waterfall.draw, report(told_by_others=1), width=120)
    told = "1 of 2 calls told by other instrumentations: attempts unknown; reasoning they do not count is in visible"
    assert [line for line in lines if "told by other" in line] == [told]
    assert not [line for line in drawn(waterfall.draw, report()) if "told by other" in line]


def test_shared_capacity_stands_apart(drawn, report):
    lines = drawn(waterfall.draw, report(direct="1.4", allocated="0.1"))
    assert "direct $1.4000 + $0.1000 allocated from shared capacity" in lines


def test_shares_of_reviews_stand_apart_from_those_of_capacity(drawn, report):
    shares = [
        {"session": "s1", "kind": "approval", "seconds": 90, "cost": "0.75"},
        {"session": None, "kind": "audit", "seconds": 0, "cost": None},
    ]
    lines = drawn(waterfall.draw, report(direct="0.75", allocated="0.75", review_shares=shares))
    assert "direct $0.7500 + $0.7500 of shared reviews" in lines
    lines = drawn(waterfall.draw, report(direct="0.7", allocated="0.8", review_shares=shares), width=100)
    assert "direct $0.7000 + $0.0500 allocated from shared capacity + $0.7500 of shared reviews" in lines


def test_a_request_that_cost_nothing_has_no_bars(drawn, report):
    lines = drawn(waterfall.draw, report(total="0", components={"visible": "0"}))
    assert lines[0].split() == ["visible", "$0.000000"]


def test_a_component_of_tomorrow_is_shown_too(drawn, report):
    assert drawn(waterfall.draw, report(components={"carbon_offset": "1.5"}))[0].startswith("carbon offset")


def test_ascii_terminals_get_ascii(report):
    import io

    from rich.console import Console

    raw = io.BytesIO()
    screen = Console(file=io.TextIOWrapper(raw, encoding="ascii"), width=70, highlight=False)
    waterfall.draw(screen, report(coverage=0.5))
    screen.file.flush()
    assert b">= $1.5000" in raw.getvalue()
