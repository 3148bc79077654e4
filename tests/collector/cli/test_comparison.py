"""What a per-call view would have shown."""

from inline_snapshot import snapshot

from tokentrace_collector.cli import comparison


def test_the_comparison_names_what_is_missed_and_what_is_blurred(report):
    assert list(comparison.sentences(report())) == snapshot(
        [
            "2 answered calls for $0.4000: 26.7 % of the total cost of ownership.",
            "It would have missed answers that were lost and asked for again ($0.0500), the time of people ($1.0000) and capacity that stood idle ($0.0500).",
            "And it would not have told that the calls contain reasoning that nobody sees ($0.2000) and the agent's own work on the way ($0.1000).",
        ]
    )


def test_it_claims_nothing_that_did_not_happen(report):
    plain = report(total="0.4", components={"visible": "0.4", "errors": "0"})
    assert list(comparison.sentences(plain)) == snapshot(
        ["2 answered calls for $0.4000: 100.0 % of the total cost of ownership."]
    )
