"""`tokentrace top`: what costs most, asking a store and asking a collector."""

import csv
import io
import json
from decimal import Decimal
from threading import Event

import pytest
from click.testing import CliRunner
from rich.console import Console

from tokentrace_collector.cli import ranking, terminal
from tokentrace_collector.cli.group import tokentrace

SINCE = ("--since", "2026-11-20")
TEAM, FEATURE, CUSTOMER = (f"tokentrace.attribution.{name}" for name in ("team", "feature", "customer.id"))


def run(*arguments, columns=100):
    return CliRunner().invoke(tokentrace, ["top", *arguments], env={"COLUMNS": str(columns)})


@pytest.fixture(scope="module")
def books(fresh_ledger):
    """Two agents, one below the other, of two teams, and a call that failed."""
    ledger = fresh_ledger()
    one = {TEAM: "search", FEATURE: "ask", CUSTOMER: "ada"}
    ledger.span("a", "outer", said={"gen_ai.operation.name": "invoke_agent"}, name="invoke_agent lead")
    ledger.call("a", "1", "outer", tokens={"input_text": 3_000}, said=one)
    aide = {"gen_ai.operation.name": "invoke_agent", "tokentrace.step.name": "\x1b[2Jaide"}
    ledger.span("a", "inner", "outer", said=aide)
    ledger.span("a", "deep", "inner")
    ledger.call("a", "2", "deep", tokens={"input_text": 1_000}, said=one, model="gpt-6-luna")
    ledger.call("b", "1", tokens={"input_text": 2_000}, said={TEAM: "shop"}, failed=True)
    ledger.tick()
    return ledger


@pytest.fixture(scope="module", params=["store", "collector"])
def asked(request, books, led):
    """Options that lead to these books."""
    with led(books.store, request.param) as options:
        yield options


def ranked(*arguments):
    found = [json.loads(line) for line in run(*arguments, *SINCE, "--json").stdout.splitlines()]
    return [(next(iter(each["group"].values())), each["total"]) for each in found]


def test_features_come_first_and_the_dearest_before_the_others(asked):
    assert [name for name, _ in ranked(*asked)] == ["ask", ""]


@pytest.mark.parametrize(
    ("what", "names"), [("model", ["gpt-6-sol", "gpt-6-luna"]), ("customer", ["ada", ""]), ("team", ["search", "shop"])]
)
def test_each_dimension_is_ranked(asked, what, names):
    assert [name for name, _ in ranked(what, *asked)] == names


def test_an_agent_bears_the_calls_below_it_and_not_those_of_an_agent_below(asked):
    found = dict(ranked("agent", *asked))
    teams = dict(ranked("model", *asked))
    assert found == {"lead": "0.006", "\x1b[2Jaide": teams["gpt-6-luna"], "": "0.004"}
    assert sum(map(Decimal, found.values())) == sum(map(Decimal, teams.values()))


def test_of_errors_only_what_they_cost_counts(asked):
    assert ranked("error", *asked) == [("failed", "0.004")]


def test_a_table_is_printed_once_where_there_is_no_terminal(asked):
    answer = run("agent", *SINCE, *asked)
    lines = answer.stdout.splitlines()
    assert (answer.exit_code, lines[0].split(), lines[1].split()[0]) == (
        0,
        ["agent", "tokens", "cost", "share", "known"],
        "lead",
    )
    assert ("\x1b[2J" in answer.stdout, "█" in lines[1]) == (False, True)
    assert "█" not in run("agent", *SINCE, *asked, columns=60).stdout


def test_as_csv_there_is_a_header_and_every_digit(asked):
    found = list(csv.DictReader(io.StringIO(run("team", *SINCE, "--csv", *asked).stdout)))
    assert [(each["team"], each["lines"]) for each in found] == [("search", "2"), ("shop", "1")]


def test_only_so_many_are_listed(asked):
    assert len(ranked("agent", "--limit", "1", *asked)) == 1
    assert len(run("team", *SINCE, "--limit", "1", *asked).stdout.splitlines()) == 3


def test_nothing_since_then_is_no_error(asked):
    answer = run("--since", "2026-11-25", *asked)
    assert (answer.exit_code, answer.stdout, "Nothing was spent" in answer.stderr) == (0, "", True)


@pytest.mark.parametrize("wrong", [("colour",), ("--csv", "--json"), ("--every", "0")])
def test_a_wrong_use_is_told_apart(wrong):
    assert run(*wrong).exit_code == 2


def test_a_watch_looks_again_and_lives_through_an_outage():
    screen, over, looks = Console(file=io.StringIO(), width=40, force_terminal=True), Event(), []

    def look():
        looks.append(1)
        if len(looks) == 2:
            raise terminal.Trouble("nobody answers")
        if len(looks) == 3:
            over.set()
        return ("first", "", "third")[len(looks) - 1]

    ranking.watch(screen, look, 0.001, over)
    drawn = screen.file.getvalue()
    assert (len(looks), *(each in drawn for each in ("first", "nobody answers", "third"))) == (3, True, True, True)


def test_a_watch_ends_where_it_is_interrupted():
    def look():
        raise KeyboardInterrupt

    ranking.watch(Console(file=io.StringIO()), look, 60)
