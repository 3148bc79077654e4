"""Every fault that is thought of has a test that bears its mark."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROWS: dict[str, str] = yaml.safe_load((HERE / "faults.yaml").read_text())


def marks() -> Iterator[tuple[str, str]]:
    """The rows that tests name, and the tests."""
    for path in sorted(HERE.rglob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for mark in map(ast.unparse, node.decorator_list):
                    if mark.startswith("pytest.mark.fault("):
                        yield ast.literal_eval(mark.removeprefix("pytest.mark.fault")), node.name


MARKS = list(marks())


@pytest.mark.parametrize("row", ROWS)
def test_a_fault_has_a_test(row: str):
    assert row in {named for named, _ in MARKS}


def test_a_test_names_a_fault_that_is_known():
    assert {named for named, _ in MARKS} - ROWS.keys() == set()
