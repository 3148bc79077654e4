"""The table of dialects in the guide, made of the very data that spans are read by.

`TOKENTRACE_REGENERATE=1 pytest tests/collector/test_dialects_table.py` writes it anew.
"""

from __future__ import annotations

import os
from pathlib import Path

from tokentrace_collector.store.dialects import Dialect, dialects

GUIDE = Path(__file__).parents[2] / "schemas/README.md"
BEGIN, END = "<!-- dialects:begin -->\n", "<!-- dialects:end -->"


def table() -> str:
    """All that stands between the markers."""
    named: dict[str, list[Dialect]] = {}
    for each in dialects():
        named.setdefault(each.name, []).append(each)
    lines = ["| dialect | known by | input | beside it | seen at work |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(name, variants) for name, variants in named.items()), ""])


def _row(name: str, variants: list[Dialect]) -> str:
    last = variants[-1]
    signs = [*last.scopes[:3], *(["…"] if len(last.scopes) > 3 else []), *last.attributes[:1]]
    beside = sorted({part for each in variants for part in each.apart})
    known, keys = (
        ", ".join(f"`{each}`" if each != "…" else each for each in some) for some in (signs, last.keys["input"][:1])
    )
    told = f"{', '.join(beside)}{' of some' if not all(each.apart for each in variants) else ''}" if beside else ""
    return f"| `{name}` | {known} | {keys} | {told} | {'yes' if any(each.measured for each in variants) else 'no'} |"


def test_the_guide_shows_the_dialects():
    text = GUIDE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    expected = before + BEGIN + table() + END + after
    if os.environ.get("TOKENTRACE_REGENERATE"):
        GUIDE.write_text(expected, "utf-8")
    assert text == expected or os.environ.get("TOKENTRACE_REGENERATE")
