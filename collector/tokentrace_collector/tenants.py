"""Whose figures they are: each tenant sees its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

EVERYBODY = "default"
"""The tenant of whom nobody says otherwise; under it the prices of everybody are kept."""

CANARY = "tokentrace.canary"
"""The tenant of canaries, which no credential can name: what they leave is in nobody's books."""


class Tables(Protocol):
    """What answers SQL: a `Store`."""

    def query(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a SELECT."""
        ...

    def file(self, sql: str, form: str, /, *, settings: Mapping[str, Any], **parameters: Any) -> bytes:
        """What a SELECT gives, in a format of the engine."""
        ...


class Books:
    """What one tenant may see: a query that does not ask for its rows alone is not asked at all."""

    def __init__(self, tables: Tables, tenant: str = EVERYBODY) -> None:
        self._tables = tables
        self._tenant = tenant

    def query(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a SELECT that names `{tenant:String}`, and perhaps `{everybody:String}`."""
        return self._tables.query(sql, **self._own(sql, parameters))

    def file(self, sql: str, form: str, /, *, settings: Mapping[str, Any], **parameters: Any) -> bytes:
        """The same as a file, in a format of the engine."""
        return self._tables.file(sql, form, settings=settings, **self._own(sql, parameters))

    def _own(self, sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if "{tenant:String}" not in sql:
            raise ValueError("A query of books must ask for the rows of one tenant: compare with {tenant:String}.")
        everybody = {"everybody": EVERYBODY} if "{everybody:String}" in sql else {}
        return {**parameters, **everybody, "tenant": self._tenant}
