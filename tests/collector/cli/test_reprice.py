"""Other prices tried beside the books, compared, and adopted."""

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.prices.book import parse
from tokentrace_collector.rollup.orders import Repricing

DAY = 86_400
DEARER = """
version: 1
rates:
  - {provider: openai, model: "gpt-6*", prices: {input_text: 10}}
  - {provider: openai, model: none-such, prices: {input_text: 1}}
gpu_pools:
  - {id: h, hourly_cost: 2, match: {provider: vllm}, from: 2026-11-20T10:00:00, to: 2026-11-20T11:00:00}
"""
TEAM = "tokentrace.attribution.team"


@pytest.fixture
def books(ledger):
    ledger.call("a", "1", tokens={"input_text": 1_000}, said={TEAM: "shop"})
    ledger.call("b", "1", tokens={"input_text": 3_000}, at=DAY, said={TEAM: "search"})
    ledger.call("c", "1", tokens={"input_text": 5_000}, model="none-such", said={TEAM: "search"})
    ledger.call("d", "1", tokens={"input_text": 5_000}, provider="vllm", model="v", seconds=1800)
    ledger.tick()
    return ledger


def tables(store):
    return {row["name"] for row in store.query("SELECT name FROM system.tables WHERE database = currentDatabase()")}


def run(*arguments):
    return CliRunner().invoke(tokentrace, list(arguments), env={"COLUMNS": "110"})


def sides(found, by):
    return {each["name"]: (each["before"], each["after"], each["delta"]) for each in found if each["by"] == by}


def test_a_trial_says_what_would_change_and_changes_nothing(books):
    before, known = books.everything(), tables(books.store)
    found = books.rollup.reprice(Repricing(parse(DEARER))).repriced
    books.tick()
    assert (books.everything(), tables(books.store)) == (before, known)
    assert sides(found, "all") == {"": ("0.008", "2.045", "2.037")}
    assert sides(found, "model") == {
        "gpt-6-sol": ("0.008", "0.04", "0.032"), "none-such": ("0", "0.005", "0.005"), "v": ("0", "2", "2"),
    }  # fmt: skip
    assert sides(found, "team")["search"] == ("0.006", "0.035", "0.029")
    gaps = {each["name"]: (each["unpriced_before"], each["unpriced_after"]) for each in found if each["by"] == "model"}
    assert gaps == {"gpt-6-sol": (0, 0), "none-such": (1, 0), "v": (1, 0)}


def test_what_a_trial_said_is_what_adopting_gives(books):
    found = books.rollup.reprice(Repricing(parse(DEARER), adopt=True)).repriced
    total = sum(row["total"] for row in books.store.query("SELECT total FROM tcoai_by_trace FINAL"))
    adopted = {table: rows for table, rows in books.everything().items() if table != "tcoai_by_hour"}
    books.priced_by(DEARER).rollup.rebuild()
    assert adopted == {table: rows for table, rows in books.everything().items() if table != "tcoai_by_hour"}
    assert Decimal(sides(found, "all")[""][1]) == total


def test_only_the_hours_that_are_asked_for_are_compared(books):
    since = books.store.query("SELECT max(hour) AS hour FROM call_costs FINAL")[0]["hour"]
    found = books.rollup.reprice(Repricing(parse(DEARER), since=since)).repriced
    assert sides(found, "all") == {"": ("0.006", "0.03", "0.024")}


def test_a_book_that_cannot_be_read_is_explained(books, led, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text("version: 2")
    with led(books.store, "store") as asked:
        answer = run("reprice", "--book", str(book), "--adopt", *asked)
    assert (answer.exit_code, "version: 1" in answer.stderr) == (2, True)


@pytest.mark.parametrize("how", ["store", "collector"])
def test_a_run_that_was_left_is_read_as_it_was(books, led, tmp_path, how):
    (earlier,) = books.store.query("SELECT value FROM rollup_state FINAL WHERE name = 'rating_run'")
    book = tmp_path / "book.yaml"
    book.write_text(DEARER)
    with led(books.store, how) as asked:
        then = run("report", "--by", "team", "--json", *asked).stdout
        tried = json.loads(run("reprice", "--book", str(book), "--json", *asked).stdout)
        assert run("report", "--by", "team", "--json", *asked).stdout == then
        answer = run("reprice", "--book", str(book), "--adopt", *asked)
        assert (answer.exit_code, tried["rating_run"] in answer.stderr, "$2.0450" in answer.stdout) == (0, True, True)
        assert run("report", "--by", "team", "--json", *asked).stdout != then
        assert run("report", "--by", "team", "--json", "--run", earlier["value"], *asked).stdout == then
        again = json.loads(run("reprice", "--json", *asked).stdout)
        assert sides(again["repriced"], "all") == {"": ("2.045", "2.045", "0")}
        assert run("report", "--by", "customer", "--run", earlier["value"], *asked).exit_code == 2
