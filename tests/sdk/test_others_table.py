"""The table in `sdk/README.md` of whoever else tells of calls, made of what `tests/sdk/others` runs.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_others_table.py` writes it anew.
"""

from __future__ import annotations

from others.all import OTHERS
from readme import STALE, standing

HEAD = ("who", "what it tells of a call", "why that is not counted beside ours")


def table() -> str:
    """All that stands between the markers."""
    rows = [HEAD, ["---"] * len(HEAD), *([other.name, other.tells, other.counted] for other in OTHERS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_the_table_in_the_readme_is_made_of_the_others_that_run():
    assert standing("others", table()) == table(), STALE
