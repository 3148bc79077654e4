"""What each who asks can see: for a tenant, a database of views that hold its rows and nothing else."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tokentrace_collector.sql.functions import Functions
from tokentrace_collector.sql.rules import Rules
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store
from tokentrace_collector.store.reading import Reader, literal
from tokentrace_collector.tenants import EVERYBODY

_OPEN = ("one", "numbers", "settings", "functions", "formats", "data_type_families", "table_functions", "time_zones")
"""Tables of the system that tell of the engine, and nothing of what it holds."""

_OPERATORS = (
    "tables",
    "columns",
    "databases",
    "parts",
    "merges",
    "mutations",
    "processes",
    "metrics",
    "events",
    "errors",
)
"""Those that a credential of no tenant may read, too."""

_OF_EVERYBODY = frozenset({"price_rates", "price_fallbacks", "rating_runs"})
"""Tables in which the rows of everybody are everybody's."""

_IN_PART = {"rollup_state": "name = 'kept'"}
"""Tables of which views need some rows of everybody, that tell nothing of anybody."""

_INTERNAL = frozenset(
    {"touched_traces", "taken_traces", "deletion_marks", "deletion_corrections", "schema_versions", "otlp_requests"}
)

_BARRIER = {
    "enable_analyzer": 1,
    # Else the conditions of a question could be moved below the filter of a view, and fail, or not, by rows of others.
    "query_plan_enable_optimizations": 0,
    "enable_optimize_predicate_expression": 0,
    "analyzer_inline_views": 0,
    # The rows that were read are those of the granules, in which there may be rows of others.
    "output_format_write_statistics": 0,
}

_TABLES = """
SELECT
    columns.table AS table,
    arrayStringConcat(groupArray(concat('`', columns.name, '`')), ', ') AS names,
    anyIf(columns.name, lower(columns.name) = 'tenant') AS owner,
    any(tables.engine) != 'MergeTree' AS replaces
FROM (
    SELECT table, name
    FROM system.columns
    WHERE database = {database:String}
    ORDER BY table, position
) AS columns
INNER JOIN (
    SELECT name, engine
    FROM system.tables
    WHERE database = {database:String} AND engine LIKE '%MergeTree'
) AS tables ON tables.name = columns.table
GROUP BY table
HAVING owner != ''
"""

_CATALOGUE = {
    "tables": "name, engine, comment, is_temporary",
    "columns": "table, name, type, position, default_kind, comment",
    "databases": "engine, comment",
}
"""What a tenant reads of the system's own tables, of its database."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a question is asked, and what it may name."""

    database: str
    rules: Rules
    homes: frozenset[str]
    """Names of databases that mean this one."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tables that are found under another name."""
    settings: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    is_whole: bool = True
    """Whether everything may be seen that there is."""


class Scopes:
    """The scopes of a store, each made when it is first asked for."""

    def __init__(self, store: Store, reader: Reader) -> None:
        self._store = store
        self._reader = reader
        self._database = store.address.database
        self._others = f"{self._database}_of_"
        self._made: dict[str, Scope] = {}
        self._lock = threading.Lock()

    def of(self, tenant: str) -> Scope:
        """The scope of a tenant; empty: of no tenant, which sees all."""
        with self._lock:
            if tenant not in self._made:
                self._made[tenant] = self._tenants(tenant) if tenant else self._whole()
            return self._made[tenant]

    def close(self) -> None:
        """Take the databases of the tenants away."""
        with self._lock:
            for scope in self._made.values():
                if not scope.is_whole:
                    self._reader.drop(scope.database)
            self._made.clear()

    def _whole(self) -> Scope:
        named = [f"system.{name}" for name in (*_OPEN, *_OPERATORS)]
        rules = Rules(self._functions(), frozenset(named), self._others, may_explain=True)
        return Scope(self._database, rules, frozenset({self._database, "default"}))

    def _tenants(self, tenant: str) -> Scope:
        database = f"{self._others}{hashlib.sha256(tenant.encode()).hexdigest()[:32]}"
        owned = {row["table"]: row for row in self._store.query(_TABLES, database=self._database)}
        kept = {name: _kept(name, row["owner"], tenant) for name, row in owned.items()}
        shown = {
            name: row
            for name, row in owned.items()
            if name in _IN_PART or (name not in _INTERNAL and not name.startswith("rollup_"))
        }
        views = [_view(self._database, name, row, kept[name]) for name, row in shown.items()]
        views += [each.replace("CREATE OR REPLACE VIEW", "CREATE VIEW") for each in schema.plain_views()]
        views += [_catalogue(name, columns, database) for name, columns in _CATALOGUE.items()]
        self._reader.make(database, views)
        # A second wall: what is read of the tables themselves is of the tenant, even if something names one.
        filters = [_filter(f"{self._database}.{name}", condition) for name, condition in kept.items()]
        return Scope(
            database=database,
            rules=Rules(self._functions(), frozenset(f"system.{name}" for name in _OPEN), self._others),
            homes=frozenset({self._database, database, "default"}),
            moved={f"system.{name}": f"system_{name}" for name in _CATALOGUE},
            settings={**_BARRIER, "additional_table_filters": "{" + ", ".join(filters) + "}"},
            is_whole=False,
        )

    def _functions(self) -> Functions:
        with self._reader.reading(self._database, {}) as engine:
            return Functions.of(engine)


def _kept(table: str, owner: str, tenant: str) -> str:
    """The condition of the rows of a table that a tenant sees."""
    if table in _IN_PART:
        return f"{owner} = {literal(EVERYBODY)} AND {_IN_PART[table]}"
    owners = dict.fromkeys([tenant, EVERYBODY] if table in _OF_EVERYBODY else [tenant])
    return f"{owner} IN ({', '.join(literal(each) for each in owners)})"


def _view(database: str, name: str, row: Mapping[str, Any], kept: str) -> str:
    final = " FINAL" if row["replaces"] else ""
    # The names are those of columns and tables; what a credential says is in the literals.
    select = f"SELECT {row['names']} FROM `{database}`.`{name}`{final} WHERE {kept}"  # noqa: S608
    return f"CREATE VIEW `{name}` AS {select}"


def _catalogue(name: str, columns: str, database: str) -> str:
    key = "name" if name == "databases" else "database"
    named = {"tables": "name", "columns": "table"}.get(name)
    kept = f" AND {named} NOT LIKE 'system\\_%'" if named else ""
    select = f"SELECT {key}, {columns} FROM system.{name} WHERE {key} = {literal(database)}{kept}"  # noqa: S608 - as above
    return f"CREATE VIEW `system_{name}` AS {select}"


def _filter(table: str, condition: str) -> str:
    return f"{literal(table)}: {literal(condition)}"
