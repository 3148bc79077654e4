"""The table in `sdk/README.md` of whoever else tells of calls, made of what `tests/sdk/others` runs.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_others_table.py` writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from others.all import OTHERS

README = Path(__file__).parents[2] / "sdk" / "README.md"
BEGIN, END = "<!-- others:begin -->\n", "<!-- others:end -->"
HEAD = ("who", "what it tells of a call", "why that is not counted beside ours")


def table() -> str:
    """All that stands between the markers."""
    rows = [HEAD, ["---"] * len(HEAD), *([other.name, other.tells, other.counted] for other in OTHERS)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_the_table_in_the_readme_is_made_of_the_others_that_run():
    before, _, rest = README.read_text().partition(BEGIN)
    found, _, after = rest.partition(END)
    if os.environ.get("TOKENTRACE_REGENERATE") == "1":
        README.write_text(f"{before}{BEGIN}{table()}{END}{after}")
        return
    assert found == table(), "Regenerate it with TOKENTRACE_REGENERATE=1."
