"""What was found once, and is found again by whoever looks: `results.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from frameworks.peers.known import FRAMEWORKS, OURS
from frameworks.peers.measure import Measured

RESULTS = Path(__file__).with_name("results.json")
NAMES = [OURS.name, *dict.fromkeys(peer.name for framework in FRAMEWORKS for peer in framework.peers)]
"""Everyone who is measured, in the order of the table."""


def kept() -> list[Measured]:
    """Everything that is kept, framework by framework."""
    return read(RESULTS.read_text())


def read(text: str) -> list[Measured]:
    """What was written of measurements."""
    found = [Measured(**each) for each in json.loads(text)]
    for each in found:
        for run in each.runs.values():
            run.update({name: (got, truth) for name, (got, truth) in run.items()})
    return found


def keep(measured: Iterable[Measured]) -> None:
    """Put what was found in the place of what was kept of the same framework."""
    found = list(measured)
    anew = {each.framework for each in found}
    every = [*found, *(each for each in kept() if each.framework not in anew)]
    order = [framework.name for framework in FRAMEWORKS]
    every.sort(key=lambda each: (order.index(each.framework), NAMES.index(each.peer), each.parts))
    RESULTS.write_text("[\n" + ",\n".join(map(_text, every)) + "\n]\n")


def _text(measured: Measured) -> str:
    """One line per run, so that a change shows what it changes."""
    head = {name: value for name, value in asdict(measured).items() if name != "runs"}
    rows = [f"  {json.dumps(name)}: {json.dumps(run)}" for name, run in measured.runs.items()]
    return f'{json.dumps(head)[:-1]}, "runs": {{\n' + ",\n".join(rows) + "\n}}"
