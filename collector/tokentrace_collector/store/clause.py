"""Settings of one statement, said in the statement."""

from __future__ import annotations

import re
from typing import Any

_INTO = re.compile(r"(?:\s|--[^\n]*\n)*INSERT INTO \w+(?: \((?:[^()]|\([^()]*\))*\))?(?=\s+(?:SELECT|WITH)\b)")


def said(sql: str, settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A statement that says its settings itself, and those that are left, as only an INSERT … SELECT says any."""
    into = _INTO.match(sql)
    if not settings or into is None:
        return sql, settings
    listed = ", ".join(f"{name} = {_written(value)}" for name, value in settings.items())
    return f"{into[0]} SETTINGS {listed}{sql[into.end() :]}", {}


def _written(value: Any) -> str:
    if isinstance(value, (bool, int)):
        return str(int(value))
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
