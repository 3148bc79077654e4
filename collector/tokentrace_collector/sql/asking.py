"""A question of SQL, from its text to the engine's answer."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tokentrace_collector.access import Grant
from tokentrace_collector.allowance import Allowance
from tokentrace_collector.sql import statements
from tokentrace_collector.sql.errors import Code, QuestionError
from tokentrace_collector.sql.scopes import Scope, Scopes
from tokentrace_collector.store.database import StoreError
from tokentrace_collector.store.reading import Handle, Reader, Result

_FORMATS = frozenset({
    "Arrow", "ArrowStream", "CSV", "CSVWithNames",
    "CSVWithNamesAndTypes", "JSON", "JSONColumns", "JSONColumnsWithMetadata",
    "JSONCompact", "JSONCompactColumns", "JSONCompactEachRow", "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes", "JSONCompactStrings", "JSONEachRow", "JSONObjectEachRow", "JSONStrings",
    "JSONStringsEachRow", "Markdown", "Native", "Null",
    "Parquet", "Pretty", "PrettyCompact", "RowBinary", "RowBinaryWithNames",
    "RowBinaryWithNamesAndTypes", "TabSeparated", "TabSeparatedRaw", "TabSeparatedWithNames",
    "TabSeparatedWithNamesAndTypes", "TSV", "TSVRaw", "TSVWithNames",
    "TSVWithNamesAndTypes", "Values", "Vertical", "XML",
})  # fmt: skip
"""Formats that only write what is asked for."""

_LIMITS = {
    "max_execution_time": "query_seconds",
    "max_memory_usage": "query_memory_bytes",
    "max_result_rows": "query_rows",
    "max_result_bytes": "query_result_bytes",
}
"""Settings that a client may lower, and the limits that they cannot be above."""

_FREE = frozenset({
    "date_time_output_format", "extremes", "join_use_nulls",
    "log_comment", "max_block_size", "output_format_arrow_string_as_string",
    "output_format_decimal_trailing_zeros", "output_format_json_quote_64bit_floats",
    "output_format_json_quote_64bit_integers",
    "output_format_json_quote_decimals", "output_format_json_quote_denormals",
    "output_format_json_named_tuples_as_objects", "output_format_native_encode_types_in_binary_format",
    "prefer_column_name_to_alias", "session_timezone",
})  # fmt: skip
"""Settings that a client may choose: they change how an answer is written."""

_SAID = frozenset({"result_overflow_mode", "timeout_overflow_mode", "readonly"})
"""Settings that clients send although what they ask for is so, or is not theirs to say; left aside."""

_JUDGING = {"max_execution_time": 10}
_ALL_AT_ONCE = 8
"""Questions of all that are under way at once: those who wait for a thread would keep it from the query API."""
_POLITENESS = 5
"""How far the threads of a question stand behind those that store what is sent (the nice value)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    text: str
    database: str = ""
    form: str = "TabSeparated"
    """The format where the statement names none."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and in which format."""

    result: Result
    form: str


class Questions:
    """Answers SQL about a store, each credential within its limits."""

    def __init__(self, reader: Reader, scopes: Scopes, allowance: Allowance) -> None:
        self._reader = reader
        self._scopes = scopes
        self._general = allowance
        self._under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, grant: Grant, asked: Question) -> Answer:
        """The answer; raises QuestionError where it is not given, StoreError where the engine has none."""
        allowance = grant.limits.over(self._general)
        with self._turn(grant.name, allowance):
            scope = self._scopes.of(grant.tenant)
            if asked.database and asked.database not in scope.homes:
                raise QuestionError(Code.UNKNOWN_DATABASE, f"Database {asked.database} does not exist.")
            statement = statements.read(asked.text, scope.homes, scope.moved)
            form = statement.form or asked.form
            if form not in _FORMATS:
                raise QuestionError(Code.UNKNOWN_FORMAT, f"The format {form!r} is not written here. Use another.")
            settings = _settings({**asked.settings, **statement.settings}, allowance) | dict(scope.settings)
            try:
                # The limits are of the answer, and not of what is asked to judge the question.
                with self._reader.reading(scope.database, _JUDGING) as engine:
                    _check(engine, scope, statement.sql, asked.parameters)
                with self._reader.reading(scope.database, settings) as engine:
                    return Answer(engine.query(statement.sql, form, asked.parameters), form)
            except StoreError as error:
                raise _told(error, scope) from error

    @contextmanager
    def _turn(self, name: str, allowance: Allowance) -> Generator[None]:
        with self._lock:
            most = min(allowance.queries or _ALL_AT_ONCE, _ALL_AT_ONCE)
            if self._under_way[name] >= most or self._under_way.total() >= _ALL_AT_ONCE:
                raise QuestionError(
                    Code.TOO_MANY_SIMULTANEOUS_QUERIES,
                    f"{name!r} has {self._under_way[name]} queries under way, of at most {most}. Come again.",
                )
            self._under_way[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[name] -= 1


def _check(engine: Handle, scope: Scope, sql: str, parameters: Mapping[str, str]) -> None:
    # The function parses and no more: what it takes is one statement, so that no other can follow what is explained.
    engine.query("SELECT formatQuery({sql:String}) FORMAT Null", "Null", {"sql": _as_tsv(sql)})
    tree = engine.query(f"EXPLAIN AST {sql}", "TSVRaw", parameters).content.decode("utf-8", "replace")
    scope.rules.check(tree, engine.names("SELECT name FROM system.databases"))


def _settings(asked: Mapping[str, str], allowance: Allowance) -> dict[str, str | int | float]:
    """The settings of a question: the limits, and what a client may say about them and its format."""
    settings: dict[str, str | int | float] = {
        # One thread less than there are processors is left to those who send.
        "max_threads": max(1, (os.cpu_count() or 1) // 2),
        "os_thread_priority": _POLITENESS,
        "session_timezone": "UTC",
        "result_overflow_mode": "throw",
        "timeout_overflow_mode": "throw",
        **{setting: getattr(allowance, limit) or 0 for setting, limit in _LIMITS.items()},
    }
    for name, value in asked.items():
        if name in _LIMITS:
            settings[name] = _lower(name, value, float(settings[name]))
        elif name in _FREE:
            settings[name] = value
        elif name not in _SAID:
            raise QuestionError(Code.READONLY, f"Cannot modify {name!r} setting in readonly mode. Leave it out.")
    return settings


def _lower(name: str, value: str, most: float) -> int | float:
    try:
        wanted = float(value)
    except ValueError:
        raise QuestionError(Code.READONLY, f"{name}={value!r} is no number.") from None
    if not 0 < wanted < most:
        return most if name == "max_execution_time" else int(most)
    return wanted if name == "max_execution_time" else max(1, int(wanted))


def _told(error: StoreError, scope: Scope) -> QuestionError:
    """What a client hears of an error of the engine."""
    code = error.code or 0
    # The engine would guess which table was meant, also out of databases of others.
    if not scope.is_whole and code in {Code.UNKNOWN_TABLE, Code.UNKNOWN_DATABASE}:
        return QuestionError(code, "There is no such table here. SHOW TABLES lists all.")
    return QuestionError(code, str(error).partition("DB::Exception: ")[2] or str(error))


def _as_tsv(text: str) -> str:
    return (
        text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
    )
