"""What is told of a program whose processes were not metered, or called nobody."""

import os
from pathlib import Path

import pytest

from tokentrace_collector.cli import program
from tokentrace_collector.cli.program import Metered


@pytest.mark.parametrize(
    ("metered", "has_calls", "told"),
    [
        (Metered(1, {}), True, []),
        (Metered(1, {}), False, ["the program made no call to a model."]),
        (Metered(0, {}), False, ["no Python of the program could be metered; python -E, -I and -S leave us out."]),
        (Metered(0, {"/bin/python": "it"}), False, ["processes of /bin/python were not metered: it"]),
        (Metered(1, {"/bin/python": "it"}), True, ["processes of /bin/python were not metered: it"]),
    ],
)
def test_why_there_is_less_to_tell(metered, has_calls, told):
    assert list(program.explanations(metered, has_calls=has_calls)) == told


def test_notes_are_read_by_interpreter(tmp_path):
    (tmp_path / "1").write_text("/bin/python\n")
    (tmp_path / "2").write_text("/other/python\nModuleNotFoundError: no")
    assert program.noted(tmp_path) == Metered(1, {"/other/python": "ModuleNotFoundError: no"})


def test_the_environment_keeps_what_was_there_and_leads_to_the_collector(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", "/there")
    monkeypatch.setenv("TOKENTRACE_TAGS", "team=search")
    monkeypatch.setenv("TOKENTRACE_HEADERS", "authorization=secret")
    env = program.environment("http://127.0.0.1:1", "it", tmp_path)
    boot, _, rest = env["PYTHONPATH"].partition(os.pathsep)
    assert (Path(boot, "sitecustomize.py").exists(), rest, env["TOKENTRACE_TAGS"], env.get("TOKENTRACE_HEADERS")) == (
        True, "/there", "team=search,run=it", None,
    )  # fmt: skip
