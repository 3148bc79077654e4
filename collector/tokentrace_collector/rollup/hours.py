"""The sums of hours, kept in step with the costs that they are made of.

Of an hour that a small batch has changed, what the batch gave to it before is taken away, and what it gives now is
added; other hours that have changed are summed up whole. `summed` in the state of the rollup is the last run after
which all sums were those of the costs. A run that was cut short leaves that behind, and what has been written since is
summed up whole before anything else: what it changed, no difference tells any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokentrace_collector.rollup import costs
from tokentrace_collector.rollup.state import State
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

SCRATCH = ("hours", "changes", "sums")
_SUMMED = "summed"
_UNCLEAR = "SELECT max(is_unclear) AS is_unclear FROM rollup_sums"
_ANY = "SELECT 1 FROM rollup_hours LIMIT 1"


@dataclass(frozen=True, slots=True)
class Hours:
    """How one run brings the sums of hours up to date."""

    store: Store
    do: Callable[..., None]
    """Runs a statement by its name."""
    send: Callable[..., None]
    """Runs the text of a statement."""
    run: str
    version: int
    kept: str
    """Of hours before this one only sums are kept."""

    def note(self) -> None:
        """Note what the batch gave to hours before its costs changed, and what it gives to them now."""
        for table, sign in (("rollup_was", -1), ("rollup_costs", 1)):
            self.send(costs.lines(schema.sql("rollup/changes"), table), sign=sign, kept=self.kept)

    def change(self, *, is_shared: bool) -> None:
        """Bring up to date what the noted changes are of, and where shares have changed too."""
        named = {"run": self.run, "version": self.version}
        if is_shared:
            self.do("hours_shared", version=self.version, kept=self.kept)
        self.do("sums", run=self.run)
        if self.store.query(_UNCLEAR)[0]["is_unclear"]:
            self.do("hours_unclear")
        self.do("hours_changed", **named)
        if self.store.query(_ANY):
            self.sum_up()

    def sum_up(self) -> None:
        """Sum up the hours that have been found, whole."""
        for statement in ("tcoai_by_hour", "tcoai_by_hour_gone"):
            self.do(statement, run=self.run, version=self.version)

    def catch_up(self, summed: int) -> None:
        """Sum up what has changed since all hours were last summed up."""
        self.do("hours_behind", summed=summed, kept=self.kept)
        if self.store.query(_ANY):
            self.sum_up()


def behind(state: State) -> int | None:
    """The run after which all sums of hours were right, where that was not the last; else None."""
    summed = state.get(_SUMMED)
    return None if summed == state.get("version") else int(summed or 0)


def are_summed(state: State, version: int) -> None:
    """Remember that all sums of hours are right, as of a run."""
    state.put(_SUMMED, str(version), version)
