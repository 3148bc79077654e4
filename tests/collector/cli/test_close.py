"""`tokentrace close`, of a store and of a collector: the same answers."""

import json

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

CALL = {"input_text": 1_000, "output_text": 100}
OCTOBER = -30 * 86_400


def run(command, *arguments):
    return CliRunner().invoke(tokentrace, [command, *arguments], env={"COLUMNS": "140"})


@pytest.fixture(params=["store", "collector"])
def asked(request, ledger, led):
    """Options that lead to books of which a month is long over."""
    ledger.call("a", "1", at=OCTOBER, tokens=CALL)
    ledger.tick()
    with led(ledger.store, request.param) as options:
        yield options


def test_a_month_is_closed_and_corrected(asked, ledger):
    assert run("close", "--list", *asked).stderr.startswith("No month is closed yet.")
    (october,) = json.loads(run("close", "2026-10", "--json", *asked).stdout)["months"]
    booked = {"charge_period": "2026-10", "booking_period": "2026-10", "currency": "USD", "amount": "0.003"}
    assert october["charges"] == [booked | {"lines": 2, "unpriced": 0}]
    ledger.call("late", "1", at=OCTOBER, tokens=CALL)
    ledger.tick()
    lines = [line.split() for line in run("close", "--list", *asked).stdout.splitlines()]
    assert [line[:1] + line[2:] for line in lines[1:]] == [
        ["2026-10", "$0.003000"],
        ["2026-11", "correction", "of", "2026-10", "$0.003000"],
    ]
    assert lines[2][1] == "open"
    (head, row, *_) = run("report", "--per", "month", *asked).stdout.splitlines()
    assert "corrections" in head
    assert row.split()[0] == "2026-10"
    (found,) = [
        json.loads(line) for line in run("report", "--charge-period", "2026-10", "--json", *asked).stdout.splitlines()
    ]
    assert (found["total"], found["corrections"]) == ("0.006", "0.003")


@pytest.mark.parametrize(
    ("month", "told"),
    [
        ("2026-13", "'2026-13' is no month. Write it like 2026-10"),
        ("2026-11-01", "is no month"),
        ("2999-01", "has not ended"),
    ],
)
def test_a_month_that_is_none_is_refused(asked, month, told):
    answer = run("close", month, *asked)
    assert (answer.exit_code, told in answer.stderr) == (2, True)


@pytest.mark.parametrize("wrong", [(), ("2026-10", "--list")])
def test_a_wrong_use_is_told_apart(wrong):
    assert run("close", *wrong).exit_code == 2
