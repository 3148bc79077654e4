"""`tokentrace export`, asking a store and asking a collector: the same files."""

import csv
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

PERIOD = ("--from", "2026-11-20", "--to", "2026-11-21")


@pytest.fixture(params=["store", "collector"])
def asked(request, ledger, led):
    """Options that lead to books with one call and a review of it."""
    ledger.priced_by("version: 1\nhuman_review: {rate_per_hour: 60}\n")
    ledger.call("a1", "s1", tokens={"input_text": 1000})
    ledger.review("a1", "s2", "s1", active=60)
    ledger.tick()
    with led(ledger.store, request.param) as options:
        yield options


def export(*arguments):
    return CliRunner().invoke(tokentrace, ["export", *arguments])


def test_a_file_is_written(asked, tmp_path):
    path = tmp_path / "focus.csv"
    result = export(*PERIOD, "--profile", "chargeback", "--issuer", "Acme IT", "--output", str(path), *asked)
    with path.open() as file:
        found = {each["x_ChargeKind"]: each for each in csv.DictReader(file)}
    assert (result.exit_code, result.output) == (0, "")
    assert {kind: each["BilledCost"] for kind, each in found.items()} == {
        "token": "0.002000000000",
        "review": "1.000000000000",
    }
    assert {each["InvoiceIssuerName"] for each in found.values()} == {"Acme IT"}


def test_parquet_is_written(asked, tmp_path):
    path = tmp_path / "focus.parquet"
    export(*PERIOD, "--focus", "1.2", "--format", "parquet", "--output", str(path), *asked)
    assert (path.read_bytes()[:4], path.read_bytes()[-4:]) == (b"PAR1", b"PAR1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-11-21", "--to", "2026-11-20"), "ends before it begins"),
        (("--from", "2026-11-20T10:30", "--to", "2026-11-21"), "whole hours"),
    ],
)
def test_a_wrong_period_is_refused(arguments, said, tmp_path):
    path = tmp_path / "focus.csv"
    result = export(*arguments, "--output", str(path))
    assert (result.exit_code != 0, said in str(result.exception) + result.output, path.exists()) == (True, True, False)


def test_the_commands_of_the_guide_run_as_they_stand(asked, tmp_path, monkeypatch):
    guide = (Path(__file__).parents[3] / "collector/README.md").read_text("utf-8")
    commands = re.findall(r"^tokentrace (export .*)$", guide, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    for line in commands:
        assert CliRunner().invoke(tokentrace, [*shlex.split(line), *asked]).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["commitments.csv", "november.csv", "november.parquet"]
