"""What the rollup remembers between runs, in `rollup_state`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tokentrace_collector.prices.rates import TENANT
from tokentrace_collector.store.database import Store

_ALL = "SELECT name, value FROM rollup_state FINAL WHERE tenant = {tenant:String}"
_ASKED = "SELECT value FROM rollup_state FINAL WHERE tenant = {tenant:String} AND name = {name:String}"


@dataclass(slots=True)
class State:
    """Facts by name, each the latest."""

    store: Store
    _read: dict[str, str] | None = field(default=None, init=False)

    @contextmanager
    def read_once(self) -> Generator[None]:
        """Read all of them at once; nobody else may say any meanwhile."""
        self._read = {row["name"]: row["value"] for row in self.store.query(_ALL, tenant=TENANT)}
        try:
            yield
        finally:
            self._read = None

    def get(self, name: str) -> str:
        """The value of a fact; empty where nobody has said it."""
        if self._read is not None:
            return self._read.get(name, "")
        found = self.store.query(_ASKED, tenant=TENANT, name=name)
        return str(found[0]["value"]) if found else ""

    def put(self, name: str, value: str, version: int) -> None:
        """Remember a fact, as of a run."""
        columns = ("tenant", "name", "value", "version")
        self.store.insert("rollup_state", columns, [[TENANT], [name], [value], [version]])
        if self._read is not None:
            self._read[name] = value

    def next_version(self) -> int:
        """The number of a new run."""
        version = 1 + int(self.get("version") or 0)
        self.put("version", str(version), version)
        return version
