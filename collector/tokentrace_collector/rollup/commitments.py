"""The stage of commitments: what was promised, divided among those who used it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tokentrace_collector.prices.rates import Run
from tokentrace_collector.rollup import windows
from tokentrace_collector.store.database import Store

SCRATCH = ("commitment_windows", "committed", "commitment_flows", "commitment_amounts", "commitment_lines")
_BOOKED = ("commitment_periods", "commitment_lines", "commitment_booked", "commitment_gone")


@dataclass(frozen=True, slots=True)
class Sharing:
    """The commitments of a run, over the tables of its stages."""

    store: Store
    run: Run
    statement: Callable[[str], str]
    do: Callable[..., None]
    """Runs a statement by its name."""
    kept_since: str
    """Of periods that began before, costs are not all kept: they stay as they are."""

    def share(self, **named: Any) -> datetime | None:
        """Work out anew each period that the run bears upon; when the last of them ends, None where there is none."""
        commitments, latest = self.run.book.commitments, _moment(named["latest"])
        touched = self._rows("commitments_touched", **{name: named[name] for name in ("since", "until", "version")})
        met = self._rows("commitments_met", run=self.run.id)
        known = {
            (name, since): bool(is_settled)
            for name, since, is_settled in self._rows("commitments_known", run=self.run.id, sound=named["sound"])
        }
        pots = windows.affected(commitments, touched, (each[0] for each in met), known, latest)
        kept = _moment(self.kept_since)
        pots = {pot for pot in pots if pot[1] >= kept}
        if not pots:
            return None
        columns = list(zip(*windows.rows(commitments, pots, latest), strict=True))
        self.store.insert("rollup_commitment_windows", windows.COLUMNS, columns)
        self.do("committed")
        names = {name for name, _, _ in pots}
        for each in commitments:
            if each.id in names:
                self.do("commitment_flows", run=self.run.id, commitment=each.id)
        self.do("commitment_amounts")
        for statement in _BOOKED:
            self.do(statement, **named)
        return max(until for _, _, until in pots)

    def _rows(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        found = self.store.query(self.statement(f"rollup/{name}"), **parameters)
        return [tuple(row.values()) for row in found]


def _moment(written: str) -> datetime:
    """A time as the database writes it, in whole seconds."""
    return datetime.fromisoformat(written[:19]).replace(tzinfo=UTC)
