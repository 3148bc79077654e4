"""`tokentrace report`, asking a store and asking a collector: the same answers."""

import csv
import io
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli import spending
from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.reports.documents.requests import COMPONENTS
from tokentrace_collector.reports.figures import multiples

HOUR = "2026-11-22T10:00"


def run(*arguments, columns=140):
    return CliRunner().invoke(tokentrace, ["report", *arguments], env={"COLUMNS": str(columns)})


@pytest.fixture(params=["store", "collector"])
def asked(request, ledger, led):
    """Options that lead to books with two teams, one of which calls itself a formula."""
    tokens = {"input_text": 1000}
    for number, team in enumerate(("search", "=1+1", "\x1b[2J")):
        said = {"tokentrace.attribution.team": team, "tokentrace.attribution.customer.id": "ada"}
        ledger.call(f"a{number}", "s1", tokens={"input_text": 1000 * (3 - number)}, said=said)
    ledger.call("a9", "s1", tokens=tokens, model="none-such", said={"tokentrace.attribution.team": "search"})
    ledger.tick()
    with led(ledger.store, request.param) as options:
        yield options


def rows(*arguments):
    return [json.loads(line) for line in run("--json", *arguments).stdout.splitlines()]


def test_what_was_spent_is_drawn_with_its_sum(asked):
    lines = run("--by", "team", *asked).stdout.splitlines()
    assert [word for word in lines[0].split() if word != "team"] == [
        "visible", "hidden", "orchestration", "errors", "people", "idle", "total", "share", "known",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["search", "=1+1", "(none)", "sum"]
    assert lines[1].split()[-6:] == ["≥", "$0.006000", "50.0", "%", "50", "%"]


def test_a_sum_that_rests_on_an_estimate_says_so(ledger, led):
    said = {"tokentrace.attribution.team": "guess", "tokentrace.usage.source": "estimated"}
    ledger.call("a", "1", tokens={"input_text": 1000}, said=said)
    ledger.call("b", "1", tokens={"input_text": 1000}, said={"tokentrace.attribution.team": "sure"})
    ledger.tick()
    with led(ledger.store, "store") as options:
        lines = run("--by", "team", *options).stdout.splitlines()
    totals = {line.split()[0]: next(word for word in reversed(line.split()) if "$" in word) for line in lines[1:]}
    assert totals == {"guess": "~$0.002000", "sure": "$0.002000", "sum": "~$0.004000"}


def test_a_narrow_screen_has_the_totals(asked):
    assert run("--by", "team", *asked, columns=70).stdout.split()[:4] == ["team", "total", "share", "known"]


def test_nothing_in_the_books_reaches_the_terminal_raw(asked):
    assert "\x1b[2J" not in run("--by", "team", *asked).stdout + run("--by", "team", "--csv", *asked).stdout


def test_as_json_there_is_a_document_a_line_with_every_digit(asked):
    first = rows("--by", "team", "--by", "model", *asked)[0]
    assert (first["group"], first["total"]) == ({"team": "search", "model": "gpt-6-sol"}, "0.006")


def test_as_csv_no_value_is_a_formula(asked):
    found = list(csv.DictReader(io.StringIO(run("--by", "team", "--csv", *asked).stdout)))
    assert [each["team"] for each in found] == ["search", "'=1+1", ""]
    assert sum(Decimal(each["total"]) for each in found) == Decimal("0.012")
    assert (found[0]["lines_priced"], found[0]["lines"]) == ("1", "2")


def test_all_others_and_time_have_names_in_csv(asked):
    found = list(
        csv.DictReader(io.StringIO(run("--by", "team", "--per", "day", "--limit", "1", "--csv", *asked).stdout))
    )
    assert [(each["period"], each["team"]) for each in found] == [
        ("2026-11-20", "search"),
        ("2026-11-20", "all others"),
    ]


@pytest.mark.parametrize(
    ("wanted", "totals"),
    [
        (("--team", "search"), ["0.006"]),
        (("--customer", "ada", "--by", "customer"), ["0.012"]),
        (("--since", "2026-11-20T10:30"), ["0.012"]),
        (("--until", "2026-11-20T10:30"), []),
        (("--per", "month", "--zone", "Asia/Tokyo"), ["0.012"]),
    ],
)
def test_the_question_reaches_the_books(asked, wanted, totals):
    assert [each["total"] for each in rows(*wanted, *asked)] == totals


def test_nothing_spent_is_no_error_and_no_data(asked):
    answer = run("--team", "nobody", *asked)
    assert (answer.exit_code, answer.stdout, "Nothing was spent" in answer.stderr) == (0, "", True)


@pytest.mark.parametrize("wrong", [("--zone", "Mars"), ("--by", "colour"), ("--csv", "--json")])
def test_a_wrong_use_is_told_apart(wrong):
    assert run(*wrong).exit_code == 2


def test_two_currencies_have_a_sum_each(drawn):
    def share(currency):
        parts = dict.fromkeys(COMPONENTS, "0") | {"visible": "1"}
        amount = {
            "total": "1",
            "components": parts,
            "estimated": "0",
            "allocated": "0",
            "corrections": "0",
            "tokens": "1",
        }
        ratios = multiples({name: Decimal(part) for name, part in parts.items()})
        known = {"lines": {"known": 1, "of": 1}, "population": None, "ratios": ratios}
        return {"period": None, "group": {}, "currency": currency, **known, **amount}

    lines = drawn(spending.draw, [share("USD"), share("EUR")], Breakdown())
    assert [line.split()[:2] for line in lines[1:]] == [
        ["everything", "$1.0000"], ["everything", "€1.0000"], ["sum", "€1.0000"], ["sum", "$1.0000"],
    ]  # fmt: skip


POOL = "version: 1\ngpu_pools: [{id: h, hourly_cost: 36, match: {provider: vllm}, to: 2026-11-20T11:00:00Z}]"


@pytest.mark.parametrize("way", ["store", "collector"])
def test_used_capacity_can_be_shown_as_infrastructure(ledger, led, way):
    ledger.priced_by(POOL).call(
        "t", "a", provider="vllm", model="own", role="answer", tokens={"output_text": 1}, seconds=900
    )
    ledger.span("later", "x", at=7_200)
    ledger.tick()
    with led(ledger.store, way) as options:
        plain, moved = (rows("--infra-view", view, *options)[0]["components"] for view in ("unused", "all"))
        heads = [run("--infra-view", view, *options).stdout.splitlines()[0].split() for view in ("unused", "all")]
    assert [(each["visible"], each["infrastructure"]) for each in (plain, moved)] == [("9", "27"), ("0", "36")]
    assert [head[head.index("people") + 1] for head in heads] == ["idle", "capacity"]


def test_the_page_says_what_is_infrastructure(ledger, led, tmp_path):
    ledger.priced_by(POOL).call("t", "a", provider="vllm", model="own", tokens={"output_text": 1}, seconds=900)
    ledger.tick()
    with led(ledger.store, "store") as options:
        run("--infra-view", "all", "--html", str(tmp_path / "page.html"), *options)
    assert ", used capacity as infrastructure" in (tmp_path / "page.html").read_text()
