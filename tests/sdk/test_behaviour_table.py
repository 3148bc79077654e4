"""The table of scenarios in `sdk/README.md`, made of the very scenarios that `tests/sdk/behaviour` plays.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_behaviour_table.py` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from behaviour.door import Door
from behaviour.doors.all import DOORS
from behaviour.ends import ENDS
from behaviour.play import Record, Scenario
from behaviour.scenarios.all import SCENARIOS
from behaviour.surroundings import NAMES, OWN
from readme import STALE, standing

ELSEWHERE = ("trio",)
"""Scenarios that need what not every environment has."""


def table() -> str:
    """All that stands between the markers."""
    rows = [[scenario.name, *(_cell(scenario, door) for door in DOORS)] for scenario in _scenarios()]
    names = [door.name.replace(" ", "<br>", 1) for door in DOORS]
    lines = [_row(["", *names]), _row(["---", *[":-:"] * len(names)]), *map(_row, rows)]
    return "\n".join([*lines, "", _around(), ""])


def _scenarios() -> list[Scenario]:
    return [scenario for scenario in SCENARIOS if scenario.name not in ELSEWHERE]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(scenario: Scenario, door: Door) -> str:
    if not scenario.is_of(door):
        return "·"
    return "".join(dict.fromkeys(_mark(record) for record in scenario.records(door))) or "none"


def _mark(record: Record) -> str:
    if record["source"] != "missing":
        return "✓" if record["source"] == "reported" else "½"
    return "0" if all(isinstance(attempt, int) and attempt >= 400 for attempt in record["attempts"]) else "?"


def _around() -> str:
    return (
        "✓ counted exactly; ½ what the provider had said until then, marked `partial_stream`; ? the provider has not said, "
        "marked `missing`; 0 refused, and not billed; · no such thing. "
        f"Calls ({', '.join(NAMES)}) are delivered whole whatever TracerProvider the application has: {', '.join(OWN)}. "
        f"A stream that is open when the process ends is delivered once: {', '.join(ENDS)}."
    )


def test_the_table_in_the_readme_is_made_of_the_scenarios_that_are_played():
    assert standing("behaviour", table()) == table(), STALE


def test_every_scenario_has_a_name_of_its_own_and_a_door():
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names)) >= 40
    for scenario in SCENARIOS:
        assert any(scenario.is_of(door) for door in DOORS), scenario.name
