"""The tables: the SQL files of `schemas/`, rendered, applied in order, and remembered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from tokentrace_collector.files import root
from tokentrace_collector.store import amounts, cluster, meanings, money
from tokentrace_collector.store.database import Store

_VERSIONS = """
CREATE TABLE IF NOT EXISTS schema_versions (
    name String,
    checksum String,
    applied_at DateTime64(6) DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY name
"""

_EACH = re.compile(r"\$\{(?P<list>components|by|only)(?:\('(?P<between>[^']*)'\))?:(?P<each>(?:[^{}]|\{[^{}]*\})*)\}")
_AMOUNT = "Decimal(38, 18) CODEC(GCD, ZSTD(1))"
"""How costs are stored: each is some count times some unit, which takes half the room when the unit is divided out."""
_HOUR_KEY = (
    "tenant, hour, team, feature, project, cost_center, environment, provider, model, role, component, sub_component, "
    "status, currency"
)
"""What a sum of an hour is of, in each rating run."""
_LATEST = "max(least(ended_at, toDateTime64(ingested_at, 9) + INTERVAL 1 HOUR))"
"""Up to when spans say that time has passed: one from the future is a wrong clock, and must not run up the rent."""
_MEANT = {
    "component_columns": f"${{components: {{name}} {_AMOUNT}}}",
    "hour_key": _HOUR_KEY,
    "latest": _LATEST,
    "worth": money.WORTH,
    "valued": amounts.VALUED,
}
_TOLD = re.compile(r"\$\{dialects\.(?P<name>\w+)\}")
_CLAIM = re.compile(
    r"(?:--[^\n]*\n)+SELECT\n(?P<claimed>.+) AS claimed,\n(?P<sub_component>.+) AS sub_component\nFROM call_units\s*",
    re.DOTALL,
)
_CREATED = re.compile(r"\bCREATE\s+(?:TABLE|MATERIALIZED VIEW)\s+(?:IF NOT EXISTS\s+)?(?P<name>\w+)", re.IGNORECASE)
_HOLDS_NOTHING = re.compile(r"\bENGINE\s*=\s*(?:Null|Memory)\b|\bCREATE\s+MATERIALIZED\s+VIEW\b", re.IGNORECASE)

_COPIES = re.compile(r"\bAS \w+\s+ENGINE = Memory\b")


class SchemaError(Exception):
    """A schema file that is missing or cannot be rendered."""


class Component(NamedTuple):
    """One part of the cost of a request: its rank, its name, the SELECT that claims its quantities."""

    rank: int
    name: str
    sql: str

    @property
    def claimed(self) -> str:
        """The expression of what it claims of a unit."""
        return self._parts["claimed"]

    @property
    def sub_component(self) -> str:
        """The expression of the part of it that the claim belongs to."""
        return self._parts["sub_component"]

    @property
    def _parts(self) -> re.Match[str]:
        parts = _CLAIM.fullmatch(self.sql)
        if parts is None:
            raise SchemaError(
                f"The component {self.name!r} needs two columns, claimed and sub_component, over call_units."
            )
        return parts


@dataclass(frozen=True, slots=True)
class _Object:
    """One schema file, rendered."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def holds_nothing(self) -> bool:
        """Whether it passes rows on or is scratch, so that it may be made anew; other tables change by migration."""
        return _HOLDS_NOTHING.search(self.sql) is not None

    @property
    def is_copy(self) -> bool:
        """Whether it is scratch that has the columns of another table."""
        return _COPIES.search(self.sql) is not None

    @property
    def creates(self) -> str:
        """The name of what it creates."""
        created = _CREATED.search(self.sql)
        if created is None:
            raise SchemaError(f"The schema file {self.name!r} creates nothing.")
        return created["name"]


def apply(store: Store) -> None:
    """Bring the database to these schemas: create what is missing, migrate what is older. Safe to repeat."""
    store.create_database()
    _run(store, _VERSIONS)
    known = {row["name"]: row["checksum"] for row in store.query("SELECT name, checksum FROM schema_versions FINAL")}
    migrations = _objects("migrations")
    for each in migrations if known else ():
        if each.name not in known:
            _apply(store, [each])
    objects = [*_objects("tables"), *_objects("views")]
    present = {row["name"] for row in store.query(_PRESENT)}
    # An upgrade that was ended half-way, and then taken back, has left what it knew without what it dropped.
    changed = [
        each
        for each in objects
        if known.get(each.name) != each.checksum or (each.holds_nothing and each.creates not in present)
    ]
    if any(each.holds_nothing and each.name in known for each in changed):
        # What passes rows on is bound to what it reads from, so all of it goes before any of it comes anew.
        passing = [each for each in objects if each.holds_nothing]
        for each in reversed(passing):
            _run(store, f"DROP TABLE IF EXISTS {each.creates} SYNC")
        changed = [each for each in objects if each in changed or each in passing]
    # A new database starts from the tables as they are; the migrations that led there are history.
    _apply(store, changed, *(() if known else migrations))
    _add_component_columns(store)
    for each in objects if known and changed else ():
        # What it is a copy of may have got a column.
        if each.is_copy:
            _run(store, f"DROP TABLE IF EXISTS {each.creates} SYNC")
            _run(store, each.sql)


def instead(text: str, part: str, other: str) -> str:
    """A statement with another part; SchemaError where it has no such part, for silence would leave it as it was."""
    if part not in text:
        raise SchemaError(f"The statement {text[:60]!r} has no {part!r}. Rename it where it is replaced, too.")
    return text.replace(part, other)


def sql(name: str, *, by: Collection[str] = (), only: Collection[str] = ()) -> str:
    """The statement of a schema file, by its name below `schemas/` without `.sql`.

    `by` and `only` are columns that a report groups by, and chooses by, where it leaves that open.
    """
    return _render(_text(name), by=by, only=only)


def split(text: str) -> list[str]:
    """The statements of a schema file."""
    return [statement for statement in re.split(r";[ \t]*(?:\n|$)", text) if statement.strip()]


@cache
def views() -> frozenset[str]:
    """The names of the materialised views."""
    return frozenset(each.creates for each in _objects("tables") if "CREATE MATERIALIZED VIEW" in each.sql)


def plain_views() -> list[str]:
    """The statements that make the views over the tables, in the order in which they need one another."""
    return [statement for each in _objects("views") for statement in split(each.sql)]


@cache
def components() -> tuple[Component, ...]:
    """The cost components by rank: one file each, `components/NN_name.sql`."""
    found: list[Component] = []
    for path in sorted((root() / "components").glob("*.sql")):
        rank, _, name = path.stem.partition("_")
        if not (rank.isdigit() and name.isidentifier()):
            raise SchemaError(f"The component file {path.name!r} is not named NN_component.sql.")
        found.append(Component(int(rank), name, path.read_text()))
    return tuple(found)


def _text(name: str) -> str:
    path = root() / f"{name}.sql"
    if not path.is_file():
        raise SchemaError(f"There is no schema file {name!r}. Look for it below {root()}.")
    return path.read_text()


def _objects(folder: str) -> list[_Object]:
    paths = sorted((root() / folder).glob("*.sql"))
    return [_Object(f"{folder}/{path.stem}", sql(f"{folder}/{path.stem}")) for path in paths]


def _render(text: str, **columns: Collection[str]) -> str:
    """Fill in what follows from the list of components, from the dialects, and from the columns asked for.

    `${components: {name} Decimal(38, 18)}` repeats its text per component, separated by commas, or by another text:
    `${components(' + '): {name}}`. It may use {name}, {rank}, and the expressions {claimed} and {sub_component}.
    `${by: …}` and `${only: …}` repeat theirs per column, and may use {name} and {place}, from 1 on.
    `${component_columns}` is the column definitions of components; `${dialects.name}` an expression that the dialects
    decide; `${worth}` the function that converts currencies; `${valued}` the steps from lines to their amounts;
    `${hour_key}` the columns that tell the sums of hours from one another; `${latest}` up to when time has passed.
    """
    for name, meant in _MEANT.items():
        text = text.replace(f"${{{name}}}", meant)

    def filled(match: re.Match[str]) -> str:
        between = match["between"] if match["between"] is not None else ",\n    "
        each = match["each"].strip()
        if match["list"] == "components":
            return between.join(_filled(each, one) for one in components())
        asked = enumerate(columns.get(match["list"], ()), start=1)
        return between.join(each.replace("{name}", name).replace("{place}", str(place)) for place, name in asked)

    rendered = _TOLD.sub(lambda told: meanings.expressions().get(told["name"], told[0]), _EACH.sub(filled, text))
    if "${" in rendered:
        raise SchemaError(f"Nothing fills {rendered[rendered.index('${') :].split('}')[0]}}} in a schema file.")
    return rendered


def _filled(template: str, one: Component) -> str:
    filled = template.replace("{name}", one.name).replace("{rank}", str(one.rank))
    if "{claimed}" in filled or "{sub_component}" in filled:
        filled = filled.replace("{claimed}", one.claimed).replace("{sub_component}", one.sub_component)
    return filled


def _apply(store: Store, objects: list[_Object], *history: _Object) -> None:
    """Run statements, and remember them and what need not be run any more."""
    for each in objects:
        _run(store, each.sql)
    known = [*objects, *history]
    if known:
        names, checksums = [each.name for each in known], [each.checksum for each in known]
        store.insert("schema_versions", ["name", "checksum"], [names, checksums])


def _run(store: Store, text: str) -> None:
    for statement in split(text):
        for each in cluster.statements(statement, store.address.cluster):
            store.run(each)


def _add_component_columns(store: Store) -> None:
    """Give tables made before a component existed its column, where a new table has it: inserts go by position."""
    names = [component.name for component in components()]
    for path in sorted((root() / "tables").glob("*.sql")):
        text = path.read_text()
        created = _CREATED.search(text)
        if "${component_columns}" not in text or created is None:
            continue
        present = [row["name"] for row in store.query(_COLUMNS, table=created["name"])]
        before = present[next(place for place, name in enumerate(present) if name in names) - 1]
        for name in names:
            if name not in present:
                _run(store, f"ALTER TABLE {created['name']} ADD COLUMN {name} {_AMOUNT} AFTER {before}")
            before = name


_PRESENT = "SELECT name FROM system.tables WHERE database = currentDatabase()"
_COLUMNS = """
SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position
"""
