"""What an application would be metered with: the report of the SDK, from the interpreter that the application has."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Literal

_PATIENCE = 300.0
"""Seconds: every client that is installed is imported."""
_ABSENT = "No module named 'tokentrace"

Line = tuple[Literal["ok", "note", "failed"], str, str]
"""How a thing is, what it is, and what was found."""


def findings(python: str) -> list[Line]:
    """The report, line by line; where there is none, why."""
    # -P: a file named openai.py in the user's directory is not the client.
    command = [python, "-P", "-m", "tokentrace.diagnosis"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603
    except OSError as error:
        return [_failed(f"{python} cannot be run: {error}. Name an interpreter with --python.")]
    except subprocess.TimeoutExpired:
        return [_failed(f"{python} was not done with its imports after {_PATIENCE:g} s.")]
    try:
        report: Any = json.loads(done.stdout)
    except ValueError:
        if _ABSENT in done.stderr:
            return [_failed(f"{python} lacks tokentrace. Install it there: `{python} -m pip install tokentrace`.")]
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return [_failed(f"The clients could not be looked at with {python}: {last}")]
    return [(state, check, found) for state, check, found in report["findings"]]


def _failed(told: str) -> Line:
    return ("failed", "installation", told)
