"""The table of frameworks in `sdk/README.md`, made of what the modules of `tokentrace.frameworks` say of themselves.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_frameworks_table.py` writes it anew.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from readme import STALE, standing
from releases import releases_of

from tokentrace.seams import install

TESTS = Path(__file__).parent / "frameworks"
HEAD = ("framework", "releases run", "what is told")


def table() -> str:
    """All that stands between the markers."""
    rows = [HEAD, ["---"] * len(HEAD), *map(_cells, install.FRAMEWORKS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(framework: str) -> tuple[str, ...]:
    module = import_module(f"tokentrace.frameworks.{framework}")
    library = module.INTEGRATION.library
    told = " ".join((module.__doc__ or "").partition("\n\n")[0].split())
    return f"`{library}`", ", ".join(releases_of(library)), told


def test_the_table_in_the_readme_is_made_of_what_the_modules_say():
    assert standing("frameworks", table()) == table(), STALE


@pytest.mark.parametrize("framework", install.FRAMEWORKS)
def test_a_framework_is_tested_in_environments_of_its_own(framework):
    library = import_module(f"tokentrace.frameworks.{framework}").INTEGRATION.library
    assert releases_of(library)
    assert (TESTS / f"test_{framework}.py").exists()
