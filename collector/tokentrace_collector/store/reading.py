"""Handles of the embedded engine that can only read, with their own settings, for SQL that others write."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

from tokentrace_collector.store import cluster
from tokentrace_collector.store.database import StoreError
from tokentrace_collector.store.dsn import Dsn

_CODE = re.compile(r"Code: (\d+)\.")


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine answers."""

    content: bytes
    rows: int
    seconds: float


class Handle:
    """A handle that its owner has made read-only."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str, form: str, parameters: Mapping[str, str] | None = None) -> Result:
        """What a statement gives, in a format of the engine; parameters as text, escaped as in TSV."""
        with _our_errors():
            found = self._connection.query(sql, form, params=dict(parameters or {}))
            return Result(found.bytes() or b"", found.rows_read(), found.elapsed())

    def names(self, sql: str) -> list[str]:
        """The only column of a SELECT, whose values are plain names."""
        return self.query(sql, "TSVRaw").content.decode().splitlines()


class Reader:
    """Makes such handles to the embedded engine that a store address names."""

    def __init__(self, address: Dsn) -> None:
        self._path = str(address.engine_path)

    @contextmanager
    def reading(self, database: str, settings: Mapping[str, str | int | float]) -> Generator[Handle]:
        """A handle in a database, whose settings nothing that is asked through it can change."""
        with self._opened() as connection:
            with _our_errors():
                for name, value in settings.items():
                    connection.query(f"SET {name} = {_literal(value)}")
                connection.query(f"USE {cluster.quoted(database)}")
                # The last: it can be neither taken back nor followed by another.
                connection.query("SET readonly = 1")
            yield Handle(connection)

    def make(self, database: str, statements: Sequence[str]) -> None:
        """Make a database that ends with the process, and run statements in it."""
        name = cluster.quoted(database)
        with self._opened() as connection, _our_errors():
            connection.query(f"DROP DATABASE IF EXISTS {name}")
            connection.query(f"CREATE DATABASE {name} ENGINE = Memory")
            connection.query(f"USE {name}")
            for statement in statements:
                connection.query(statement)

    def drop(self, database: str) -> None:
        """Remove such a database."""
        with self._opened() as connection, _our_errors():
            connection.query(f"DROP DATABASE IF EXISTS {cluster.quoted(database)}")

    @contextmanager
    def _opened(self) -> Generator[Any]:
        import chdb  # noqa: PLC0415 - a collector of a server need not have it

        with _our_errors():
            connection: Any = cast("Any", chdb).connect(self._path)
        with closing(connection):
            yield connection


def literal(text: str) -> str:
    """A string as SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _literal(value: str | float) -> str:
    return literal(value) if isinstance(value, str) else str(value)


@contextmanager
def _our_errors() -> Generator[None]:
    import chdb  # noqa: PLC0415 - as above

    try:
        yield
    except (chdb.ChdbError, RuntimeError) as error:
        said = str(error)
        code = _CODE.search(said)
        raise StoreError(said[code.start() :] if code else said, code=int(code[1]) if code else None) from error
