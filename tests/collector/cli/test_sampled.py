"""Where a sampler kept some calls: what the commands show of it, asking a collector."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

STATES = (("a", "ot=th:c;rv:ffffffffffffff"), ("a", ""), ("b", "ot=th:8;rv:ffffffffffffff"), ("c", ""))


@pytest.fixture(scope="module")
def kept(fresh_ledger):
    """Three teams; of the calls of one a sampler kept every fourth, of those of another every other one."""
    ledger = fresh_ledger()
    for number, (team, state) in enumerate(STATES):
        said, usage = {"tokentrace.attribution.team": team}, {"input_tokens": 1000, "output_tokens": 10}
        ledger.foreign(f"{number:032x}", "s", at=number, usage=usage, said=said, state=state)
    ledger.tick()
    return ledger


@pytest.fixture
def ask(kept, led):
    """Gives what a command prints of these books."""

    def answer(*arguments):
        with led(kept.store, "collector") as options:
            found = CliRunner().invoke(tokentrace, [*arguments, *options], env={"COLUMNS": "150"})
        assert found.exit_code == 0, found.output
        return found.stdout

    return answer


def test_a_report_prints_a_lower_bound_where_and_only_where_a_sampler_had_a_hand(ask):
    """Beside what there was in all, as an estimate."""
    *rows, more = ask("report", "--by", "team").splitlines()
    assert {line.split()[0]: ("≥" in line, line.split("%")[-2].split()[-1]) for line in rows[1:]} == {
        "a": (True, "40"), "b": (True, "50"), "c": (False, "100"), "sum": (True, "50"),
    }  # fmt: skip
    assert ("est. population" in rows[0], "~$0.0168" in rows[-1]) == (True, True)
    assert more == (
        "2 of 4 calls stand for more than themselves, as a sampler kept them: ~8 calls, ~8,080 tokens, ~$0.016800 in all"
    )


def test_files_have_the_estimate_to_the_last_digit(ask, tmp_path):
    found = {row["team"]: row for row in csv.DictReader(io.StringIO(ask("report", "--by", "team", "--csv")))}
    told = [(each["sampling_unit"], each["estimated_population_total"]) for each in found.values()]
    assert told == [("calls", "0.0105"), ("calls", "0.0042"), ("calls", "")]
    ask("report", "--by", "team", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()
    assert ('<data value="0.0168">~$0.016800</data>' in page, "2 of 4 calls stand for more" in page) == (True, True)


def test_documents_have_the_ratios_too(ask):
    (found,) = map(json.loads, ask("report", "--json", "--team", "b").splitlines())
    assert found["population"] == {
        "unit": "calls", "observed": 1, "estimated_count": "2", "estimated_tokens": "2020", "estimated_total": "0.0042",
        "coverage": 0.5,
        "sampled": [{"numerator": "2", "denominator": "1", "observed": 1, "tokens": "1010", "cost": "0.0021"}],
    }  # fmt: skip


def test_requests_say_what_they_stand_for_and_are_no_lower_bounds(ask):
    head, *rows = ask("traces").splitlines()
    assert ("stands for" in head, [row.split()[5] for row in rows], "≥" in "".join(rows)) == (
        True,
        ["1,010", "2", "1,010", "4"],
        False,
    )
    assert "1 of 1 calls were kept by a sampler, and stand for 4 calls each" in ask("trace", "0" * 32)
