"""The database, embedded or served: the only module that knows which."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DataError, Error, OperationalError

from tokentrace_collector import files
from tokentrace_collector.otlp import rows
from tokentrace_collector.store import clause, cluster, dsn

_TRANSIENT = frozenset({159, 164, 202, 203, 209, 210, 241, 242, 243, 252, 279, 285, 319, 425, 999})
"""ClickHouse codes that pass by themselves: time-outs, network, memory, disk, read-only, too many parts or queries."""

_driver: Any = clickhouse_connect
"""The driver types its parameters only in part, so that strict checking stops here, once."""

_PARAMETER = re.compile(r"\{\w+:[^}]+\}")

_HOUSEHOLD = frozenset({16, 60, 81, 192, 194, 497, 516})
"""ClickHouse codes that an operator puts right: a column, table, database, user or grant that is missing."""

_DATA = frozenset(
    {6, 25, 26, 27, 36, 38, 41, 43, 53, 69, 70, 72, 117, 128, 130, 131, 153, 190, 248, 306, 321, 349, 366, 376, 395}
    | {407, 436, 441, 444, 467, 469, 563, 565, 621, 632, 691, 760}
)
"""ClickHouse codes that blame a value: it cannot be parsed, converted, computed with, or is of no type or partition."""

_ENGINE = {"mark_cache_size": 256 << 20, "primary_index_cache_size": 256 << 20}
"""The embedded engine sizes its caches for a machine of its own; ours shares one with the application."""

_SESSION = {
    "session_timezone": "UTC",
    # A batch of ours is large and tokened; the server's own batching would only delay and blur it.
    "async_insert": 0,
    # Backfills span more days than the default of 100.
    "max_partitions_per_insert_block": 0,
    # A server may write 1.50 for an amount of 1.5; answers hand on amounts as it writes them.
    "output_format_decimal_trailing_zeros": 0,
    # A batch has hardly a duplicate, and readers expect them: looking for them costs as much as writing.
    "optimize_on_insert": 0,
}

_INSERTING = {
    # For keys of a table, of which a view over an insert has none; a fifth of its analysis.
    "optimize_and_compare_chain": 0,
    # For what filters and joins; here they only rewrite the layers of the views, which takes a fifth of an insert.
    "query_plan_filter_push_down": 0,
    "query_plan_merge_expressions": 0,
}
"""What an insert of spans says to the views that they pass through."""

_PROTOBUF = {
    "input_format_protobuf_oneof_presence": 1,
    "output_format_json_escape_forward_slashes": 0,
}


class StoreError(Exception):
    """The database refused: `code` is ClickHouse's own, None where the connection failed."""

    def __init__(
        self, message: str, *, code: int | None = None, is_transient: bool = False, blames_data: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        # Of a code nobody has thought of it is not known, and what was accepted is not given up on a guess.
        self.blames_data = blames_data or code in _DATA
        """Whether it is the rows that the database will not have, now or ever."""
        self.is_transient = is_transient or code in _TRANSIENT
        """Whether the same statement may succeed later, unchanged."""

    @property
    def blames_statement(self) -> bool:
        """Whether another statement for the same rows may be taken; else it is the database, or who we are to it."""
        # Without a code it is not the database that speaks, but a proxy before it.
        return not (self.is_transient or self.code is None or self.code in _HOUSEHOLD)


class Store:
    """One handle to the database. A handle serves one thread at a time; `sibling()` gives another thread its own."""

    def __init__(self, address: dsn.Dsn, client: Any) -> None:
        self.address = address
        self._client = client
        self._reading = _reading(address)
        self._pid = os.getpid()

    @classmethod
    def open(cls, address: str | dsn.Dsn) -> Store:
        """A handle to the database that a store address names; the tables come from `schema.apply`."""
        where = dsn.parse(address) if isinstance(address, str) else address
        with _our_errors():
            client = _connect(where)
        client.database = where.database
        return cls(where, client)

    def query(self, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a SELECT, times as aware UTC; values are bound by the server as {name:Type}."""
        with self._ours(sql, parameters):
            result = self._client.query(sql, parameters=parameters, tz_mode="aware")
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def file(self, sql: str, form: str, /, *, settings: Mapping[str, Any], **parameters: Any) -> bytes:
        """The rows of a SELECT as a file in a format of the engine."""
        with self._ours(sql, parameters):
            content: bytes = self._client.raw_query(sql, parameters=parameters, settings=dict(settings), fmt=form)
        return content

    def run(self, sql: str, /, *, settings: Mapping[str, Any] | None = None, **parameters: Any) -> None:
        """Do what a statement says: DDL, INSERT … SELECT, ALTER."""
        with self._ours(sql, parameters):
            beside = dict(settings or {})
            if self.address.embedded:
                # Beside a statement, each of them would be set before it and put back after it, by others.
                sql, beside = clause.said(sql, beside)
            self._client.command(sql, parameters=parameters, settings=beside)

    def insert(
        self, table: str, columns: Sequence[str], data: Sequence[Sequence[Any]], *, token: str | None = None
    ) -> None:
        """Append rows given column by column; the same token again within the table's window appends nothing."""
        settings = _INSERTING | ({"insert_deduplication_token": token} if token else {})
        with self._ours():
            self._client.insert(table, data, column_names=columns, column_oriented=True, settings=settings)

    def insert_spans(self, bodies: Sequence[bytes], *, tenant: str, token: str) -> bool:
        """Append the spans of accepted OTLP requests to `otel_traces`, once per token; says if the engine read them."""
        if self.reads_protobuf and self._inserted_raw(bodies, tenant, token):
            return True
        self.insert("otel_traces", rows.COLUMNS, rows.columns(bodies, tenant=tenant), token=token)
        return False

    @cached_property
    def reads_protobuf(self) -> bool:
        """Whether the engine takes OTLP as it is; ClickHouse Cloud and old servers do not."""
        return self._inserted_raw((b"",), "", "probe")

    def _inserted_raw(self, bodies: Sequence[bytes], tenant: str, token: str) -> bool:
        """Hand requests to the engine as received; False where it refuses what Python columns may still express."""
        block = b"".join(_enveloped(bodies, tenant))
        settings = {**self._reading, "insert_deduplication_token": token}
        try:
            with self._ours():
                self._client.raw_insert("otlp_requests", insert_block=block, fmt="Protobuf", settings=settings)
        except StoreError as error:
            if not error.blames_statement:
                raise
            return False
        return True

    def create_database(self) -> None:
        """Make the database of this store, if it is not there."""
        with self._ours():
            # A user who may use a database often may not create one, not even one that exists.
            name = cluster.quoted(self.address.database)
            if not self._client.command(f"EXISTS DATABASE {name}", use_database=False):
                self._client.command(f"CREATE DATABASE IF NOT EXISTS {name}{self._everywhere}", use_database=False)

    def drop_database(self) -> None:
        """Remove the database of this store and everything in it."""
        with self._ours():
            name = cluster.quoted(self.address.database)
            self._client.command(f"DROP DATABASE IF EXISTS {name}{self._everywhere} SYNC", use_database=False)

    @property
    def _everywhere(self) -> str:
        return f" ON CLUSTER {cluster.quoted(self.address.cluster)}" if self.address.cluster else ""

    def sibling(self) -> Store:
        """Another handle to the same database, for another thread."""
        return Store.open(self.address)

    def close(self) -> None:
        """Give the handle back; the embedded engine stops with its last one."""
        if self._pid == os.getpid():
            self._client.close()

    @contextmanager
    def _ours(self, sql: str = "", parameters: Mapping[str, Any] | None = None) -> Generator[None]:
        if self._pid != os.getpid():
            raise StoreError("The store was opened before a fork. Open it in the child, or start the child with spawn.")
        if parameters and not _PARAMETER.search(sql):
            # Without one the driver would paste the values into the text itself.
            raise StoreError(f"The statement binds no {{name:Type}}, but got {sorted(parameters)}: {sql[:80]!r}.")
        with _our_errors():
            yield


@contextmanager
def _our_errors() -> Generator[None]:
    try:
        yield
    except Error as error:
        # The driver reports a lost connection and a refused one as this, without a code.
        unreachable = isinstance(error, OperationalError) and error.code is None
        # Values that it cannot write, it does not even send.
        unwritable = isinstance(error, DataError) and error.code is None
        raise StoreError(str(error), code=error.code, is_transient=unreachable, blames_data=unwritable) from error


def _connect(where: dsn.Dsn) -> Any:
    if where.embedded:
        where.engine_path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = str(where.engine_path)
        return _driver.get_client(interface="chdb", path=path, settings=_SESSION, chdb_options=_ENGINE)
    return _driver.get_client(
        host=where.host,
        port=where.port,
        username=where.user,
        password=where.password,
        secure=where.secure,
        send_receive_timeout=where.timeout,
        settings=_SESSION | (cluster.SETTINGS if where.cluster else {}),
        # Two threads of one process, and two statements of one thread, must not wait for one another's session.
        autogenerate_session_id=False,
    )


def _reading(address: dsn.Dsn) -> dict[str, Any]:
    """The settings by which the engine reads OTLP."""
    path = files.root() / "otlp.proto"
    if address.embedded:
        # Given as text, the schema would be cached in a directory that the engine makes where the process runs.
        return {**_INSERTING, **_PROTOBUF, "format_schema": f"{path}:Envelope"}
    schema = {"format_schema_source": "string", "format_schema": path.read_text()}
    return {**_INSERTING, **_PROTOBUF, **schema, "format_schema_message_name": "Envelope"}


def _enveloped(bodies: Sequence[bytes], tenant: str) -> Iterator[bytes]:
    """Requests as messages of `otlp.proto`'s Envelope, each with its length before it, in pieces."""
    owner = b"\x12" + _varint(len(tenant.encode())) + tenant.encode()
    for body in bodies:
        head = b"\x0a" + _varint(len(body))
        yield from (_varint(len(head) + len(body) + len(owner)), head, body, owner)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - protobuf's seven bits a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
