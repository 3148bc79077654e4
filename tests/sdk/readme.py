"""Tables of a README that are made: they stand between two markers, and `TOKENTRACE_REGENERATE=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
STALE = "Regenerate it with TOKENTRACE_REGENERATE=1."


def standing(name: str, made: str, readme: Path = ROOT / "sdk" / "README.md") -> str:
    """What stands between the markers of a name, for which something was made."""
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
    before, _, rest = readme.read_text().partition(begin)
    found, _, after = rest.partition(end)
    if os.environ.get("TOKENTRACE_REGENERATE") == "1":
        readme.write_text(f"{before}{begin}{made}{end}{after}")
        return made
    return found
