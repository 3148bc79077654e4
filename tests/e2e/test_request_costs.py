"""The story of the README: an agent makes calls, a collector keeps them, and a person reads what the request cost."""

import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from tokentrace_collector.demo.story import CAUSES, THINKING

COMPONENTS = {"visible", "hidden_reasoning", "orchestration", "errors", "human_review", "infrastructure"}
TOKENTRACE = [sys.executable, "-c", "from tokentrace_collector.cli import main; main()"]


def run(*arguments):
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([*TOKENTRACE, *arguments], capture_output=True, text=True, check=False, env=environment)


def amounts(figures):
    return {name: Decimal(amount) for name, amount in figures["components"].items()}


@pytest.fixture(scope="module")
def demo():
    """The demo's process, after every span was sent twice more and shuffled."""
    return run("demo", "--json", "--resend")


@pytest.fixture(scope="module")
def figures(demo):
    """What it printed."""
    return json.loads(demo.stdout)


def test_sending_every_span_twice_more_and_shuffled_changes_nothing(demo):
    assert (demo.returncode, "figures changed" in demo.stderr) == (0, False), demo.stderr


def test_all_six_components_cost_something(figures):
    assert {name for name, amount in amounts(figures).items() if amount > 0} == COMPONENTS


def test_the_components_add_up_to_the_total_to_the_last_digit(figures):
    assert sum(amounts(figures).values()) == Decimal(figures["total"])


@pytest.mark.parametrize("halves", [("direct", "allocated"), ("measured", "estimated")])
def test_the_total_has_two_halves_two_ways(figures, halves):
    assert sum(Decimal(figures[half]) for half in halves) == Decimal(figures["total"])


def test_money_is_text_in_dollars(figures):
    kinds = {type(amount) for amount in (figures["total"], *figures["components"].values())}
    assert (kinds, figures["currency"]) == ({str}, "USD")


def test_every_call_is_counted_once_and_every_attempt(figures):
    assert (figures["calls"], figures["attempts"], figures["failed_attempts"]) == (8, 9, 1)


def test_all_reasoning_is_seen(figures):
    assert figures["tokens"]["output_reasoning"] == sum(THINKING.values())


def test_the_cache_is_seen(figures):
    assert figures["tokens"]["cache_read"] > 2 * 1024


def test_the_editors_time_costs_what_the_book_says(figures):
    assert amounts(figures)["human_review"] == Decimal(48) * 90 / 3600


def test_the_broken_stream_makes_the_total_a_lower_bound(figures):
    assert figures["coverage"] == pytest.approx(7 / 8)


def test_without_any_cause_only_the_visible_is_left():
    found = json.loads(run("demo", "--json", *(word for cause in CAUSES for word in ("--without", cause))).stdout)
    assert {name for name, amount in amounts(found).items() if amount > 0} == {"visible"}


def test_the_picture_fits_the_screen():
    shown = run("demo").stdout
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert all(
        word in shown for word in ("└─ chat gpt-6.1-sol", "2 attempts 429 → 200", "≥ $", "tokentrace demo --serve")
    )


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_without_its_cause_exactly_one_component_is_zero(cause):
    found = json.loads(run("demo", "--json", "--without", cause).stdout)
    assert {name for name, amount in amounts(found).items() if amount == 0} == {CAUSES[cause]}
    assert sum(amounts(found).values()) == Decimal(found["total"])
