"""What the rollup remembers between runs, in `rollup_state`."""

from __future__ import annotations

from dataclasses import dataclass

from tokentrace_collector.prices.rates import TENANT
from tokentrace_collector.store.database import Store

_ASKED = "SELECT value FROM rollup_state FINAL WHERE tenant = {tenant:String} AND name = {name:String}"


@dataclass(frozen=True, slots=True)
class State:
    """Facts by name, each the latest."""

    store: Store

    def get(self, name: str) -> str:
        """The value of a fact; empty where nobody has said it."""
        found = self.store.query(_ASKED, tenant=TENANT, name=name)
        return str(found[0]["value"]) if found else ""

    def put(self, name: str, value: str, version: int) -> None:
        """Remember a fact, as of a run."""
        columns = ("tenant", "name", "value", "version")
        self.store.insert("rollup_state", columns, [[TENANT], [name], [value], [version]])

    def next_version(self) -> int:
        """The number of a new run."""
        version = 1 + int(self.get("version") or 0)
        self.put("version", str(version), version)
        return version
